"""The address of what the page shows, there and back, and what is left out of a wrong one."""

import pytest
from tests.report.explorer.web import node

pytestmark = node.needed

PAGE = {
    "side": 32,
    "images": [{"number": 12}, {"number": 0}, {"number": -1}],
    "convolutions": [
        {"name": "conv1", "filters": 6, "size": 32},
        {"name": "conv2", "filters": 12, "size": 15},
    ],
    "study": {"filters": {"conv1": [0, 1], "conv2": [0]}},
}
START = {"image": 12, "off": {}, "window": None, "look": None, "map": None}
WINDOW = {"size": 7, "row": 10, "column": 4}
LOOK = {"layer": "conv2", "filter": 11, "row": 14, "column": 0}

READY = """
const page = { ...given.page, study: { filters: offs(given.page.study.filters) } };
"""


def formatted(*states):
    """The addresses of states, and the states that they stand for."""
    return node.evaluated(
        {"state": "format, parse"},
        READY
        + """
        return given.asked.map((state) => {
          const address = format({ ...state, off: offs(state.off) }, page);
          const back = parse(address, page);
          return [address, { ...back, off: sets(back.off) }];
        });
        """,
        {"page": PAGE, "asked": states},
    )


def parsed(*addresses):
    return node.evaluated(
        {"state": "parse"},
        READY
        + """
        return given.asked.map((address) => {
          const state = parse(address, page);
          return { ...state, off: sets(state.off) };
        });
        """,
        {"page": PAGE, "asked": addresses},
    )


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({}, "#image=12"),
        ({"image": 0}, "#image=0"),
        ({"image": -1}, "#image=-1"),
        ({"window": WINDOW}, "#image=12&window=7@10,4"),
        ({"window": {"size": 32, "row": 0, "column": 0}}, "#image=12&window=32@0,0"),
        ({"off": {"conv2": [8]}, "window": WINDOW}, "#image=12&off=conv2.8&window=7@10,4"),
        ({"off": {"conv1": [5, 0], "conv2": [3]}}, "#image=12&off=conv1.0,conv1.5,conv2.3"),
        ({"off": {"conv2": [0], "conv1": [1, 0]}}, "#image=12&off=study"),
        ({"look": LOOK}, "#image=12&look=conv2.11@14,0"),
        ({"map": 9}, "#image=12&map=9"),
        (
            {"image": 0, "off": {"conv1": [2]}, "window": WINDOW, "look": LOOK, "map": 32},
            "#image=0&off=conv1.2&window=7@10,4&look=conv2.11@14,0&map=32",
        ),
    ],
)
def test_an_address_says_what_differs_and_leads_back(changes, address):
    state = {**START, **changes}
    ((found, back),) = formatted(state)
    assert found == address
    assert {**back, "off": ordered(back)} == {**state, "off": ordered(state)}


def ordered(state):
    return {layer: sorted(filters) for layer, filters in sorted(state["off"].items())}


def test_what_the_page_does_not_have_is_left_out():
    nothing = [
        "",
        "#",
        "#image",
        "#image=",
        "#image=7",
        "#image=1e1",
        "#image=0x0",
        "#image=0.5",
        "#image=twelve",
        "#off=",
        "#off=conv1",
        "#off=conv1.",
        "#off=conv1.6",
        "#off=conv1.-1",
        "#off=conv1.1.5",
        "#off=conv3.0",
        "#off=fc1.0",
        "#off=<b>.0",
        "#window=7",
        "#window=7@10",
        "#window=@10,4",
        "#window=7@10,4,5",
        "#window=7.5@10,4",
        "#window=big@10,4",
        "#window=12345678@0,0",
        "#look=conv2.11",
        "#look=conv2.12@0,0",
        "#look=conv2.0@15,0",
        "#look=conv2.0@0,-1",
        "#look=conv9.0@0,0",
        "#look=__proto__.0@0,0",
        "#map=",
        "#map=0",
        "#map=33",
        "#map=2.5",
        "#map=-3",
        "#else=1&image=-2",
        "#%E0%A4%A",
    ]
    for address, state in zip(nothing, parsed(*nothing), strict=True):
        assert state == START, address


def test_of_a_list_what_the_page_has_is_kept():
    found, again = parsed(
        "#off=conv1.0,conv9.1,conv1.3,conv1.0&image=0", "image=0&off=conv1.0,,conv1.3"
    )
    assert found == again == {**START, "image": 0, "off": {"conv1": [0, 3]}}


def test_a_window_is_moved_and_cut_so_that_it_lies_in_the_image():
    wanted = {
        "#window=7@30,-3": (7, 25, 0),
        "#window=40@5,5": (32, 0, 0),
        "#window=0@5,6": (1, 5, 6),
        "#window=-4@99,0": (1, 31, 0),
    }
    for state, place in zip(parsed(*wanted), wanted.values(), strict=True):
        assert state == {**START, "window": dict(zip(WINDOW, place, strict=True))}


def test_one_filter_is_switched_and_the_others_stay_as_does_the_choice_of_before():
    found = node.evaluated(
        {"state": "switched, same, names"},
        """
        const first = offs({ conv1: [0], conv2: [4] });
        const steps = [switched(first, "conv2", 7)];
        steps.push(switched(steps[0], "conv1", 0));
        steps.push(switched(switched(steps[1], "conv2", 4), "conv2", 7));
        return [
          steps.map(sets), sets(first), same(first, offs({ conv2: [4], conv1: [0] })),
          same(first, steps[0]), same(new Map(), offs({ conv1: [] })),
          names(offs({ conv2: [10, 9], conv1: [1] })),
        ];
        """,
    )
    steps = [{"conv1": [0], "conv2": [4, 7]}, {"conv2": [4, 7]}, {}]
    first = {"conv1": [0], "conv2": [4]}
    assert found == [steps, first, True, False, True, ["conv2/9", "conv2/10", "conv1/1"]]
