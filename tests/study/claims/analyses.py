"""Claims 14 to 20: files that agree with them, that do not, and that lack what they need."""

from tests.study.claims.folders import ABLATED, NET4, TOP_20, fails, holds


def windows(rows):
    return {"occlusion/params": NET4, "occlusion/by_window": f"window,mean_confidence\n{rows}"}


def confusion(cat, dog, car, ship="3,0,0,7"):
    return f"true,car,cat,dog,ship\ncar,{car}\ncat,{cat}\ndog,{dog}\nship,{ship}"


def ablation(before, after, filters=ABLATED, layers="conv1,280\nconv2,1000"):
    return {
        "filter-ablation/params": {**NET4, "filter_ablation": {"filters": filters}},
        "filter-ablation/atlas_by_layer": f"layer,filters\n{layers}",
        "filter-ablation/confusion_before": before,
        "filter-ablation/confusion_after": after,
    }


def accuracy(after, **others):
    """Of 200 images 190 are right before the ablation, and 100 more than ``after`` after it."""
    before, later = (f"true,0,1\n0,{right},{100 - right}\n1,0,100" for right in (90, after))
    return ablation(before, later, **others)


def groups(animals=2, vehicles=1, cat="0,7,2,1", dog="1,2,7,0", car="8,0,0,0"):
    """With so many animals taken for vehicles, and vehicles for animals, before the ablation."""
    matrix = confusion(cat, dog, car)
    rows = (
        f"true,predicted,before,after\nanimals,animals,9,1\nanimals,vehicles,{animals},1\n"
        f"vehicles,animals,{vehicles},5\nvehicles,vehicles,4,1"
    )
    return {**ablation(matrix, matrix), "filter-ablation/between_groups": rows}


def ungrouped():
    return {**groups(), "filter-ablation/between_groups": "true,predicted,before,after"}


def responses(rows, top_k=20):
    return {
        "filter-identify/params": {**TOP_20, "filter_identify": {"top_k": top_k}},
        "filter-identify/responses": f"filter,layer,mean,mean_per_pixel,dead\n{rows}",
    }


def conv1_and_5(mean, per_pixel=4, top_k=20):
    conv1 = f"conv1/0,conv1,{mean},{per_pixel},False\nconv1/1,conv1,6,1,False"
    return responses(f"{conv1}\nconv5/0,conv5,7,2,False", top_k)


def filters(number, dead=()):
    return responses("\n".join(f"conv1/{i},conv1,1,1,{i in dead}" for i in range(number)))


MOSTLY_CATS = confusion(cat="1,8,1,0", dog="0,9,1,0", car="1,6,2,1", ship="0,4,1,5")
JUDGED = [
    holds(14, windows("13,0.2\n3,0.9\n5,0.8")),
    fails(14, windows("3,0.9\n5,0.95\n13,0.2"), "goes from 0.9 (window 3) to 0.95 (window 5)"),
    holds(15, accuracy(88)),
    holds(15, accuracy(70)),
    fails(15, accuracy(89), "it costs 0.5 points"),
    fails(15, accuracy(68), "it costs 11 points"),
    fails(15, accuracy(95), "it gains 2.5 points"),
    holds(16, groups()),
    fails(16, groups(car="8,1,0,1"), "car and ship is as large a pair"),
    fails(16, groups(cat="0,7,0,1", dog="4,0,7,0"), "car and dog is as large a pair"),
    fails(16, groups(animals=9), "errors on animals are as often vehicles"),
    fails(16, groups(vehicles=5), "errors on vehicles are as often animals"),
    holds(17, groups()),
    fails(17, groups(vehicles=5), "there are no more"),
    holds(18, conv1_and_5(10)),
    fails(18, conv1_and_5(8), "conv5's is no lower"),
    fails(19, filters(10), "none is"),
    holds(
        17,
        {**groups(), "filter-ablation/confusion_after": MOSTLY_CATS},
        "after it 67.5 percent of all images are taken for cat, whatever they are",
    ),
    holds(
        18,
        conv1_and_5(10, per_pixel=2),
        "per pixel of the map, of which conv5 has fewer, it is no lower",
    ),
    holds(19, filters(10, dead=(3, 7)), "dead: conv1/3, conv1/7"),
]

UNMEASURED = [
    (14, windows("3,0.9"), "change occlusion.window_sizes"),
    (15, accuracy(80, filters={"conv1": [0]}), "the claim is about 10 of 1,280"),
    (15, accuracy(80, layers="conv1,60\nconv2,100"), "the claim is about 10 of 1,280"),
    (16, ungrouped(), "the data set has no animals and vehicles"),
    (17, ungrouped(), "the data set has no animals and vehicles"),
    (18, responses("conv1/0,conv1,10,9,False"), "has no filter of conv5"),
    (18, conv1_and_5(10, top_k=5), "has the top 5 images, the claim is about 20"),
    (19, filters(9, dead=(3,)), "has 9 filters"),
    (20, {}, "tests/test_pipeline.py"),
]

NUMBERS = [
    (15, accuracy(88), {"accuracy before": 0.95, "accuracy after": 0.94, "drop, points": 1.0}),
    (
        16,
        groups(cat="0,7,2,1", dog="1,5,7,0", car="8,1,0,1"),
        {
            "animals taken for animals": 9,
            "animals taken for vehicles": 2,
            "vehicles taken for animals": 1,
            "vehicles taken for vehicles": 4,
            "cat and dog": 7,
            "next pair": 4,
        },
    ),
    (17, groups(), {"before": 1, "after": 5}),
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
    (19, filters(10, dead=(3, 7)), {"dead filters": 2, "filters": 10}),
]
