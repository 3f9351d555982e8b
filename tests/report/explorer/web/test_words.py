"""What the page says, literally."""

import pytest
from tests.report.explorer.web import node

pytestmark = node.needed

PAGE = {
    "net": "net4",
    "classes": ["cat", "dog", "ship"],
    "study": {
        "filters": {"conv1": [0, 1], "conv2": [0]},
        "drop": 47.33,
        "low": 46.2,
        "high": 48.4,
        "images": 10_000,
        "hurt": [["cat", 80.51], ["dog", 60.0]],
    },
    "alone_images": 2000,
    "alone": {
        "conv1": [
            {"drop": 0.4, "low": -0.2, "high": 1.04, "hurt": [["dog", 3.0]], "significant": False},
            {"drop": -1.25, "low": -2.0, "high": -0.3, "hurt": [], "significant": True},
        ]
    },
}
WINDOW = {"size": 7, "row": 10, "column": 4}


def said(function, *calls):
    """What a function of words.js makes of each of some lists of arguments."""
    return node.evaluated(
        {"words": function},
        f"""
        const page = {{ ...given.page, study: {{ ...given.page.study, filters: offs(given.page.study.filters) }} }};
        const ready = (value) => {{
          if (value === "page") return page;
          return value?.off ? {{ ...value, off: offs(value.off) }} : value;
        }};
        return given.calls.map((call) => {function}(...call.map(ready)));
        """,  # noqa: E501
        {"page": PAGE, "calls": calls},
    )


def test_probabilities_are_never_rounded_to_nothing_or_all():
    asked = [0, 0.004, 0.006, 0.12, 0.994, 0.996, 1]
    expected = ["0 %", "under 1 %", "1 %", "12 %", "99 %", "over 99 %", "100 %"]
    assert said("percent", *([share] for share in asked)) == expected


def test_points_have_their_sign_and_nothing_has_none():
    asked = [47.33, 0.05, 0.04, 0, -0.04, -1.25, -10]
    expected = ["+47.3", "+0.1", "0.0", "0.0", "0.0", "−1.3", "−10.0"]  # noqa: RUF001
    assert said("points", *([value] for value in asked)) == expected


def test_lists_and_counts():
    lists = [[], ["a"], ["a", "b"], ["a", "b", "c"]]
    assert said("listed", *([each] for each in lists)) == ["", "a", "a and b", "a, b and c"]
    counts = said("counted", [1, "filter"], [0, "filter"], [10_000, "test image"])
    assert counts == ["1 filter", "0 filters", "10,000 test images"]
    assert said("square", [7]) == ["7 × 7"]  # noqa: RUF001


CAT, OWN = {"label": 0}, {"label": None}
INTACT = {"off": {}, "window": None}


@pytest.mark.parametrize(
    ("image", "state", "now", "before", "text"),
    [
        (CAT, INTACT, [0.8, 0.2, 0], [0.8, 0.2, 0], "net4 says cat (80 %), which is right."),
        (
            CAT,
            INTACT,
            [0.2, 0.8, 0],
            [0.2, 0.8, 0],
            "net4 takes this cat for dog (80 %; cat 20 %).",
        ),
        (OWN, INTACT, [0.2, 0.1, 0.7], [0.2, 0.1, 0.7], "net4 says ship (70 %)."),
        (
            CAT,
            {"off": {}, "window": WINDOW},
            [0.3, 0.6, 0.1],
            [0.999, 0.001, 0],
            "With a 7 × 7 gray window at row 10, column 4, net4 takes this cat for dog "  # noqa: RUF001
            "(60 %; cat 30 %). Untouched, it said cat (over 99 %).",
        ),
        (
            OWN,
            {"off": {"conv2": [8], "conv1": [1, 0]}, "window": None},
            [0.5, 0.3, 0.2],
            [0.9, 0.1, 0],
            "With conv2/8, conv1/0 and conv1/1 off, net4 says cat (50 %). Untouched, it was 90 % "
            "sure of that.",
        ),
        (
            CAT,
            {"off": {"conv1": [0, 1, 2, 3]}, "window": WINDOW},
            [0.5, 0.3, 0.2],
            [0.4, 0.6, 0],
            "With a 7 × 7 gray window at row 10, column 4 and 4 filters off, net4 says cat "  # noqa: RUF001
            "(50 %), which is right. Untouched, it said dog (60 %).",
        ),
    ],
)
def test_the_answer_as_a_sentence(image, state, now, before, text):
    assert said("sentence", ["page", image, state, now, before]) == [text]


TOGETHER = (
    "These filters off together cost 47.3 points of accuracy over 10,000 test images (95 % "
    "interval +46.2 to +48.4). Most is lost of cat (80.5) and dog (60.0)."
)


@pytest.mark.parametrize(
    ("off", "text"),
    [
        ({}, "All filters are on."),
        ({"conv1": [0, 1], "conv2": [0]}, TOGETHER),
        ({"conv2": [0], "conv1": [1, 0]}, TOGETHER),
        (
            {"conv1": [0]},
            "conv1/0 off costs 0.4 points of accuracy over 2,000 test images (95 % interval −0.2 "  # noqa: RUF001
            "to +1.0), no more than chance explains. Most is lost of dog (3.0).",
        ),
        (
            {"conv1": [1]},
            "conv1/1 off costs −1.3 points of accuracy over 2,000 test images (95 % interval "  # noqa: RUF001
            "−2.0 to −0.3).",  # noqa: RUF001
        ),
        (
            {"conv1": [0, 1]},
            "What these filters cost together was not measured over the test set: single filters "
            "were, and the selected ones.",
        ),
    ],
)
def test_what_filters_cost_as_far_as_it_was_measured(off, text):
    found = node.evaluated(
        {"words": "cost"},
        """
        const { study } = given.page;
        const page = { ...given.page, study: { ...study, filters: offs(study.filters) } };
        return cost(page, offs(given.off));
        """,
        {"page": PAGE, "off": off},
    )
    assert found == text
