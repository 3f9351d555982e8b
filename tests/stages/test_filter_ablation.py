"""What the stage writes, compared with a network without its red filter."""

import pytest
import torch
from sklearn.metrics import confusion_matrix
from tests import projects
from tests.stages.conftest import CLASSES, COLORS, write_params

from convscope import cli
from convscope.base import paths
from convscope.stages import filter_ablation

STAGE = filter_ablation
PARAMS = """filter_ablation:
  filters: {conv1: [0]}
  newly_wrong: 2
  atlas_images: 20
"""
RED = 0


def predictions(project, layer="", color=None):
    """What the network takes each image for, with the weights of a filter at zero."""
    state = {name: value.clone() for name, value in project.module.state_dict().items()}
    if layer:
        project.module.get_submodule(layer).weight.data[color] = 0
    with torch.no_grad():
        found = project.module(project.images.float() / 255).argmax(1)
    project.module.load_state_dict(state)
    return found


def test_without_its_red_filter_the_network_sees_no_red(project, table):
    after = table("confusion_after").set_index("true")
    assert after["red"].sum() == 0
    before = table("confusion_before").set_index("true")
    # six labels are wrong, and nothing else
    assert sum(int(before.loc[name, name]) for name in COLORS) == 24
    for cells, found in (
        (before, predictions(project)),
        (after, predictions(project, "conv1", RED)),
    ):
        expected = confusion_matrix(project.labels, found, labels=range(3))
        assert cells.loc[[*COLORS], [*COLORS]].to_numpy().tolist() == expected.tolist()


def test_accuracy_by_class_is_that_of_the_matrices(project, table):
    rows = table("class_accuracy").set_index("class")
    right = predictions(project) == project.labels
    assert rows.loc["overall", "before_percent"] == 80
    reds = right[project.labels == RED].double().mean().item()
    assert rows.loc["red", "before_percent"] == pytest.approx(100 * reds)
    assert rows.loc["red", "after_percent"] == 0


def test_the_images_that_went_wrong_are_all_listed(project, table):
    before, after = predictions(project), predictions(project, "conv1", RED)
    lost = ((before == project.labels) & (after != project.labels)).nonzero().flatten()
    found = table("newly_misclassified")
    assert found["image"].tolist() == lost.tolist()
    assert set(found["true"]) == {"red"}
    assert found["predicted"].tolist() == [CLASSES[taken] for taken in after[lost].tolist()]


def test_with_the_mean_of_red_the_network_is_told_the_same_of_every_image(project, table):
    rows = table("mean_ablation").set_index("class")
    before = table("class_accuracy").set_index("class")
    for way, column in (("before", "before_percent"), ("zeroed", "after_percent")):
        assert rows[f"{way}_percent"].tolist() == before[column].tolist()
    # the training images are the first ten test images; the next layer gets the largest of 2 x 2
    red = project.images[:10, 0].unflatten(1, (16, 2)).unflatten(3, (16, 2)).amax((2, 4))
    maps = project.images.float() / 255
    maps[:, 0] = (red.double() / 255).mean()
    with torch.no_grad():
        found = project.module(maps).argmax(1)
    right = 100 * (found == project.labels).double()
    assert rows.loc["overall", "averaged_drop_points"] == pytest.approx(80 - right.mean().item())
    by_color = [right[project.labels == color].mean().item() for color in range(3)]
    assert rows.loc[[*COLORS], "averaged_percent"].tolist() == pytest.approx(by_color)


def test_random_sets_are_as_large_as_the_selected_one(project, table):
    rows = table("random_sets")
    assert rows["set"].tolist() == [*range(1, 51)]
    assert {*rows["filters"]} == {"conv1/0", "conv1/1", "conv1/2"}
    for row in rows.itertuples():
        without = predictions(project, "conv1", int(row.filters[-1]))
        right = 100 * (without == project.labels).double().mean().item()
        assert row.accuracy_percent == pytest.approx(right)
        assert row.drop_points == pytest.approx(80 - right)


def test_the_atlas_is_of_the_first_images_and_their_labels(project, table):
    rows = table("atlas")
    assert list(zip(rows["layer"], rows["filter"], strict=True)) == [
        (layer, color) for layer in ("conv1", "conv2") for color in range(3)
    ]
    labels, intact = project.labels[:20], predictions(project)[:20]
    for row in rows.itertuples():
        without = predictions(project, row.layer, row.filter)[:20]
        assert row.lost == int(((intact == labels) & (without != labels)).sum())
        assert row.gained == int(((intact != labels) & (without == labels)).sum())
        assert row.drop_percent == pytest.approx(100 * (row.lost - row.gained) / 20)
    assert table("atlas_depth")["images"].tolist() == [20]
    assert rows["lost"].max() > 0
    assert rows["gained"].max() > 0


@pytest.mark.parametrize(
    ("section", "others"),
    [
        ("filter_ablation", "newly_wrong: 2, atlas_images: 20"),
        ("filter_identify", "top_k: 4, shown: 2"),
    ],
)
@pytest.mark.parametrize(
    ("filters", "why"),
    [
        ("{conv1: [3, 0]}", "conv1 has no filter 3: choose from 0 to 2"),
        ("{conv1: [0], conv9: [0]}", "the network has no 'conv9': choose from conv1, conv2"),
    ],
)
@pytest.mark.usefixtures("project")
def test_filters_that_the_network_lacks_are_refused_before_work(
    section, others, filters, why, capsys
):
    before = projects.contents(paths.REPORTS)
    write_params(f"{section}: {{filters: {filters}, {others}}}")
    assert cli.main([section.replace("_", "-")]) == 2
    assert capsys.readouterr().err == f"convscope: params.yaml: {section}.filters: {why}\n"
    assert projects.contents(paths.REPORTS) == before
