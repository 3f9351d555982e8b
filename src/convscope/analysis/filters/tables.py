"""Filter identification as tables (study, part 2.2.1, tables 2 to 4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from torch import Tensor, nn

from convscope.analysis.filters import measure
from convscope.analysis.filters.measure import Patch, Top
from convscope.nets.filter_selection import Chosen, check
from convscope.nets.receptive_field import Field, receptive_field


@dataclass(frozen=True)
class Identified:
    """One filter and what it responds to.

    Attributes:
        layer: The convolution's name.
        index: The filter's number in it.
        top: Its top images.
        dead: Whether no image makes its map positive anywhere.
        pixels: How many pixels its map has.
        field: The receptive field of its map's units.
        patches: The receptive field of the map's largest value, for each of the top images.
        responses: The top images' responses.
    """

    layer: str
    index: int
    top: Top
    dead: bool
    pixels: int
    field: Field
    patches: list[Patch]
    responses: list[float]

    @property
    def name(self) -> str:
        """The filter as the study's numbers name it: ``conv3/1``."""
        return f"{self.layer}/{self.index}"


def identify(
    module: nn.Sequential,
    chosen: Chosen,
    images: Tensor,
    labels: Tensor,
    top_k: int,
    classes: int,
) -> list[Identified]:
    """Find what each chosen filter responds to.

    Args:
        module: A network of ``nets.build``.
        chosen: Convolution to filters.
        images: (N, 3, 32, 32) uint8, clean test images.
        labels: (N,) int64.
        top_k: How many images with the largest responses are taken.
        classes: How many classes there are.

    Raises:
        ValueError: The network has no such convolution or filter.
    """
    check(module, chosen)
    found = []
    by_layer = measure.responses(module, chosen, images)
    for layer, indices in chosen.items():
        measured = by_layer[layer]
        dead = measure.is_dead(measured.largest)
        field = receptive_field(module, layer)
        for index in indices:
            top = measure.top(measured.total[:, index], labels.cpu(), top_k, classes)
            positions = measured.position[top.images, index].tolist()
            found.append(
                Identified(
                    layer=layer,
                    index=index,
                    top=top,
                    dead=bool(dead[index]),
                    pixels=measured.pixels,
                    field=field,
                    patches=[measure.patch(position, field) for position in positions],
                    responses=measured.total[top.images, index].tolist(),
                )
            )
    return found


def class_frequency(found: Sequence[Identified], classes: Sequence[str]) -> pd.DataFrame:
    """The study's table 2: how many of the top images are of each class, and the commonest."""
    table = pd.DataFrame([item.top.frequency.tolist() for item in found], columns=list(classes))
    commonest = table.idxmax(axis=1)
    table.insert(0, "filter", [item.name for item in found])
    table["max_class"] = commonest
    return table


def responses(found: Sequence[Identified]) -> pd.DataFrame:
    """The study's table 3: mean and largest response of the top images, and dead filters.

    A response is a sum over a map's pixels, and maps become smaller from layer to layer:
    ``mean_per_pixel`` is the mean over the number of pixels.
    """
    return pd.DataFrame(
        {
            "filter": [item.name for item in found],
            "layer": [item.layer for item in found],
            "mean": [item.top.mean for item in found],
            "max": [item.top.maximum for item in found],
            "mean_per_pixel": [item.top.mean / item.pixels for item in found],
            "dead": [item.dead for item in found],
        }
    )


def patch_sizes(found: Sequence[Identified]) -> pd.DataFrame:
    """The study's table 4, exact: the side of a layer's receptive field, in pixels."""
    sizes = {item.layer: item.field.size for item in found}
    return pd.DataFrame({"layer": list(sizes), "patch_size": list(sizes.values())})


def top_images(found: Sequence[Identified], labels: Tensor, classes: Sequence[str]) -> pd.DataFrame:
    """Every top image of every filter: rank from 1, image, class, response, and its patch.

    The patch covers rows ``top`` to ``bottom - 1`` and columns ``left`` to ``right - 1``.
    """
    rows = [
        {
            "filter": item.name,
            "rank": rank,
            "image": image,
            "class": classes[int(labels[image])],
            "response": response,
            **patch._asdict(),
        }
        for item in found
        for rank, (image, response, patch) in enumerate(
            zip(item.top.images.tolist(), item.responses, item.patches, strict=True), start=1
        )
    ]
    return pd.DataFrame(rows)
