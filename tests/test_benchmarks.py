import pytest
import torch
from benchmarks import __main__ as command
from benchmarks import subjects, table, tutorial
from benchmarks.measuring import Row, below, duration, faster, interleaved

from convscope.base import files
from convscope.nets import zoo
from tests import archive_samples as samples
from tests import projects, toys


@pytest.mark.pipeline
@pytest.mark.usefixtures("warm_python")
def test_every_benchmark_runs_on_next_to_nothing(monkeypatch):
    monkeypatch.chdir(projects.ROOT)
    monkeypatch.delenv(subjects.ARCHIVE, raising=False)  # each of its processes would unpack it
    done = projects.python("-m", "benchmarks", "--quick", "--markdown")
    assert done.returncode == 0, done.stderr
    sections = done.stdout.split("\n## ")[1:]
    assert len(sections) == len(command.NAMES)
    for section in sections:
        assert len(section.split("\n| --- |")[1].strip().splitlines()) > 1, section


def test_images_are_those_of_the_archive_that_the_environment_names(tmp_path, monkeypatch):
    packed = samples.written(tmp_path / "toy.tar.gz", samples.packed(samples.binary_members()))
    monkeypatch.setenv(subjects.ARCHIVE, str(packed))
    images = subjects.images.__wrapped__()
    assert (images.classes[0], images.md5) == ("plane", files.digest(packed))
    assert subjects.images_used() == "CIFAR-10 (file:toy.tar.gz)"


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["trainig"])
    assert "there is no benchmark trainig" in capsys.readouterr().err


def test_actions_take_turns_after_a_warm_up_that_is_not_counted():
    order = []

    def action(name):
        return lambda: order.append(name) or float(len(order))

    assert interleaved(2, action("a"), action("b")) == [[3, 5], [4, 6]]
    assert order == ["a", "b"] * 3


def test_a_ratio_and_a_limit_are_judged_by_the_medians():
    row = faster("epoch", [[1, 2, 30], [9, 8, 7]], goal=4.5)
    assert row == Row("epoch", "2 s", "8 s", "4.00 times as fast", "4.5 times", False, 3)
    assert below("start", [0.5, 9, 0.25], 1) == Row("start", "500 ms", "", "", "below 1 s", True, 3)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.01234, "12.3 ms"), (1.5, "1.5 s"), (119, "119 s"), (180, "3 min")]
)
def test_durations_have_three_digits_and_a_fitting_unit(seconds, text):
    assert duration(seconds) == text


def test_what_is_not_installed_is_named_so(monkeypatch):
    monkeypatch.setattr(table, "PACKAGES", ("torch", "no-such-package"))
    assert f"torch {torch.__version__}, no no-such-package;" in table.machine("digits")


def test_the_markdown_of_a_row():
    row = Row("step", "1 s", "2 s", "2.00 times as fast", "1.5 times", True, 3)
    assert table.markdown("Title", [row]).splitlines() == [
        "## Title",
        "",
        "| what | convscope | other way | result | goal | met | n |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| step | 1 s | 2 s | 2.00 times as fast | 1.5 times | yes | 3 |",
    ]


def test_the_tutorials_network_is_the_studys_with_relu_before_pooling():
    ours = zoo.build("net4", **toys.POINT | {"dropout_rate": 0.3}).eval()
    its = tutorial.relu_first(ours)
    names = [name for name, _ in its.named_children()]
    assert names.index("relu3") + 1 == names.index("pool1")
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(its(images), ours(images), rtol=0, atol=0)
