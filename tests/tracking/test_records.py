from convscope.tracking import records


def test_flatten_joins_keys_by_dots_and_keeps_lists_whole():
    nested = {"a": {"b": {"c": 1e-05}, "d": [1, 2]}, "e": None, "f": "text", "g": True}
    expected = {"a.b.c": "1e-05", "a.d": "[1, 2]", "e": "null", "f": "text", "g": "true"}
    assert records.flatten(nested) == expected
