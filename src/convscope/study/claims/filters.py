"""Claims 18, 19 and 41 to 43: what net4's filters respond to."""

from collections import Counter
from collections.abc import Container, Mapping
from math import comb

from convscope.study.claims.rule import Against, Finding, Margin, rule
from convscope.study.claims.sources import NotMeasuredError, Source, Study, columns
from convscope.study.claims.subject import NET, need_net4

STAGE, TOP = "filter-identify", 20
FIRST, FIFTH = LAYERS = ("conv1", "conv5")
BRIGHT, CERTAIN = 0.99, 0.05  # a correlation; a p-value


@rule(18, STAGE, grids=(NET,))
def responses_fall(source: Source) -> Finding:
    """The top 20 images' mean response per pixel is lower in convolution 5 than in convolution 1.

    filter-identify/responses.csv, of net4 with 20 top images in params.json: mean_per_pixel,
    averaged over the filters of conv5, is smaller than over those of conv1. The study compares
    mean, a sum over a map's pixels, of which conv5 has fewer: it is shown and does not decide.
    """
    _need_top_20(source)
    table = f"{STAGE}/responses"
    wanted = ["mean", "mean_per_pixel"]
    layers = columns(source, table, wanted, ["layer"]).groupby("layer")[wanted].mean()
    _need_layers(table, layers.index)
    numbers = {
        f"{layer}, {name}": float(layers[column][layer])
        for column, name in {"mean": "mean response", "mean_per_pixel": "per pixel"}.items()
        for layer in LAYERS
    }
    sums, pixels = ([float(layers[column][layer]) for layer in LAYERS] for column in wanted)
    turned = sums[1] < sums[0] and pixels[1] >= pixels[0]
    return Finding(
        numbers,
        {"conv5's is no lower": Margin(pixels[0] - pixels[1])},
        remark="summed over the map, of which conv5 has fewer pixels, it is lower"
        if turned
        else "",
        unit="per pixel",
    )


@rule(19, STAGE, grids=(NET,))
def filters_die(source: Source) -> Finding:
    """Of ten filters, two of each of five convolutions, at least one is dead.

    filter-identify/dead_by_layer.csv, of net4, with two filters of each of five convolutions in
    responses.csv: of two of each that chance draws, one or more are dead in more than half of all
    draws. Dead is a filter whose map no test image makes positive anywhere. Which of the selected
    ten are dead is shown, and decides for the study, which looked at ten.
    """
    need_net4(source, STAGE)
    responses = columns(source, f"{STAGE}/responses", ["dead"], ["filter"])
    drawn = Counter(name.partition("/")[0] for name in responses["filter"])
    if [*drawn.values()] != [2] * 5:
        raise NotMeasuredError(
            f"reports/{STAGE}/responses.csv does not have two filters of each of five "
            "convolutions: change filter_identify.filters and filter_identify.convolutions in "
            "params.yaml and run `dvc repro`"
        )
    dead = responses.loc[responses["dead"].astype(bool), "filter"].tolist()
    numbers: dict[str, float] = {"dead filters": len(dead), "filters": len(responses)}
    remark = f"dead: {', '.join(dead)}" if dead else ""
    if isinstance(source, Study):
        return Finding(numbers, {"none is": not dead}, remark)
    layers = columns(source, f"{STAGE}/dead_by_layer", ["filters", "dead_filters"], ["layer"])
    counts = layers[["layer", "filters", "dead_filters"]].itertuples(index=False)
    percent = 100 * _chance_of_dead({each: (int(n), int(d)) for each, n, d in counts}, drawn)
    every, of_all = int(layers["dead_filters"].sum()), int(layers["filters"].sum())
    numbers |= {
        "dead of all in these layers": every,
        "all in these layers": of_all,
        "random tens with a dead one, percent": percent,
    }
    rare = f"of ten that chance draws one or more are dead in {percent:.3g} percent of the draws"
    return Finding(numbers, {rare: Margin(percent - 50)}, remark, "percent of the draws")


@rule(41, STAGE, grids=(NET,))
def top_of_one_class(source: Source) -> Finding:
    """The top 20 images are more often of one class in convolution 5 than in convolution 1.

    filter-identify/class_frequency.csv, of net4 with 20 top images in params.json: the number of
    images of the commonest class, averaged over the filters of conv5, is larger than over those of
    conv1.
    """
    _need_top_20(source)
    name = f"{STAGE}/class_frequency"
    classes = [str(c) for c in source.table(name) if c not in ("filter", "max_class")]
    table = columns(source, name, classes, ["filter"])
    commonest = table[classes].max(axis=1).groupby(table["filter"].str.partition("/")[0]).mean()
    _need_layers(name, commonest.index)
    first, fifth = (float(commonest[layer]) for layer in LAYERS)
    numbers = {f"{FIRST}, images of one class": first, f"{FIFTH}, images of one class": fifth}
    return Finding(numbers, {"they are not": Margin(fifth - first)}, unit="images")


@rule(42, STAGE, grids=(NET,))
def maps_are_sparser(source: Source) -> Finding:
    """Feature maps are sparser in convolution 5 than in convolution 1.

    filter-identify/sparsity.csv, of net4: zero_share, the average percentage of zeros (Hu et al.,
    "Network Trimming", 2016), is larger for conv5 than for conv1. It is the share of the positions
    that ReLU leaves at 0, in the maps of all test images and of all filters of the layer. The study
    concludes it from the mean responses of the ten filters' top 20 images (claim 18), and prints no
    such number; the share in the maps of these images is shown, and does not decide.
    """
    need_net4(source, STAGE)
    name, wanted = f"{STAGE}/sparsity", {"all images": "zero_share", "top images": "top_zero_share"}
    layers = columns(source, name, [*wanted.values()], ["layer"]).set_index("layer")
    _need_layers(name, layers.index)
    numbers = {
        f"{layer}, zeros in percent, {of}": 100 * float(layers[column][layer])
        for of, column in wanted.items()
        for layer in LAYERS
    }
    first, fifth, *_ = numbers.values()
    return Finding(numbers, {"conv5's are no sparser": Margin(fifth - first)})


@rule(43, STAGE, grids=(NET,))
def measures_brightness(source: Source) -> Finding:
    """At least one filter of convolution 1 measures brightness.

    filter-identify/brightness.csv, of net4: the correlation of one filter's response with the mean
    of the pixels that it sees, over all positions of all test images, is above 0.99, so that less
    than 2 percent of its variance is about anything else; and brightness_by_chance.csv: of as many
    filters of random weights the highest is as high with p below 0.05, since neighboring pixels are
    alike. The study says of conv1/0 that it responds to bright white, and that its weights are much
    like a tensor of ones: cosine is how much; it is shown, and does not decide.
    """
    need_net4(source, STAGE)
    table = columns(source, f"{STAGE}/brightness", ["correlation", "cosine"], ["filter"])
    chance = columns(source, f"{STAGE}/brightness_by_chance", ["chance_highest", "p_value"])
    best = table["correlation"].argmax()
    name, highest, cosine = (table[column].tolist()[best] for column in table)
    p_value = float(chance["p_value"].iloc[0])
    numbers = {
        "highest correlation with brightness": highest,
        "its filter's likeness to ones, cosine": cosine,
        "highest of as many random filters, median": float(chance["chance_highest"].iloc[0]),
        "as high by chance, p": p_value,
    }
    against: Against = {
        f"the highest correlation is {highest:.3g}": Margin(highest - BRIGHT),
        f"random weights give one as high (p = {p_value:.2g})": p_value >= CERTAIN,
    }
    return Finding(numbers, against, f"the highest is {name}'s", "of correlation")


def _chance_of_dead(layers: Mapping[str, tuple[int, int]], drawn: Mapping[str, int]) -> float:
    """How likely so many filters of each layer, drawn without repeats, include a dead one.

    Of each layer the number of filters, and of dead ones.
    """
    alive = 1.0
    for layer, number in drawn.items():
        filters, dead = layers[layer]
        alive *= comb(filters - dead, number) / comb(filters, number)
    return 1 - alive


def _need_top_20(source: Source) -> None:
    need_net4(source, STAGE)
    top = source.params(STAGE).get("filter_identify", {}).get("top_k")
    if top != TOP:
        raise NotMeasuredError(
            f"reports/{STAGE} has the top {top} images, the claim is about {TOP}: set "
            f"filter_identify.top_k to {TOP} in params.yaml and run `dvc repro`"
        )


def _need_layers(table: str, layers: Container[object]) -> None:
    for layer in LAYERS:
        if layer not in layers:
            raise NotMeasuredError(
                f"reports/{table}.csv has no filter of {layer}: add one to "
                "filter_identify.filters in params.yaml and run `dvc repro`"
            )
