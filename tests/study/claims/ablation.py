"""Claims 15 to 17 and 33 to 37: files that agree with them, do not, and lack what they need."""

from tests.study.claims.folders import ABLATED, NET4, fails, holds

COLUMNS = (
    *("drop_points", "vehicles_as_animals", "animals_as_vehicles"),
    *("cat_dog_mixed_up", "vehicles_drop_points", "animals_drop_points"),
)
CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def confusion(cat, dog, car, ship="3,0,0,7"):
    return f"true,car,cat,dog,ship\ncar,{car}\ncat,{cat}\ndog,{dog}\nship,{ship}"


def random_sets(*drops, **columns):
    """A set for each drop in points, with the other columns' values, which are 0 if left out."""
    found = {name: [0] * len(drops) for name in COLUMNS} | {"drop_points": drops} | columns
    rows = zip(*(found[name] for name in COLUMNS), strict=True)
    lines = [",".join(map(str, (number, "a", *row))) for number, row in enumerate(rows, 1)]
    return "\n".join([",".join(("set", "filters", *COLUMNS)), *lines])


SETS = random_sets(4, vehicles_as_animals=[70])


def ablation(before, after, filters=ABLATED, layers="conv1,280\nconv2,1000", sets=SETS):
    return {
        "filter-ablation/random_sets": sets,
        "filter-ablation/params": {**NET4, "filter_ablation": {"filters": filters}},
        "filter-ablation/atlas_by_layer": f"layer,filters\n{layers}",
        "filter-ablation/confusion_before": before,
        "filter-ablation/confusion_after": after,
    }


def accuracy(after, **others):
    """Of 200 images 190 are right before the ablation, and 100 more than ``after`` after it."""
    before, later = (f"true,0,1\n0,{right},{100 - right}\n1,0,100" for right in (90, after))
    return ablation(before, later, **others)


def groups(
    animals=20,
    vehicles=10,
    cat="0,7,2,1",
    dog="1,2,7,0",
    car="8,0,0,0",
    within=(90, 40),
    animals_after=10,
    sets=SETS,
):
    """With so many animals taken for vehicles, and vehicles for animals, before the ablation."""
    matrix = confusion(cat, dog, car)
    rows = (
        f"true,predicted,before,after\nanimals,animals,{within[0]},1\n"
        f"animals,vehicles,{animals},{animals_after}\n"
        f"vehicles,animals,{vehicles},50\nvehicles,vehicles,{within[1]},1"
    )
    return {**ablation(matrix, matrix, sets=sets), "filter-ablation/between_groups": rows}


def ungrouped():
    return {**groups(), "filter-ablation/between_groups": "true,predicted,before,after"}


def ten(**errors):
    """A confusion of ten classes with 100 images each: cat_dog=5 takes five cats for dogs."""
    cells = {tuple(pair.split("_")): count for pair, count in errors.items()}
    rows = ["true," + ",".join(CLASSES)]
    for true in CLASSES:
        wrong = sum(count for (of, _), count in cells.items() if of == true)
        counts = [100 - wrong if true == to else cells.get((true, to), 0) for to in CLASSES]
        rows.append(",".join([true, *map(str, counts)]))
    return "\n".join(rows)


def change(before, after, **others):
    return ablation(ten(**before), ten(**after), **others)


def mixed(after, random):
    """Cats and dogs taken for each other: 5 before, and so many after, by set of filters."""
    sets = random_sets(*[1] * len(random), cat_dog_mixed_up=random)
    return change({"cat_dog": 2, "dog_cat": 3}, {"dog_cat": after}, sets=sets)


def lost(ship, dog, vehicles, animals):
    """What the selected filters cost ships and dogs, of 100 each, and others the groups."""
    sets = random_sets(
        *[1] * len(vehicles), vehicles_drop_points=vehicles, animals_drop_points=animals
    )
    return change({}, {"ship_cat": ship, "dog_cat": dog}, sets=sets)


NO_LONGER_WORKS = "after the ablation net4 no longer works: its accuracy falls by 36.8 points"
JUDGED = [
    # whatever the first two filters of each layer cost
    holds(15, accuracy(89, sets=random_sets(1, 1, 30))),
    holds(15, accuracy(68, sets=random_sets(10))),
    fails(15, accuracy(88, sets=random_sets(0.5, 0.5, 30)), "it costs 0.5 points"),
    fails(15, accuracy(88, sets=random_sets(11)), "it costs 11 points"),
    fails(15, accuracy(88, sets=random_sets(-2.5)), "it gains 2.5 points"),
    holds(16, groups()),
    fails(16, groups(car="8,1,0,1"), "car and ship is as large a pair"),
    fails(16, groups(cat="0,7,0,1", dog="4,0,7,0"), "car and dog is as large a pair"),
    fails(
        16,
        groups(animals=90),
        "errors on animals are as often vehicles; "
        "errors on animals stay as often by chance (p = 0.94)",
    ),
    # five of the nine other classes are animals
    fails(
        16,
        groups(animals=40, within=(55, 40)),
        "errors on animals stay as often by chance (p = 0.36)",
    ),
    # most, and above chance, which is a third
    fails(16, groups(vehicles=40), "errors on vehicles are as often animals"),
    # few errors prove little
    fails(
        16,
        groups(vehicles=1, within=(90, 2)),
        "errors on vehicles stay as often by chance (p = 0.26)",
    ),
    holds(17, groups()),
    holds(17, groups(sets=random_sets(1, 1, 30, vehicles_as_animals=[11, 11, 0]))),
    # though after the ablation of the first two of each layer there are 50
    fails(
        17,
        groups(sets=random_sets(1, 1, 30, vehicles_as_animals=[10, 10, 90])),
        "there are no more",
    ),
    holds(33, change({"plane_bird": 3, "bird_plane": 2, "dog_car": 4, "cat_dog": 9}, {})),
    fails(33, change({"plane_bird": 3, "dog_car": 3}, {}), "car and dog is as large a pair"),
    holds(34, change({"cat_dog": 9, "bird_deer": 8}, {})),
    fails(34, change({"cat_dog": 9, "bird_deer": 9}, {}), "bird is as low"),
    # so it is of the claims after it: the selected filters would say the opposite
    holds(
        35,
        groups(
            animals_after=20,
            sets=random_sets(1, 2, 3, animals_as_vehicles=[19, 19, 90]),
        ),
    ),
    fails(35, groups(sets=random_sets(1, animals_as_vehicles=[20])), "there are no fewer"),
    holds(36, mixed(after=5, random=[6, 6, 0])),
    fails(36, mixed(after=6, random=[5, 5, 90]), "they are not"),
    holds(37, lost(ship=8, dog=12, vehicles=[2, 3, 0], animals=[1, 2, 9])),
    fails(37, lost(ship=8, dog=11, vehicles=[2, 3, 0], animals=[2, 3, -1]), "it does not"),
    # and whether the network works, the random sets say
    holds(36, mixed(after=90, random=[6, 6, 0])),
]

UNMEASURED = [
    (15, accuracy(80, filters={"conv1": [0]}), "the claim is about 10 of 1,280"),
    (15, accuracy(80, layers="conv1,60\nconv2,100"), "the claim is about 10 of 1,280"),
    (16, ungrouped(), "the data set has no animals and vehicles"),
    (16, {**groups(), **accuracy(88)}, "the data set has no classes cat and dog"),
    (17, ungrouped(), "the data set has no animals and vehicles"),
    # a network that takes everything for a cat takes vehicles for animals too
    *((number, groups(sets=random_sets(36.8)), NO_LONGER_WORKS) for number in (17, 35, 36)),
    (37, change({}, {}, sets=random_sets(1, 36.8, 40)), NO_LONGER_WORKS),
    (33, groups(), "the data set has no animals and vehicles"),
    (34, groups(), "the data set has no animals and vehicles"),
]

NUMBERS = [
    (
        15,
        accuracy(88, sets=random_sets(1, 3, 30)),
        {
            "accuracy before": 0.95,
            "accuracy after": 0.94,
            "drop, points": 1.0,
            "random sets, median drop in points": 3.0,
            "random sets, least drop in points": 1.0,
            "random sets, most drop in points": 30.0,
        },
    ),
    (
        17,
        groups(),
        {
            "before": 10,
            "after": 50,
            "random sets, median after": 70.0,
            "random sets, least after": 70.0,
            "random sets, most after": 70.0,
        },
    ),
    (33, change({"plane_bird": 3, "dog_car": 2}, {}), {"plane and bird": 3, "next pair": 2}),
    (34, change({"cat_dog": 9, "bird_deer": 8}, {}), {"cat": 0.91, "next lowest class": 0.92}),
    (
        36,
        mixed(after=6, random=[7, 8, 12]),
        {
            "before": 5,
            "after": 6,
            "random sets, median after": 8.0,
            "random sets, least after": 7.0,
            "random sets, most after": 12.0,
        },
    ),
    (
        37,
        lost(ship=8, dog=9, vehicles=[2, 3, 6], animals=[1, 4, 1]),
        {
            "animals, drop in points": 1.5,
            "vehicles, drop in points": 2.0,
            "random sets, median points more of vehicles": 1.0,
            "random sets, least points more of vehicles": -1.0,
            "random sets, most points more of vehicles": 5.0,
        },
    ),
]
