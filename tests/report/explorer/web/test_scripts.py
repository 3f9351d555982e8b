"""The scripts as the page has them, each in one piece; the worker's in a thread of its own."""

import pytest
import torch
from tests import toys
from tests.report.explorer import networks
from tests.report.explorer.web import node

from convscope.analysis.occlusion import sensitivity
from convscope.report.explorer import network, page

pytestmark = node.needed

IMAGES = toys.noise(2, seed=2)
# as far as the script can tell: what it is told and what it answers are copies; each time that it
# asks for the time a millisecond has passed
THREAD = """
const answers = [];
let [listener, clock] = [null, 0];
vm.runInContext(given.script, vm.createContext({
  setTimeout, atob, performance: { now: () => { clock += 1; return clock; } },
  postMessage: (message) => answers.push(structuredClone(message)),
  addEventListener: (_, receive) => { listener = receive; },
}));
const tell = (data) => listener({ data: structuredClone(data) });
const complete = ({ map }) => map && map.done === map.total;
const until = async (done) => {
  while (!answers.some(done)) await new Promise((resolve) => setTimeout(resolve));
};
const [first, second] = images(given.images);
tell({ network: given.network });
"""


@pytest.fixture(scope="module")
def module():
    return networks.built("net1, stride 2")


@pytest.fixture
def thread(module):
    def told(body, **given):
        given |= {"network": network.packed(module), "script": page.script("worker")}
        return node.evaluated({}, THREAD + body, {**given, "images": node.text(IMAGES)})

    return told


@pytest.mark.parametrize("name", ["main", "worker"])
def test_a_script_in_one_piece_is_javascript(name):
    check = "import vm from 'node:vm'; import { readFileSync } from 'node:fs';"
    node.printed(f"{check} new vm.Script(readFileSync(0, 'utf8'));", page.script(name))


def test_the_worker_answers_each_question_by_what_was_asked(thread, module):
    window, off = {"size": 9, "row": 3, "column": 20}, {"conv1": [1, 4]}
    found = thread(
        """
        const ask = (pixels, off, window) => tell({ ask: { pixels, off: offs(off), window } });
        ask(first, {}, null);
        ask(first, given.off, given.window);
        ask(second, given.off, null);
        ask(first, {}, null);
        return answers.map(({ ask: { logits, maps } }) =>
          ({ logits: sent(logits), conv2: sent(maps.get("conv2")) }));
        """,
        off=off,
        window=window,
    )
    asked = [(0, {}, None), (0, off, window), (1, off, None), (0, {}, None)]
    for (image, filters, covered), answer in zip(asked, found, strict=True):
        expected = networks.answer(module, IMAGES[image], filters, covered)
        for part in ("logits", "conv2"):
            values = node.floats(answer[part])
            torch.testing.assert_close(values, expected[part], atol=1e-3, rtol=0)
    assert found[0]["logits"] == found[3]["logits"]


def test_the_worker_s_map_is_the_pipeline_s(thread, module):
    steps, values = thread(
        """
        const task = { pixels: first, off: new Map(), size: 30, label: 4, side: 32, ticket: 5 };
        tell({ map: task });
        await until(complete);
        return [answers.map(({ map: { ticket, done, total } }) => [ticket, done, total]),
          sent(answers.at(-1).map.values)];
        """
    )
    assert steps == [[5, 3, 9], [5, 6, 9], [5, 9, 9]]
    expected = sensitivity.confidence_maps(module, IMAGES[:1], torch.tensor([4]), 30)
    torch.testing.assert_close(node.floats(values), expected.flatten(), atol=1e-4, rtol=0)


def test_questions_pass_long_work_and_another_map_takes_the_place_of_one(thread):
    kinds, early = thread(
        """
        const task = { pixels: first, off: new Map(), label: 0, side: 32 };
        tell({ map: { ...task, size: 1, ticket: 1 } });
        tell({ ask: { pixels: second, off: new Map(), window: null } });
        tell({ map: { ...task, size: 30, ticket: 2 } });
        tell({ map: null });
        tell({ map: { ...task, size: 25, ticket: 3 } });
        const early = answers.map((answer) => Object.keys(answer)[0]);
        tell({ check: { images: [{ pixels: first, logits: new Array(10).fill(0) }] } });
        await until(complete);
        await until(({ check }) => check);
        await new Promise((resolve) => setTimeout(resolve, 20));
        const kinds = answers.map(({ ask, map }) => (map ? map.ticket : ask ? "ask" : "check"));
        return [kinds, early];
        """
    )
    # the first map began, and was not finished; the second did not begin; one after the check
    # goes on where it paused
    assert "ask" in early
    assert kinds[0] in (1, "ask")
    assert kinds.count(1) < 32
    assert 2 not in kinds
    assert kinds.count(3) == 8
    assert (kinds.count("ask"), kinds.count("check")) == (1, 1)


def test_the_worker_checks_how_far_its_logits_are_from_torch_s(thread, module):
    with torch.no_grad():
        logits = module(IMAGES.float() / 255)
    wrong = logits.clone()
    wrong[1, 7] += 0.25
    close, far = thread(
        """
        for (const [at, logits] of given.logits.entries()) {
          const images = [first, second].map((pixels, at) => ({ pixels, logits: logits[at] }));
          tell({ check: { images } });
          while (answers.length <= at) await new Promise((resolve) => setTimeout(resolve));
        }
        return answers.map(({ check }) => check);
        """,
        logits=[logits.tolist(), wrong.tolist()],
    )
    assert close == {"images": 2, "largest": pytest.approx(0, abs=1e-3)}
    assert far == {"images": 2, "largest": pytest.approx(0.25, abs=1e-3)}
