"""The sections of params.yaml as typed, frozen models that refuse unknown keys."""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from convscope.base.names import AXES
from convscope.data.archives import Archive
from convscope.nets import zoo
from convscope.nets.layers import IMAGE_SIZE

# data.path of those who have no folder: DVC watches what it names, and this is always there
NOWHERE = "conf/data"

T = TypeVar("T")


def _tuple(value: Any) -> Any:
    """YAML has lists where the sections have tuples."""
    return tuple(value) if isinstance(value, list) else value


def _distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) < len(values):
        raise ValueError("lists a value twice")
    return values


def _network(name: str) -> str:
    if name not in zoo.NETS:
        raise ValueError(f"is not a network; known: {', '.join(zoo.NETS)}")
    return name


def _by_convolution(value: Any) -> Any:
    """Filters that are named one by one, as the tables name them, by their convolutions."""
    if isinstance(value, dict):
        return value
    found: dict[str, list[int]] = {}
    for name in value if isinstance(value, list) else [value]:
        named = (
            re.fullmatch(r"(conv[1-9][0-9]?)/([0-9]{1,6})", name, re.ASCII)
            if isinstance(name, str)
            else None
        )
        if named is None:
            raise ValueError(
                "must be a number, the first so many filters of each convolution, or a list of "
                "filters such as [conv1/0, conv4/3]"
            )
        found.setdefault(named[1], []).append(int(named[2]))
    return found


Distinct = Annotated[tuple[T, ...], BeforeValidator(_tuple), AfterValidator(_distinct)]
Values = Annotated[Distinct[T], Field(min_length=1)]
Network = Annotated[str, AfterValidator(_network)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Side = Annotated[int, Field(ge=1, le=IMAGE_SIZE)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Threads = Annotated[int, Field(ge=1, le=64)]
Probability = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Convolution = Annotated[str, Field(pattern=r"^conv[1-9][0-9]?$")]
Index = Annotated[int, Field(ge=0, le=100_000)]
ByConvolution = Annotated[
    dict[Convolution, Values[Index]], BeforeValidator(_by_convolution), Field(min_length=1)
]
# the ways to choose filters; errors name them among their places
COUNTED, NAMED = "counted", "named"
Filters = Annotated[
    Annotated[Count, Tag(COUNTED)] | Annotated[ByConvolution, Tag(NAMED)],
    Discriminator(lambda value: COUNTED if isinstance(value, int | float) else NAMED),
]


class Section(BaseModel):
    """A section of params.yaml: typed strictly, immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Data(Section):
    """Which images: scikit-learn's digits, CIFAR-10 or CIFAR-100, or a folder of pictures.

    Attributes:
        archives: Of CIFAR, of which the first is taken that works.
        path: The folder of pictures, or of CIFAR's unpacked files; ``NOWHERE`` if there is none.
        test_fraction: What part of each class of a folder's pictures is to test on, drawn by
            ``seed``; a folder that has the parts already is left as it is.
        train_images: The first so many are taken; all if None. ``test_images`` likewise.
    """

    source: Literal["digits", "cifar10", "cifar100", "folder"]
    archives: Distinct[Archive] = ()
    path: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=2000)] = NOWHERE
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    seed: Seed = 0
    train_images: Annotated[int, Field(ge=10, le=1_000_000)] | None = None
    test_images: Annotated[int, Field(ge=10, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def _images_are_somewhere(self) -> Self:
        if self.source == "folder" and not self.folder:
            raise ValueError("data.path must name the folder of your pictures: -S data.path=FOLDER")
        if self.source.startswith("cifar") and not (self.archives or self.folder):
            raise ValueError(
                f"data.archives must list an archive {{url, md5}} when source is {self.source}"
            )
        return self

    @property
    def folder(self) -> Path | None:
        """Where pictures, or unpacked files, are."""
        return None if self.path == NOWHERE else Path(self.path)

    def used(self) -> dict[str, Any]:
        """What the images depend on, but for where they lay on this machine."""
        split = () if self.source == "folder" else ("test_fraction", "seed")
        return self.model_dump(mode="json", exclude={"archives", "path", *split})


class Train(Section):
    """What all training runs share.

    Attributes:
        seeds: Every point of a grid is trained once for each.
        select_on: Which accuracy selects a run's best epoch: the test set's, as the study did, or
            that of a stratified part of the training set, ``validation_fraction``, held out.
        precision: fp32, or bf16 (autocast) for processors that have it.
        threads: CPU threads of one run; its bits depend on them, so they are not the machine's.
    """

    seeds: Values[Seed]
    select_on: Literal["test", "validation"]
    validation_fraction: Annotated[float, Field(gt=0, le=0.5)]
    precision: Literal["fp32", "bf16"]
    threads: Threads


class Augment(Section):
    """How a grid's training images are augmented; see ``data.augment.Augmentation``."""

    padding: Annotated[int, Field(ge=0, le=IMAGE_SIZE)]
    flip: Probability
    brightness: Probability
    contrast: Probability
    saturation: Probability
    hue: Annotated[float, Field(ge=0, le=0.5)]


class Grid(Section):
    """The runs of one network: all combinations of the listed values.

    Attributes:
        seeds: Instead of ``train.seeds``.
    """

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    augment: Augment
    lr: Values[Annotated[float, Field(gt=0, le=10)]]
    batch_size: Values[Annotated[int, Field(ge=2, le=50_000)]]
    momentum: Values[Fraction]
    l1_oc: Values[Annotated[int, Field(ge=1, le=1024)]]
    filter_multiplier: Values[Annotated[float, Field(gt=0, le=8)]]
    kernel_size: Values[Side]
    stride: Values[Side]
    dropout_rate: Values[Fraction]
    seeds: Values[Seed] | None = None

    def used(self) -> dict[str, Any]:
        """The section as results state it: seeds only where they are its own."""
        return self.model_dump(mode="json", exclude_none=True)

    def points(self) -> list[dict[str, float]]:
        """The grid's points in the study's order, the last key of ``AXES`` changing fastest."""
        values = [getattr(self, axis) for axis in AXES]
        return [dict(zip(AXES, point, strict=True)) for point in product(*values)]


class Evaluate(Section):
    """What the evaluate stage shows.

    Attributes:
        pairs: How many (true, predicted) pairs the gallery of misclassified images has.
        seed: Draws the augmentations of the test protocols.
    """

    pairs: Annotated[int, Field(ge=1, le=90)]
    images_per_pair: Annotated[int, Field(ge=1, le=50)]
    seed: Seed
    threads: Threads


class Analysis(Section):
    """What the three analyses share: whose best run is analyzed, with how many CPU threads."""

    net: Network
    threads: Threads


class Occlusion(Section):
    """The occlusion stage (study, part 2.1).

    Attributes:
        images: How many test images are drawn, by ``seed``, for confidence maps.
        window_sizes: Sides K of the gray window, in pixels.
        survey_images: Over how many test images the fall of confidence is measured.
        survey_stride: Step between the survey's window positions, in pixels.
    """

    images: Annotated[int, Field(ge=1, le=100)]
    window_sizes: Values[Side]
    survey_images: Count
    survey_stride: Side
    seed: Seed


class Explore(Section):
    """The explore stage: how many test images its page has, all of them if there are fewer."""

    images: Annotated[int, Field(ge=1, le=500)]


class Selecting(Section):
    """What a stage does to some filters of the analyzed network.

    Attributes:
        filters: How many of each convolution, from its first on (all, if it has fewer); or which,
            by their numbers from 0.
        convolutions: A number of filters applies to the first so many convolutions; null: to all.
    """

    filters: Filters
    convolutions: Count | None = None

    def used(self, chosen: Mapping[str, Sequence[int]]) -> dict[str, Any]:
        """The section as results state it: with the filters that were chosen, by convolution."""
        stated = self.model_dump(mode="json", exclude={"convolutions"})
        return {**stated, "filters": {layer: list(numbers) for layer, numbers in chosen.items()}}


class FilterAblation(Selecting):
    """The filter-ablation stage (study, part 2.2.2): ``filters`` are zeroed together.

    Attributes:
        newly_wrong: How many images, right before and wrong after, are shown.
        atlas_images: On how many test images each filter alone is ablated; null takes all.
    """

    newly_wrong: Annotated[int, Field(ge=1, le=100)]
    atlas_images: Count | None


class FilterIdentify(Selecting):
    """The filter-identify stage (study, part 2.2.1).

    Attributes:
        top_k: How many images with the largest responses are counted.
        shown: How many of them are drawn with their patches.
    """

    top_k: Count
    shown: Annotated[int, Field(ge=1, le=20)]

    @model_validator(mode="after")
    def _shown_are_among_the_top(self) -> Self:
        if self.shown > self.top_k:
            raise ValueError(f"shown ({self.shown}) must not exceed top_k ({self.top_k})")
        return self
