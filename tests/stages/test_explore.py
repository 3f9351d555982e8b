"""The page that the stage writes of a network that sees three colors; one's own pictures on it."""

import json
import re
import shutil
from base64 import b64decode

import numpy as np
import pytest
import torch
from PIL import Image
from tests import projects, toys
from tests.report.document import folders
from tests.stages.conftest import CLASSES, RUN, write_params

from convscope import cli
from convscope.base import files, paths
from convscope.stages import explore, filter_ablation, filter_identify, occlusion

PARAMS = """occlusion:
  images: 4
  window_sizes: [21, 27]
  survey_images: 4
  survey_stride: 11
  seed: 3
filter_ablation:
  filters: {conv1: [0]}
  newly_wrong: 2
  atlas_images: 20
filter_identify:
  filters: {conv1: [2], conv2: [1]}
  top_k: 4
  shown: 2
explore: {images: 12}
"""
FOLDER = paths.REPORTS / "explore"


@pytest.fixture(scope="module")
def analyzed(project):
    """The project with its three analyses and the page."""
    write_params(PARAMS)
    for stage in (occlusion, filter_ablation, filter_identify, explore):
        stage.run()
    return project


def held(page):
    found = re.search('<script type="application/json" id="data">(.*)</script>', page.read_text())
    return json.loads(found[1])


def test_the_page_is_of_the_analyzed_network_and_its_images(analyzed):
    found = held(explore.PAGE)
    assert (found["net"], found["classes"], found["accuracy"]) == (RUN.net, [*CLASSES], 0.8)
    numbers = [image["number"] for image in found["images"]]
    assert len(set(numbers)) == 12
    pixels = np.frombuffer(b64decode(found["pixels"]), np.uint8).reshape(12, 3, 32, 32)
    assert torch.equal(torch.tensor(pixels), analyzed.images[numbers])
    why = {image["number"]: image["why"] for image in found["images"]}
    assert set(files.read_csv(paths.REPORTS / "occlusion/by_image.csv", "")["image"]) <= set(why)
    assert [len(costs) for costs in found["alone"].values()] == [3, 3]
    assert found["study"]["drop"] > 0
    assert found["study"]["hurt"][0][0] == "red"
    assert found["alone"]["conv1"][0]["hurt"][0][0] == "red"
    assert (found["study"]["images"], found["alone_images"]) == (30, 20)


@pytest.mark.usefixtures("analyzed")
def test_its_folder_says_what_it_was_made_of_and_which_images_it_has():
    images = files.read_csv(FOLDER / "images.csv", "")
    found = held(explore.PAGE)["images"]
    assert images["image"].tolist() == [image["number"] for image in found]
    assert images["class"].tolist() == [CLASSES[image["label"]] for image in found]
    metrics = files.read_json(FOLDER / "metrics.json", "")
    assert metrics == {"images": 12, "kilobytes": explore.PAGE.stat().st_size / 1000}
    params = files.read_json(FOLDER / "params.json", "")
    assert params == {
        "kernels": "portable",
        "analysis": {"net": RUN.net, "threads": 1},
        "explore": {"images": 12},
    }
    made_from = files.read_json(FOLDER / "made_from.json", "")
    assert made_from == files.read_json(paths.REPORTS / "occlusion/made_from.json", "")


@pytest.mark.usefixtures("analyzed")
def test_the_same_bytes_twice():
    before = projects.contents(paths.REPORTS)
    explore.run()
    assert projects.contents(paths.REPORTS) == before


@pytest.mark.usefixtures("analyzed")
def test_own_pictures_are_on_a_page_of_their_own(tmp_path):
    red, blue = tmp_path / "red.png", tmp_path / "blue.jpg"
    Image.new("RGB", (40, 90), (250, 0, 0)).save(red)
    Image.new("RGB", (32, 32), (0, 0, 250)).save(blue)
    before = projects.contents(paths.REPORTS)
    target = tmp_path / "mine.html"
    arguments = ["explore", "--image", str(red), "--image", str(blue), "--out", str(target)]
    assert cli.main(arguments) == 0
    assert projects.contents(paths.REPORTS) == before
    found, usual = held(target), held(explore.PAGE)
    assert [image["number"] for image in found["images"]][:2] == [-1, -2]
    assert found["images"][2:] == usual["images"]
    pixels = np.frombuffer(b64decode(found["pixels"]), np.uint8).reshape(14, 3, 32, 32)
    assert pixels[0].reshape(3, -1).T.tolist() == [[250, 0, 0]] * 1024
    logits = np.frombuffer(b64decode(found["logits"]), "<f4").reshape(14, 10)
    assert logits[:2].argmax(1).tolist() == [0, 2]
    link = re.search('<a href="(.*?)">The report</a>', target.read_text())[1]
    assert (tmp_path / link).resolve() == (paths.REPORTS / "report.html").resolve()
    assert '<a href="report.html">The report</a>' in explore.PAGE.read_text()


@pytest.mark.usefixtures("analyzed")
def test_a_picture_that_is_none_leaves_no_page(tmp_path, capsys):
    (tmp_path / "a.png").write_text("no picture")
    target = tmp_path / "mine.html"
    assert cli.main(["explore", "--image", str(tmp_path / "a.png"), "--out", str(target)]) == 2
    assert "a.png is not a picture that can be read" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize("name", explore.ANALYSES)
@pytest.mark.usefixtures("analyzed")
def test_an_analysis_that_is_missing_or_of_another_model_is_to_be_run_first(name, tmp_path):
    folder, kept = paths.REPORTS / name, tmp_path / "kept"
    before = projects.contents(paths.REPORTS)
    shutil.copytree(folder, kept)
    try:
        made_from = files.read_json(folder / "made_from.json", "")
        folders.replace(folder / "made_from.json", made_from | {"runs": {RUN.net: "another"}})
        line = toys.refusal(explore.run)
        assert line.startswith(f"{folder} was not made from the data set and the model")
        assert f"run `convscope {name}`" in line
        shutil.rmtree(folder)
        line = toys.refusal(explore.run)
        assert line.startswith(f"{folder} is missing: run `convscope {name}`")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder)
    assert projects.contents(paths.REPORTS) == before


@pytest.mark.usefixtures("analyzed")
def test_without_its_section_nothing_is_made():
    before = projects.contents(paths.REPORTS)
    write_params(PARAMS.replace("explore: {images: 12}\n", ""))
    try:
        assert "explore" in toys.refusal(explore.run)
    finally:
        write_params(PARAMS)
    assert projects.contents(paths.REPORTS) == before
