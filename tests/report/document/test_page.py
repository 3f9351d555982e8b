"""What the report says of a finished study, section by section."""

import re
from urllib.parse import unquote

import pytest
from tests.report.document import folders, read

from convscope.study import claims

# of the sections; shares are rounded, empty values left out
TABLES = f"""
train-net10: The network of the best run, layer by layer: 62,006 parameters
image | RGB pixels | 3 | 32 | 1 | 0
conv1 | conv 5x5 | 6 | 28 | 5 | 456
fc3 | fully connected | 10 | – | – | 61,550

selection: The best epoch on the test images, and the last of the same run
net2 | 2 | 4 | 1 | 2 | 81.25% | 80.00% | 82.50% | 81.25% | 0.00 | 0.25
net10 | 2 | 4 | 2 | 1 | 91.67% | 90.00% | 93.00% | 87.50% | 4.17 | 3.50

selection: McNemar's test of each pair of networks
net2 | net10 | 100 | 350 | -10.42 | < 0.001

filter-ablation: Accuracy by class, before and after
{folders.EVIL} | 90.00% | 95.50% | -5.50
{folders.PIPED} | 80.25% | 40.12% | 40.12
**overall** | **85.00%** | **60.00%** | **25.00**

filter-ablation: The filters that cost most alone
1 | conv1 | 1 | 2.50 | 13 | 1 | < 0.001 | {folders.PIPED}: 5.0, cat: 3.0

filter-ablation: The filters that cost least alone
1 | conv2 | 0 | -0.50 | 4 | 6 | 0.754 | –

departures: Accuracy gained by the way of testing
net10 | +12.50 | -3.12 | +9.38

reproduce: The data set
name | cifar10
url | https://a?b=1&c=2
fingerprint | f

reproduce: Parameters of download
data.source | cifar10
data.train_images | all
"""  # noqa: RUF001
# a section's name, and what it says
SENTENCES = f"""
summary: 5,400 training and 2,400 test images of 2 classes. net10 is the best
summary: right. <div class="facts"> - [net2](#train-net2) **81.25%**<br>95% interval over test
    images<br>80.00% to 82.50%<br>62,006 parameters - [net10](#train-net10) **91.67%**<br>95%
    interval over test images<br>90.00% to 93.00%<br>4,403,518 parameters </div>
summary: - [Confidence under a 9 × 9 window](#occlusion) **0.375**<br>0.750 without a window
    <br>means of 2 images - [Accuracy with 3 filters zeroed](#filter-ablation) **60.00%**<br>85.00%
    before - [Dead filters](#filter-identification) **1 of 2**<br>conv2/1 </div>
summary: selected by its accuracy on the test images
claims: Not at the published size:
train-net2: ![net2: the network of the best run, from image to logits](
train-net2: ![net2: loss and accuracy by epoch, a line for each run](
train-net2: Not the published size: epochs 2 (study: 30)
train-net2: 2 runs of 2 epochs on training images, each changed at random (mirrored with
    probability 0.5). Varied: learning rate 0.01, 0.001.
    The same for all: batch size 128; l1_oc 6; seed 0.
evaluation: Not at the published size:
selection: ### Selected on validation images Not measured: train.select_on is test. Set it to
    validation in params.yaml and run `dvc repro`: every
occlusion: A gray square slides over 2 test images; a map
occlusion: over 100 test images, with the window moved in steps of 4 pixels.
filter-ablation: accuracy over the first 500 test images is compared
filter-ablation: One image is 0.20 points here. A filter at zero loses some images and gains others:
    1 of the 4 filters change the accuracy by more than chance explains (McNemar's test of the
    images lost and gained, at a false discovery rate of 5% by Benjamini and Hochberg's adjustment).
filter-ablation: Filters of earlier layers more often cost more. A filter of the first half of the
    convolutions costs more than one of the second in 75.00% of pairs (p < 0.001, Mann and Whitney's
    test); Spearman's rank correlation of a filter's layer and its drop is -0.50 (p = 0.031),
    without the last convolution -0.25 (p = 0.500). These tests take filters for independent, and a
    wide layer for more than a narrow one; of the layers' mean drops the correlation is not to be
    had. On average, a filter of conv1 costs 1.50 points and one of conv2 -0.25; the drops of a
    layer's filters, added up, are 3.00 points for a mean layer of the first half and -0.50 for one
    of the second.
filter-identification: these are the 20 test images with the largest
filter-identification: Dead is conv2/1: no test image
reproduce: | net.epochs | 2 | | net.augment.flip | 0.5 | | net.lr | 0.01, 0.001 |
    | net.batch_size | 128 |
summary: The study is Anoubhav Agarwaal's report for the course CS7015,
summary: published are the study's, of CIFAR-10, and a difference is measured, on CIFAR-10 (not an
    official archive), minus published. Its networks
departures: The archive (md5 unknown) is not one of the two
departures: baseline: epochs 2 (study: 10),
departures: learned with the images. What this changes was not measured.
departures: **Accuracy gained by the way of testing** ([evaluate/protocols.csv](
departures: above the last by: <div class="facts"> - [net2](#selection) **0.25 points**<br>mean of
    2 runs - [net10](#selection) **3.50 points**<br>mean of 2 runs </div>
departures: in some class it is 9.0 points off its own confusion matrix
departures: takes 76. For net10, whose accuracy no other network exceeds
departures: are 9.4 points off on average and up to 12.5 (class {folders.EVIL}).
"""  # noqa: RUF001
# a section's name, a file of another content, and what the section says then
CHANGED = """
summary <- download/dataset.json
{"name": "digits"}
=> and these are other images: what it found and published is in [a section of its own](#claims).

claims <- download/dataset.json
{"md5": "1"}
=> The images here are entirely different ones (unknown): its numbers say nothing of them.

departures <- download/dataset.json
{"name": "cifar10", "md5": "0123"}
=> The archive (md5 0123) is not one of the two

departures <- evaluate/protocols.csv
HEADER
=> Not measured: no network here was trained on augmented images. ### The selection

departures <- evaluate/class_sample.csv
HEADER
net1,cat,0,,0.5,
net1,dog,2,0.5,0.25,25.0
=> are 25.0 points off on average and up to 25.0 (class dog). 1 class has no image there.

filter-ablation <- filter-ablation/newly_misclassified.csv
image,true,predicted
255,a,b
256,a,b
7,b,a
=> 3 test images went from right to wrong, 2 of them among the first 256, where the study counts 18.

filter-ablation <- filter-ablation/atlas_depth.csv
HEADER
500,4,1,,,,,,,,
=> There is no difference between layers: every filter costs the same. On average, a

filter-identification <- filter-identify/responses.csv
filter,dead
conv1/0,True
conv2/1,True
=> Dead are conv1/0, conv2/1: no test image

filter-identification <- filter-identify/responses.csv
filter,dead
conv1/0,False
=> No filter is dead: each has a test image

summary <- filter-identify/responses.csv
filter,dead
conv1/0,False
=> **0 of 1**<br>each responds to some test image
"""


def test_sections_come_in_the_studys_order_and_net2_before_net10(text):
    assert re.findall(r'^## .* <a id="(.*)"></a>$', text, re.M) == [
        *("summary", "claims", "data", "baseline", "train-net2", "train-net10", "evaluation"),
        *("selection", "occlusion", "filter-ablation", "filter-identification", "departures"),
        "reproduce",
    ]


def test_networks_that_share_the_highest_accuracy_are_all_the_best(changed):
    best = folders.EVALUATE["best.csv"].replace("0.81246", "0.91666666")
    text = changed({"evaluate/best.csv": best})
    assert "net2 and net10 are the best, each with 91.67% of" in read.words(text)
    _, *rows = read.table(text, "The best run of every network")
    assert all(cell.startswith("**") for row in rows for cell in row.split(" | "))


@pytest.mark.parametrize("block", TABLES.strip().split("\n\n"))
def test_tables_are_the_files_as_a_reader_sees_them(text, block):
    place, *rows = block.splitlines()
    section, caption = place.split(": ", 1)
    assert read.table(read.section(text, section), caption)[1:] == rows


@pytest.mark.parametrize("sentence", re.split(r"\n(?! )", SENTENCES.strip()))
def test_sentences_say_what_was_measured(text, sentence):
    section, said = sentence.split(": ", 1)
    said = read.words(said).replace(" <br>", "<br>")
    assert said in read.words(read.section(text, section))


@pytest.mark.parametrize("block", CHANGED.strip().split("\n\n"))
def test_sentences_follow_the_files(changed, block):
    section, path, content, said = re.split(r" <- |\n=> |(?<=csv|son)\n", block, maxsplit=3)
    folder, name = path.rsplit("/", 1)
    content = content.replace("HEADER", str(folders.STUDY[folder][name]).split("\n")[0])
    assert said in read.words(changed({path: f"{content}\n"}, section))


def test_of_other_images_no_section_but_the_folded_one_has_the_studys_numbers(changed):
    report = changed({"download/dataset.json": {"name": "digits"}})
    shown, folded = report.split('<details class="whole">')
    assert "published" not in shown.replace("what it found and published", "").lower()
    assert "### Every table that the study published" in folded
    assert "<details><summary>train/net1/by_kernel_size_stride</summary>" in folded
    assert "| 3 | 1 | 0.8899 | 68.16% | 58.50% |" in folded


def test_of_official_images_only_a_part_is_a_departure(changed):
    official = {"name": "cifar10", "md5": "c58f30108f718f92721af3b95e74349a"}
    files = {"download/dataset.json": official}
    assert "### The images" not in changed(files, "departures")
    part = {"data": {"train_images": 5000, "test_images": None}}
    words = read.words(changed(files | {"download/params.json": part}, "departures"))
    assert (
        "### The images Only the first 5,000 train images are taken. What this changes was not "
        "measured. ### The grids"
    ) in words


def test_long_tables_are_cut_and_linked(text):
    _, *rows = read.table(text, "The surest mistakes")
    assert [row.split(" | ")[0] for row in rows] == [str(image) for image in range(10)]
    assert read.notes(text, "The surest mistakes") == ["The file lists all 12."]


def test_sections_on_a_reduced_network_of_the_studys_say_so(text, changed):
    # the study has no net10
    analyses = ("occlusion", "filter-ablation", "filter-identification")
    assert not any("published size" in read.section(text, name) for name in analyses)
    used = {"analysis": {"net": "net2"}, "filter_ablation": {"filters": {"conv1": [0]}}}
    stages = ("occlusion", "filter-ablation", "filter-identify")
    text = changed({f"{stage}/params.json": used for stage in stages})
    for name in analyses:
        assert "Not at the published size: net2 (see there)" in read.section(text, name)


def test_what_the_data_has_not_is_left_out(reports, changed):
    (reports / "evaluate/protocols.png").unlink()
    absent = ["evaluate/protocols", "evaluate/misclassified", "filter-ablation/between_groups"]
    absent += ["filter-ablation/newly_misclassified"]
    files = {f"{name}.csv": folders.header_of(reports, name) for name in absent}
    text = changed(files)
    assert not re.search(r"\]\(.*(protocols|misclassified|between_groups)", text)
    assert "No test image went from right to wrong." in text
    assert "net10 gets no test image wrong." in text


def test_every_file_is_linked_and_every_link_leads_to_a_file(text, finished):
    linked = {unquote(path) for path in re.findall(r"\]\(([^)#]+)\)", text)}
    files = {path.relative_to(finished).as_posix() for path in finished.rglob("*.*")}
    # other stages write these next to the page
    assert linked - files == {"claims.json", "explore.html"}
    # metrics.json holds what the page shows elsewhere
    assert {path for path in files - linked if not path.endswith("metrics.json")} == set()


def test_the_same_folders_give_the_same_text_without_a_path_of_this_machine(text, reports, changed):
    assert changed({}, claims=claims.judge(reports)) == text
    assert str(reports.parent.parent) not in text
