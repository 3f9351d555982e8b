import pandas as pd
import pytest

from convscope.study.published import compare


def test_rows_meet_by_their_keys_and_the_others_are_missing():
    published = pd.DataFrame(
        {"k": [3, 5, 7], "s": [1, 1, 2], "accuracy": [0.5, 0.25, 0.125], "n": [10, 20, 30]}
    )
    measured = pd.DataFrame(
        {"s": [2.0, 1.0, 1.0], "k": [7, 9, 3], "n": [31, 1, 8], "accuracy": [0.25, 0.5, 0.75]}
    )
    rows, missing = compare(measured, published, ["k", "s"])
    expected = {
        "k": [3, 7],
        "s": [1, 2],
        "accuracy_published": [0.5, 0.125],
        "accuracy_measured": [0.75, 0.25],
        "accuracy_difference": [0.25, 0.125],
        "n_published": [10, 30],
        "n_measured": [8, 31],
        "n_difference": [-2, 1],
    }
    assert rows.to_dict("list") == expected
    assert list(rows) == list(expected)
    assert missing.to_dict("list") == {"k": [5], "s": [1]}


def test_columns_of_only_one_table_are_left_out_and_words_have_no_difference():
    published = pd.DataFrame({"f": ["a"], "top": ["cat"], "dead": [True], "old": [1]})
    measured = pd.DataFrame({"f": ["a"], "top": ["dog"], "dead": [False], "new": [2]})
    rows, missing = compare(measured, published, ["f"])
    assert list(rows) == ["f", "top_published", "top_measured", "dead_published", "dead_measured"]
    assert missing.empty


@pytest.mark.parametrize("keys", [["k"], []])
def test_keys_that_do_not_identify_rows_are_refused(keys):
    twice, once = pd.DataFrame({"k": [1, 1]}), pd.DataFrame({"k": [1]})
    for tables in ((twice, once), (once, twice)):
        with pytest.raises(ValueError, match="do not identify"):
            compare(*tables, keys)
