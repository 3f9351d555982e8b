import pytest

from tests.study.claims.folders import ABLATED, NET4, TOP_20, judged

CLASSES = ["car", "cat", "dog", "ship"]


def windows(rows):
    return {
        "occlusion/params": NET4,
        "occlusion/by_window": f"window,mean_confidence\n{rows}",
    }


def test_14_confidence_falls_at_every_step(tmp_path):
    assert judged(tmp_path, 14, windows("13,0.2\n3,0.9\n5,0.8")).verdict == "holds"
    claim = judged(tmp_path, 14, windows("3,0.9\n5,0.95\n13,0.2"))
    assert (claim.verdict, claim.why) == (
        "does not hold",
        "goes from 0.9 (window 3) to 0.95 (window 5)",
    )
    claim = judged(tmp_path, 14, windows("3,0.9"))
    assert claim.verdict == "not measured"
    assert "change occlusion.window_sizes" in claim.why


def confusion(cat, dog, car="8,1,0,1", ship="3,0,0,7"):
    return f"true,{','.join(CLASSES)}\ncar,{car}\ncat,{cat}\ndog,{dog}\nship,{ship}"


def ablation(before, after, filters=ABLATED, layers="conv1,280\nconv2,1000"):
    return {
        "filter-ablation/params": {**NET4, "filter_ablation": {"filters": filters}},
        "filter-ablation/atlas_by_layer": f"layer,filters\n{layers}",
        "filter-ablation/confusion_before": before,
        "filter-ablation/confusion_after": after,
    }


def two_by_two(right):
    return f"true,0,1\n0,{right},{100 - right}\n1,0,100"


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (88, ""),
        (70, ""),
        (89, "it costs 0.5 points"),
        (68, "it costs 11 points"),
        (95, "it gains 2.5 points"),
    ],
)
def test_15_ten_filters_cost_one_to_ten_points(after, why, tmp_path):
    claim = judged(tmp_path, 15, ablation(two_by_two(90), two_by_two(after)))
    assert (claim.verdict, claim.why) == ("does not hold" if why else "holds", why)
    assert claim.measured["accuracy before"] == 0.95
    assert claim.measured["drop, points"] == (90 - after) / 2


@pytest.mark.parametrize(
    "changed", [{"filters": {"conv1": [0]}}, {"layers": "conv1,60\nconv2,100"}]
)
def test_15_needs_ten_of_1280(changed, tmp_path):
    claim = judged(tmp_path, 15, ablation(two_by_two(90), two_by_two(80), **changed))
    assert claim.verdict == "not measured"
    assert "the claim is about 10 of 1,280" in claim.why


def groups(rows):
    return {"filter-ablation/between_groups": f"true,predicted,before,after\n{rows}"}


HELD = "animals,animals,9,1\nanimals,vehicles,2,1\nvehicles,animals,1,5\nvehicles,vehicles,4,1"


def before(rows=HELD, **rows_of_matrix):
    matrix = confusion(**{"cat": "0,7,2,1", "dog": "1,2,7,0", **rows_of_matrix})
    return {**ablation(matrix, matrix), **groups(rows)}


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (before(car="8,0,0,0"), ""),
        (before(), "car and ship is as large a pair"),
        (before(cat="0,7,0,1", dog="4,0,7,0", car="8,0,0,0"), "car and dog is as large a pair"),
        (
            before(HELD.replace("animals,vehicles,2", "animals,vehicles,9"), car="8,0,0,0"),
            "errors on animals are as often vehicles",
        ),
        (
            before(HELD.replace("vehicles,animals,1", "vehicles,animals,5"), car="8,0,0,0"),
            "errors on vehicles are as often animals",
        ),
    ],
)
def test_16_errors_stay_in_their_group_and_cat_and_dog_is_the_largest_pair(files, why, tmp_path):
    claim = judged(tmp_path, 16, files)
    assert (claim.verdict, claim.why) == ("does not hold" if why else "holds", why)


def test_16_counts_a_pair_both_ways(tmp_path):
    measured = judged(tmp_path, 16, before(cat="0,7,2,1", dog="1,5,7,0")).measured
    assert (measured["cat and dog"], measured["next pair"]) == (7, 4)
    assert measured["animals taken for vehicles"] == 2


def test_16_and_17_need_animals_and_vehicles(tmp_path):
    for number in (16, 17):
        claim = judged(tmp_path, number, before(""))
        assert claim.verdict == "not measured"
        assert claim.why.startswith("the data set has no animals and vehicles")


def test_17_more_vehicles_are_taken_for_animals(tmp_path):
    claim = judged(tmp_path, 17, before())
    assert (claim.verdict, claim.measured) == ("holds", {"before": 1, "after": 5})
    files = before(HELD.replace("vehicles,animals,1,5", "vehicles,animals,5,5"))
    assert judged(tmp_path, 17, files).verdict == "does not hold"


def test_17_says_when_the_network_takes_most_images_for_one_class(tmp_path):
    files = before()
    assert judged(tmp_path, 17, files).why == ""
    files["filter-ablation/confusion_after"] = confusion(
        cat="1,8,1,0", dog="0,9,1,0", car="1,6,2,1", ship="0,4,1,5"
    )
    claim = judged(tmp_path, 17, files)
    assert claim.verdict == "holds"
    assert claim.why == "after it 67.5 percent of all images are taken for cat, whatever they are"


def responses(rows):
    return {
        "filter-identify/params": TOP_20,
        "filter-identify/responses": f"filter,layer,mean,mean_per_pixel,dead\n{rows}",
    }


def test_18_the_last_layer_responds_less_than_the_first(tmp_path):
    rows = "conv1/0,conv1,{},4,False\nconv1/1,conv1,6,1,False\nconv5/0,conv5,7,2,False"
    claim = judged(tmp_path, 18, responses(rows.format(10)))
    assert (claim.verdict, claim.why) == ("holds", "")
    assert claim.measured == {
        "conv1, mean response": 8.0,
        "conv5, mean response": 7.0,
        "conv1, per pixel": 2.5,
        "conv5, per pixel": 2.0,
    }
    assert judged(tmp_path, 18, responses(rows.format(8))).verdict == "does not hold"
    claim = judged(tmp_path, 18, responses("conv1/0,conv1,10,9,False"))
    assert claim.verdict == "not measured"
    assert "has no filter of conv5" in claim.why


def test_18_says_where_pixels_and_not_responses_are_fewer(tmp_path):
    claim = judged(tmp_path, 18, responses("conv1/0,conv1,8,0.5,False\nconv5/0,conv5,7,0.6,False"))
    assert claim.verdict == "holds"
    assert claim.why == "per pixel of the map, of which conv5 has fewer, it is no lower"


def test_18_needs_the_top_20(tmp_path):
    top_5 = {"filter-identify/params": {**TOP_20, "filter_identify": {"top_k": 5}}}
    rows = "conv1/0,conv1,10,9,False\nconv5/0,conv5,7,9,False"
    claim = judged(tmp_path, 18, {**responses(rows), **top_5})
    assert claim.verdict == "not measured"
    assert "has the top 5 images, the claim is about 20" in claim.why


def ten(dead):
    return "\n".join(f"conv1/{i},conv1,1,1,{i in dead}" for i in range(10))


def test_19_one_dead_filter_is_enough(tmp_path):
    claim = judged(tmp_path, 19, responses(ten([3, 7])))
    assert (claim.verdict, claim.why) == ("holds", "dead: conv1/3, conv1/7")
    assert claim.measured == {"dead filters": 2, "filters": 10}
    assert judged(tmp_path, 19, responses(ten([]))).verdict == "does not hold"


def test_19_needs_ten_filters(tmp_path):
    claim = judged(tmp_path, 19, responses(ten([3]).rpartition("\n")[0]))
    assert claim.verdict == "not measured"
    assert "has 9 filters" in claim.why


def test_20_one_run_cannot_show_it(tmp_path):
    claim = judged(tmp_path, 20, {})
    assert (claim.verdict, claim.measured) == ("not measured", {})
    assert "tests/test_pipeline.py" in claim.why
