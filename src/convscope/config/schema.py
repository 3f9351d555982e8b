"""The sections of params.yaml: typed, frozen, unknown keys refused."""

from itertools import product
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from convscope.base.axes import AXES
from convscope.nets import zoo
from convscope.nets.layers import IMAGE_SIZE

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Side = Annotated[int, Field(ge=1, le=IMAGE_SIZE)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Index = Annotated[int, Field(ge=0, le=100_000)]
Convolution = Annotated[str, Field(pattern=r"^conv[1-9][0-9]?$")]
Filters = Annotated[
    dict[Convolution, Annotated[tuple[Index, ...], Field(min_length=1)]], Field(min_length=1)
]


class Section(BaseModel):
    """A section of params.yaml: typed strictly, immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _tuples(cls, value: Any) -> Any:
        """YAML has lists where the sections have tuples."""
        return tuple(value) if isinstance(value, list) else value

    @field_validator("*")
    @classmethod
    def _no_doubles(cls, value: Any) -> Any:
        lists = value.values() if isinstance(value, dict) else [value]
        for items in lists:
            if isinstance(items, tuple) and len(set(items)) < len(items):
                raise ValueError("lists a value twice")
        return value


class Archive(Section):
    """Where an archive is, and the md5 of its bytes."""

    url: Annotated[str, Field(pattern=r"^(https?|file):[^\x00-\x1f\x7f]*$", max_length=2000)]
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Data(Section):
    """Which images: the digits of scikit-learn, or CIFAR-10 from the first archive that works.

    Attributes:
        source: The data set.
        archives: CIFAR-10 archives, tried in order.
        train_images: Take the first so many training images; null takes all.
        test_images: Likewise for the test images.
    """

    source: Literal["digits", "cifar10"]
    archives: tuple[Archive, ...] = ()
    train_images: Annotated[int, Field(ge=10, le=50_000)] | None = None
    test_images: Annotated[int, Field(ge=10, le=10_000)] | None = None

    @model_validator(mode="after")
    def _archives_where_needed(self) -> Self:
        if self.source == "cifar10" and not self.archives:
            raise ValueError("data.archives must list an archive {url, md5} when source is cifar10")
        return self


class Train(Section):
    """What all training runs share.

    Attributes:
        seeds: Every point of a grid is trained once for each.
        select_on: Which accuracy chooses a run's best epoch: the test set's, as the study did, or
            that of a stratified part of the training set that is held out.
        validation_fraction: The size of that part.
        precision: fp32, or bf16 (autocast) for processors that have it.
        threads: CPU threads of one run; its bits depend on them, so they are not the machine's.
    """

    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    select_on: Literal["test", "validation"]
    validation_fraction: Annotated[float, Field(gt=0, le=0.5)]
    precision: Literal["fp32", "bf16"]
    threads: Annotated[int, Field(ge=1, le=64)]


class Grid(Section):
    """The runs of one network: all combinations of the listed values.

    Attributes:
        epochs: Epochs of every run.
        augment: Whether training images are randomly cropped, flipped and color-jittered.
        lr: Learning rates; the other lists likewise hold a point's possible values.
    """

    epochs: Annotated[int, Field(ge=1, le=10_000)]
    augment: bool
    lr: Annotated[tuple[Annotated[float, Field(gt=0, le=10)], ...], Field(min_length=1)]
    batch_size: Annotated[tuple[Annotated[int, Field(ge=2, le=50_000)], ...], Field(min_length=1)]
    momentum: Annotated[tuple[Annotated[float, Field(ge=0, lt=1)], ...], Field(min_length=1)]
    l1_oc: Annotated[tuple[Annotated[int, Field(ge=1, le=1024)], ...], Field(min_length=1)]
    filter_multiplier: Annotated[
        tuple[Annotated[float, Field(gt=0, le=8)], ...], Field(min_length=1)
    ]
    kernel_size: Annotated[tuple[Side, ...], Field(min_length=1)]
    stride: Annotated[tuple[Side, ...], Field(min_length=1)]
    dropout_rate: Annotated[tuple[Annotated[float, Field(ge=0, lt=1)], ...], Field(min_length=1)]

    def points(self) -> list[dict[str, float]]:
        """The grid's points in the study's order, the last key of ``AXES`` changing fastest."""
        values = [getattr(self, axis) for axis in AXES]
        return [dict(zip(AXES, point, strict=True)) for point in product(*values)]


class Evaluate(Section):
    """What the evaluate stage shows.

    Attributes:
        pairs: How many (true, predicted) pairs the gallery of misclassified images has.
        images_per_pair: How many images of each.
        seed: Draws the augmentations of the test protocols.
        threads: CPU threads.
    """

    pairs: Annotated[int, Field(ge=1, le=90)]
    images_per_pair: Annotated[int, Field(ge=1, le=50)]
    seed: Seed
    threads: Annotated[int, Field(ge=1, le=64)]


class Analysis(Section):
    """What the three analyses share: whose best run is analyzed, with how many CPU threads."""

    net: str
    threads: Annotated[int, Field(ge=1, le=64)]

    @field_validator("net")
    @classmethod
    def _known(cls, net: str) -> str:
        if net not in zoo.NETS:
            raise ValueError(f"is not a network; known: {', '.join(zoo.NETS)}")
        return net


class Occlusion(Section):
    """The occlusion stage (study, part 2.1).

    Attributes:
        images: How many test images are drawn for confidence maps.
        window_sizes: Sides K of the gray window, in pixels.
        survey_images: Over how many test images the fall of confidence is measured.
        survey_stride: Step between the survey's window positions, in pixels.
        seed: Draws the images.
    """

    images: Annotated[int, Field(ge=1, le=100)]
    window_sizes: Annotated[tuple[Side, ...], Field(min_length=1)]
    survey_images: Count
    survey_stride: Side
    seed: Seed


class FilterAblation(Section):
    """The filter-ablation stage (study, part 2.2.2).

    Attributes:
        filters: Convolution to the filters whose weights are zeroed together.
        newly_wrong: How many images, right before and wrong after, are shown.
        atlas_images: On how many test images every filter is ablated alone; null takes all.
    """

    filters: Filters
    newly_wrong: Annotated[int, Field(ge=1, le=100)]
    atlas_images: Count | None

    @field_validator("filters", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return _tuple_values(value)


class FilterIdentify(Section):
    """The filter-identify stage (study, part 2.2.1).

    Attributes:
        filters: Convolution to the filters that are identified.
        top_k: How many images with the largest responses are counted.
        shown: How many of them are drawn with their patches.
    """

    filters: Filters
    top_k: Count
    shown: Annotated[int, Field(ge=1, le=20)]

    @field_validator("filters", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return _tuple_values(value)

    @model_validator(mode="after")
    def _shown_are_among_the_top(self) -> Self:
        if self.shown > self.top_k:
            raise ValueError(f"shown ({self.shown}) must not exceed top_k ({self.top_k})")
        return self


def _tuple_values(value: Any) -> Any:
    """A mapping whose lists became tuples; anything else as it is, for pydantic to refuse."""
    if not isinstance(value, dict):
        return value
    return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}
