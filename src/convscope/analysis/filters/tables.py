"""Filter identification as tables (study, part 2.2.1, tables 2 to 4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from torch import Tensor, nn

from convscope.analysis.filters import responses
from convscope.analysis.filters.responses import Patch
from convscope.nets.filter_selection import Chosen, check
from convscope.nets.receptive_field import Field, receptive_field


@dataclass(frozen=True)
class Identified:
    """A filter and its top images, by falling response; of equal ones, the lower index first."""

    layer: str
    index: int
    images: Tensor  # (k,) int64
    responses: Tensor  # (k,) float32
    patches: list[Patch]  # of each image: the receptive field of the map's largest value
    dead: bool  # whether no image makes its map positive anywhere
    dead_in_layer: int  # of the layer's filters, whether identified or not
    filters_in_layer: int
    zeros: float  # of its top images' maps the share that ReLU leaves at 0
    zeros_in_layer: float  # the same of all images' maps of all the layer's filters
    pixels: int  # of its map
    field: Field  # of its map's units

    @property
    def name(self) -> str:
        """The filter as the study's numbers name it: ``conv3/1``."""
        return f"{self.layer}/{self.index}"


def identify(
    module: nn.Sequential, filters: Chosen, images: Tensor, top_k: int
) -> list[Identified]:
    """Find what some filters respond to, with so many top images each; all if there are fewer.

    The images are clean test images, (N, 3, 32, 32) uint8; N > 0.

    Raises:
        ValueError: The network has no such convolution or filter.
    """
    check(module, filters)
    found = []
    by_layer = responses.measure(module, filters, images)
    for layer, indices in filters.items():
        measured = by_layer[layer]
        dead, zeros = measured.dead(), measured.zeros()
        field = receptive_field(module, layer)
        for index in indices:
            response = measured.total[:, index]
            top = response.sort(descending=True, stable=True).indices[:top_k]
            positions = measured.position[top, index].tolist()
            found.append(
                Identified(
                    layer=layer,
                    index=index,
                    images=top,
                    responses=response[top],
                    patches=[responses.patch(position, field) for position in positions],
                    dead=bool(dead[index]),
                    dead_in_layer=int(dead.sum()),
                    filters_in_layer=len(dead),
                    zeros=float(zeros[top, index].mean()),
                    zeros_in_layer=float(zeros.mean()),
                    pixels=measured.pixels,
                    field=field,
                )
            )
    return found


def class_frequency(
    found: Sequence[Identified], labels: Tensor, classes: Sequence[str]
) -> pd.DataFrame:
    """The study's table 2: how many of the top images are of each class, and the commonest."""
    labels = labels.cpu()
    counts = [labels[item.images].bincount(minlength=len(classes)).tolist() for item in found]
    names = pd.Index([item.name for item in found], name="filter")
    table = pd.DataFrame(counts, names, list(classes))
    return table.assign(max_class=table.idxmax(axis=1)).reset_index()


def response_sizes(found: Sequence[Identified]) -> pd.DataFrame:
    """The study's table 3: mean and largest response of the top images, and dead filters.

    A response is a sum over a map's pixels, and maps become smaller from layer to layer:
    ``mean_per_pixel`` is the mean over the number of pixels.
    """
    return pd.DataFrame(
        {
            "filter": item.name,
            "layer": item.layer,
            "mean": float(item.responses.mean()),
            "max": float(item.responses[0]),
            "mean_per_pixel": float(item.responses.mean()) / item.pixels,
            "dead": item.dead,
        }
        for item in found
    )


def dead_by_layer(found: Sequence[Identified]) -> pd.DataFrame:
    """The layers that filters were identified in: layer, and its filters and dead_filters."""
    counts = {item.layer: (item.filters_in_layer, item.dead_in_layer) for item in found}
    rows = [(layer, *count) for layer, count in counts.items()]
    return pd.DataFrame(rows, columns=["layer", "filters", "dead_filters"])


def sparsity(found: Sequence[Identified]) -> pd.DataFrame:
    """How sparse the maps of the layers are that filters were identified in.

    The measure is the average percentage of zeros (Hu, Peng, Tai and Tang, "Network Trimming: A
    Data-Driven Neuron Pruning Approach towards Efficient Deep Architectures", 2016), as a share.

    Returns:
        A row a layer: layer, filters, zero_share, of all positions of all images' maps of all its
        filters those that ReLU leaves at 0, and top_zero_share, the same of the identified filters'
        top images, means over these filters; in [0, 1].
    """
    rows = pd.DataFrame(
        {
            "layer": item.layer,
            "filters": item.filters_in_layer,
            "zero_share": item.zeros_in_layer,
            "top_zero_share": item.zeros,
        }
        for item in found
    )
    return rows.groupby(["layer", "filters", "zero_share"], sort=False).mean().reset_index()


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
            zip(item.images.tolist(), item.responses.tolist(), item.patches, strict=True), start=1
        )
    ]
    return pd.DataFrame(rows)
