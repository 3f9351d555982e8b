import pytest

from convscope.tracking import descriptions

ANALYSIS = {"analysis": {"net": "net3"}}


@pytest.mark.parametrize(
    ("stage", "params", "metrics", "text"),
    [
        (
            "download",
            {},
            {"train_images": 50000, "test_images": 10000},
            "The data set that all other stages use. 50,000 training and 10,000 test images.",
        ),
        (
            "evaluate",
            {},
            {"net1_test_accuracy": 0.6704, "net10_test_accuracy": 0.7},
            "The best run of each network on all test images. Accuracies: net1 67.04%, "
            "net10 70.00%.",
        ),
        (
            "occlusion",
            ANALYSIS,
            {"clean_confidence": 0.96731, "confidence_3": 0.9, "confidence_13": 0.7528},
            "Gray windows slid over test images of the best net3. Its mean confidence in the true "
            "class is 0.967 without a window, and 0.753 under one of 13 pixels a side.",
        ),
        (
            "filter-ablation",
            {**ANALYSIS, "filter_ablation": {"filters": {"conv1": [0, 1], "conv2": [5]}}},
            {"accuracy_before": 0.5, "accuracy_after": 0.25, "newly_misclassified": 1234.0},
            "The best net3 with filters at zero, some together and each alone. With 3 filters at "
            "zero the test accuracy goes from 50.00% to 25.00%, and 1,234 more images are taken "
            "for another class.",
        ),
        (
            "filter-identify",
            ANALYSIS,
            {"filters": 10, "dead_filters": 2},
            "What single filters of the best net3 respond to. Of 10 filters that were looked at, "
            "2 respond to no test image.",
        ),
        (
            "explore",
            ANALYSIS,
            {"images": 1200, "kilobytes": 2305.269},
            "The best net3, live on a page: reports/explore.html. It shows 1,200 images.",
        ),
        (
            "report",
            {},
            {"held": 6, "failed": 5, "unmeasured": 9},
            "The study's page, and its findings judged by what was measured. 6 hold, 5 do not, and "
            "9 were not measured.",
        ),
        ("occlusion", ANALYSIS, {"mean": 0.25}, "The stage occlusion. It measured mean 0.25."),
        ("added", {}, {"a": 1, "b": 0.123456789}, "The stage added. It measured a 1, b 0.123457."),
        ("added", {}, {"ok": True}, "The stage added."),
    ],
)
def test_a_stage_in_two_sentences(stage, params, metrics, text):
    assert descriptions.of_stage(stage, params, metrics) == text


RUN = {
    "net": "net2",
    "point": {"lr": 0.01, "l1_oc": 6, "seed": 0},
    "settings": {"epochs": 30},
    "best": {"epoch": 28, "test_accuracy": 0.7503},
    "total_parameters": 4870654,
}


def test_a_grid_and_its_points_in_two_sentences():
    params = {"net": {"epochs": 30, "lr": [0.01], "l1_oc": [6, 12], "kernel_size": [3, 5]}}
    best = "is right on 75.03% of the test images after epoch 28, with 4,870,654 parameters."
    assert descriptions.of_grid("net2", 4, params, RUN) == (
        f"The grid of net2 over l1_oc 6, 12; kernel_size 3, 5: 4 runs. The best run {best}"
    )
    assert (
        descriptions.of_grid("net2", 1, {}, RUN) == f"The grid of net2: 1 run. The best run {best}"
    )
    assert descriptions.of_point(RUN) == (
        f"A run of net2 with lr 0.01, l1_oc 6, seed 0, trained for 30 epochs. It {best}"
    )


def test_confidences_are_by_window_size_and_nothing_else_is_among_them():
    metrics = {"clean_confidence": 0.9, "confidence_3": 0.8, "confidence_of": 1, "other_5": 0.1}
    assert descriptions.window_confidences(metrics) == {3: 0.8}
