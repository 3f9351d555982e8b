"""All that the page holds, from the network, its data set and the analyses' folders."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from convscope import figures
from convscope.base import metrics
from convscope.base.report_folder import Finished
from convscope.data.datasets import DataSet
from convscope.nets.inference import logits
from convscope.report.explorer import findings, network, packing, recorded, selection
from convscope.report.explorer.findings import Analyses

OWN = "own picture"
COLORS = 256


def gather(
    net: str,
    module: nn.Sequential,
    dataset: DataSet,
    analyses: Analyses,
    count: int,
    own: Sequence[Tensor] = (),
) -> dict[str, Any]:
    """What the page of a network holds, ready for JSON.

    Args:
        net: The network's name.
        module: It, trained.
        dataset: What it was trained and tested on.
        analyses: The finished folders of the analyses of it.
        count: How many test images the page has.
        own: A person's own pictures, each (3, 32, 32) uint8, which come first.

    Raises:
        UserError: A table of an analysis is missing or damaged.
        ValueError: The network has a layer that the page's script does not know.
    """
    device = next(module.parameters()).device
    outputs, labels = logits(module, dataset.test_images).cpu(), dataset.test_labels.cpu()
    chosen = selection.choose(count, outputs, labels, analyses)
    numbers = list(chosen)
    images = dataset.test_images[torch.tensor(numbers)].cpu()
    shown = torch.cat([*(picture[None] for picture in own), images])
    entries = [{"number": -1 - at, "label": None, "why": [OWN]} for at in range(len(own))]
    entries += [{"number": at, "label": int(labels[at]), "why": why} for at, why in chosen.items()]
    convolutions = network.convolutions(held := deepcopy(module).cpu())
    layers = [convolution["name"] for convolution in convolutions]
    return {
        "net": net,
        "accuracy": metrics.accuracy(outputs, labels),
        "classes": list(dataset.classes),
        "side": images.shape[-1],
        "norms": any(isinstance(child, nn.BatchNorm2d) for child in module.children()),
        "images": entries,
        "pixels": packing.text(shown.numpy()),
        "logits": packing.logits(logits(module, shown.to(device))),
        "convolutions": convolutions,
        **_costs(analyses.ablated, dataset),
        "maps": findings.maps(analyses.occluded, numbers),
        "top": findings.top(analyses.identified, numbers),
        "top_here": findings.top_here(module, layers, images.to(device), numbers),
        "colors": _colors(),
        **_answers(module, held, entries, shown.to(device), analyses),
    }


def _costs(ablated: Finished, dataset: DataSet) -> dict[str, Any]:
    """What filters cost, together and alone, over how many test images."""
    tested = len(dataset.test_labels)
    charted = min(ablated.param("filter_ablation", "atlas_images", int) or tested, tested)
    return {
        "study": findings.together(ablated, tested),
        "alone": findings.alone(ablated, dataset.classes, charted),
        "alone_images": charted,
    }


def _answers(
    module: nn.Sequential,
    held: nn.Sequential,
    entries: Sequence[dict[str, Any]],
    shown: Tensor,
    analyses: Analyses,
) -> dict[str, Any]:
    """The network, or, where it is too wide for a page, its answers."""
    if network.is_live(held):
        return {"network": network.packed(held), "recorded": None}
    with_windows = [
        at for at, entry in enumerate(entries) if {selection.MAPPED, OWN} & set(entry["why"])
    ]
    filters = analyses.ablated.param("filter_ablation", "filters", dict) or {}
    answers = recorded.record(
        module, shown, with_windows, filters, analyses.occluded, analyses.ablated
    )
    return {"network": None, "recorded": answers}


def listed(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The page's test images, in its order: the image, its class, and why it is there."""
    return [
        {
            "image": entry["number"],
            "class": content["classes"][entry["label"]],
            "why": "; ".join(entry["why"]),
        }
        for entry in content["images"]
        if entry["label"] is not None
    ]


def introduction(content: dict[str, Any], dataset: DataSet) -> str:
    """The page's first sentences."""
    names = content["classes"]
    many = f"{len(names)} classes"
    classes = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) <= 12 else many
    runs = (
        "It runs inside this page: cover part of an image, switch filters off, watch its answer."
        if content["network"]
        else "It is too wide to run inside a page, so what can be done here was computed before: "
        "some windows over some images, some filters off."
    )
    return (
        f"{content['net']} learned to tell {classes} apart from "
        f"{len(dataset.train_labels):,} images; of {len(dataset.test_labels):,} others it gets "
        f"{100 * content['accuracy']:.1f} % right. {runs}"
    )


def _colors() -> dict[str, str]:
    """The color maps of the report's figures, as six hexadecimal digits a color."""
    style = figures.style
    maps = {"sequential": style.SEQUENTIAL, "difference": style.DIFFERENCE}
    return {
        kind: "".join(color.removeprefix("#") for color in style.scale(name, COLORS))
        for kind, name in maps.items()
    }
