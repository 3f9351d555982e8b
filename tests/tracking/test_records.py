from convscope.tracking import records


def test_flatten_joins_keys_by_dots_and_keeps_lists_whole():
    nested = {"a": {"b": {"c": 1e-05}, "d": [1, 2]}, "e": None, "f": "text", "g": True}
    expected = {"a.b.c": "1e-05", "a.d": "[1, 2]", "e": "null", "f": "text", "g": "true"}
    assert records.flatten(nested) == expected


def test_an_epoch_s_metrics_are_the_usual_ones_and_what_is_measured_of_some_grids():
    usual = dict.fromkeys(records.EPOCH_METRICS, 0.5)
    row = {"run": 1, "epoch": 3, **usual, "total_parameters": 9, "lr": 0.1}
    named = [f"epoch/{key}" for key in usual]
    assert list(records.epoch_series([row])) == named
    studied = {"study_accuracy": 0.25, "study_overfit_percent": 25.0}
    found = records.epoch_series([row | studied, row | studied | {"epoch": 4}])
    assert list(found) == [*named, "epoch/study_accuracy", "epoch/study_overfit_percent"]
    assert found["epoch/study_accuracy"] == {3: 0.25, 4: 0.25}
    best = records.best_metrics({"best": {"epoch": 3, **studied}, "total_parameters": 9})
    assert best["best/study_overfit_percent"] == 25.0
