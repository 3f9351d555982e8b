import pytest

from convscope.study import published


@pytest.mark.parametrize("name", published.KEYS)
def test_the_keys_tell_the_rows_of_every_table_apart(name):
    table, keys = published.table(name), list(published.KEYS[name])
    assert len(table) >= 1
    assert not table[keys].duplicated().any() if keys else len(table) == 1


def test_a_table_holds_the_printed_numbers():
    table = published.table("train/net1/by_kernel_size_stride")
    assert table.loc[1].to_dict() == {
        "kernel_size": 3,
        "stride": 2,
        "loss": 1.621003,
        "train_accuracy": 0.403468,
        "test_accuracy": 0.392318,
    }
    best = published.table("evaluate/best").set_index("net")["test_accuracy"]
    assert best.to_dict() == {"net1": 0.6704, "net2": 0.7503, "net3": 0.875, "net4": 0.8874}
    above = published.table("train/net4/overfit_above")
    assert above[["test_accuracy_above", "overfit_percent"]].values.tolist() == [[0.88, 8.13]]


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("train/net3/by_l1_oc", ["test_accuracy", "overfit_percent"]),
        ("train/net4/best_study", ["test_accuracy", "overfit_percent"]),
        ("train/net4/overfit_above", ["overfit_percent"]),
        ("evaluate/best", ["test_accuracy", "overfit_percent"]),
        ("train/net2/best", []),
    ],
)
def test_what_the_study_measured_its_own_way_is_there_under_that_name_too(name, columns):
    table, own = published.table(name), {"test_accuracy": "study_accuracy"}
    own["overfit_percent"] = "study_overfit_percent"
    assert [usual for usual in own if own[usual] in table] == columns
    for usual in columns:
        assert table[own[usual]].equals(table[usual].rename(own[usual]))


def test_the_best_by_the_study_s_way_is_the_best_that_it_published():
    best = published.table("train/net3/best_study")
    assert best.equals(published.table("train/net3/best"))
    assert best[["epoch", "study_accuracy"]].values.tolist() == [[42, 0.875]]


def test_the_class_table_is_recomputed_from_the_matrices():
    recomputed = published.table("filter-ablation/class_accuracy").set_index("class")
    assert recomputed.loc["ship"].tolist() == pytest.approx([94.1, 82.7, 11.4])
    assert recomputed.loc["overall"].tolist() == pytest.approx([89.86, 86.94, 2.92])
    printed = published.printed_class_accuracy().set_index("class")
    assert printed.loc["ship"].tolist() == [100, 81, 19]
    assert list(printed.index) == list(recomputed.index)


def test_matrices_and_errors_between_groups():
    before = published.table("filter-ablation/confusion_before").set_index("true")
    difference = published.table("filter-ablation/confusion_difference").set_index("true")
    assert before.loc["cat", "dog"] == 102
    assert (difference.loc["ship", "ship"], difference.loc["ship", "truck"]) == (114, -1)
    groups = published.table("filter-ablation/between_groups").set_index(["true", "predicted"])
    # counted by hand in the printed matrices: the rows of plane, car, ship and truck
    assert groups.loc[("vehicles", "animals"), "before"] == 37 + 11 + 11 + 11
    assert groups.loc[("vehicles", "animals"), "after"] == 122 + 57 + 98 + 71
    assert groups["before"].sum() == 10_000 - 8986


def test_filters():
    frequency = published.table("filter-identify/class_frequency").set_index("filter")
    assert frequency["max_class"].tolist() == [
        *("plane", "deer", "cat", "bird", "cat"),
        *("plane", "ship", "dog", "deer", "cat"),
    ]
    responses = published.table("filter-identify/responses")
    assert responses.loc[responses["dead"], "filter"].tolist() == ["conv2/1"]
    assert responses["layer"].tolist()[::2] == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    patches = published.table("filter-identify/patch_sizes")
    assert patches["patch_size"].tolist() == [3, 5, 7, 13, 17]


def test_a_table_that_the_study_does_not_have():
    with pytest.raises(KeyError, match="occlusion/by_window"):
        published.table("occlusion/by_window")
