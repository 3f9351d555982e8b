"""Claims 18, 19 and 41 to 43: files that agree with them, do not, and lack what they need."""

from tests.study.claims.folders import NET4, TOP_20, fails, holds


def responses(rows, top_k=20):
    return {
        "filter-identify/params": {**TOP_20, "filter_identify": {"top_k": top_k}},
        "filter-identify/responses": f"filter,layer,mean,mean_per_pixel,dead\n{rows}",
    }


def conv1_and_5(mean, per_pixel=4, top_k=20):
    conv1 = f"conv1/0,conv1,{mean},{per_pixel},False\nconv1/1,conv1,6,1,False"
    return responses(f"{conv1}\nconv5/0,conv5,7,2,False", top_k)


def filters(number, dead=(), of_all="40,12", each=2):
    """So many filters, so many of each convolution; of each as many in all, and dead."""
    names = [f"conv{1 + i // each}/{i % each}" for i in range(number)]
    rows = "\n".join(f"{name},{name[:5]},1,1,{name in dead}" for name in names)
    every = (f"conv{i},{of_all if i == 1 else '40,0'}" for i in range(1, 6))
    layers = "\n".join(["layer,filters,dead_filters", *every])
    return {**responses(rows), "filter-identify/dead_by_layer": layers}


def frequency(*rows, top_k=20):
    lines = ["filter,car,cat,dog,max_class", *rows]
    return {
        "filter-identify/params": {**TOP_20, "filter_identify": {"top_k": top_k}},
        "filter-identify/class_frequency": "\n".join(lines),
    }


def sparsity(*rows):
    lines = ["layer,zero_share,top_zero_share", *rows]
    return {"filter-identify/params": NET4, "filter-identify/sparsity": "\n".join(lines)}


def brightness(*rows, chance="0.97,0.01"):
    lines = ["filter,correlation,cosine", *rows]
    return {
        "filter-identify/params": NET4,
        "filter-identify/brightness": "\n".join(lines),
        "filter-identify/brightness_by_chance": f"chance_highest,p_value\n{chance}",
    }


JUDGED = [
    holds(18, conv1_and_5(10)),
    # the study's way of counting, by sums, is not the claim's
    holds(18, conv1_and_5(8)),
    fails(
        18,
        conv1_and_5(10, per_pixel=2),
        "conv5's is no lower; summed over the map, of which conv5 has fewer pixels, it is lower",
    ),
    fails(18, conv1_and_5(8, per_pixel=3), "conv5's is no lower"),
    holds(19, filters(10, dead=("conv1/1", "conv4/0")), "dead: conv1/1, conv4/0"),
    # where 12 of 40 are dead, it is luck that neither of two is
    holds(19, filters(10)),
    fails(
        19,
        filters(10, dead=("conv1/1",), of_all="40,1"),
        "of ten that chance draws one or more are dead in 5 percent of the draws; dead: conv1/1",
    ),
    holds(41, frequency("conv1/0,7,7,6,car", "conv1/1,8,6,6,car", "conv5/0,1,1,18,dog")),
    fails(41, frequency("conv1/0,7,7,6,car", "conv5/0,6,7,7,cat"), "they are not"),
    # whatever the maps of the top images are, and of the layers between
    holds(42, sparsity("conv1,0.5,0.9", "conv3,0.75,0.1", "conv5,0.625,0.1")),
    fails(42, sparsity("conv1,0.5,0.1", "conv5,0.5,0.9"), "conv5's are no sparser"),
    holds(43, brightness("conv1/0,-1,-1", "conv1/1,0.995,0.75"), "the highest is conv1/1's"),
    fails(
        43,
        brightness("conv1/0,0.99,0.75", "conv1/1,-1,-1"),
        "the highest correlation is 0.99; the highest is conv1/0's",
    ),
    fails(
        43,
        brightness("conv1/0,0.995,0.75", chance="0.99,0.05"),
        "random weights give one as high (p = 0.05); the highest is conv1/0's",
    ),
]

UNMEASURED = [
    (18, responses("conv1/0,conv1,10,9,False"), "has no filter of conv5"),
    (18, conv1_and_5(10, top_k=5), "has the top 5 images, the claim is about 20"),
    (19, filters(9), "does not have two filters of each of five convolutions"),
    (19, filters(10, each=10), "does not have two filters of each"),
    (20, {}, "tests/test_pipeline.py"),
    (41, frequency("conv1/0,7,7,6,car"), "has no filter of conv5"),
    (42, sparsity("conv1,0.5,0.9", "conv2,0.5,0.9"), "has no filter of conv5"),
    (41, frequency("conv1/0,7,7,6,car", top_k=5), "has the top 5 images, the claim is about 20"),
]

NUMBERS = [
    (
        18,
        conv1_and_5(10),
        {
            "conv1, mean response": 8.0,
            "conv5, mean response": 7.0,
            "conv1, per pixel": 2.5,
            "conv5, per pixel": 2.0,
        },
    ),
    (
        19,
        filters(10, dead=("conv1/1",), of_all="40,1"),
        {
            "dead filters": 1,
            "filters": 10,
            "dead of all in these layers": 1,
            "all in these layers": 200,
            "random tens with a dead one, percent": 5.0,
        },
    ),
    (
        41,
        frequency("conv1/0,7,7,6,car", "conv1/1,8,6,6,car", "conv5/0,1,1,18,dog"),
        {"conv1, images of one class": 7.5, "conv5, images of one class": 18.0},
    ),
    (
        42,
        sparsity("conv1,0.5,0.875", "conv5,0.625,0.25"),
        {
            "conv1, zeros in percent, all images": 50.0,
            "conv5, zeros in percent, all images": 62.5,
            "conv1, zeros in percent, top images": 87.5,
            "conv5, zeros in percent, top images": 25.0,
        },
    ),
    (
        43,
        brightness("conv1/0,-1,-1", "conv1/1,0.995,0.75"),
        {
            "highest correlation with brightness": 0.995,
            "its filter's likeness to ones, cosine": 0.75,
            "highest of as many random filters, median": 0.97,
            "as high by chance, p": 0.01,
        },
    ),
]
