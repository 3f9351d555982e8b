import json

import pandas as pd
import pytest
import torch
from torch import nn

from convscope.base import kernels, metrics, paths, tensors
from convscope.base.errors import UserError
from convscope.base.names import STUDY_MEASURED
from convscope.data import augment
from convscope.data.augment import Augmentation
from convscope.nets import zoo
from convscope.training import trainer
from tests import toys
from tests.training.toy_runs import CPU, cut, train


def history(folder):
    return pd.read_csv(folder / "history.csv")


@pytest.mark.parametrize(("precision", "accuracy"), [("fp32", 1.0), ("bf16", 0.901)])
def test_it_learns(precision, accuracy, tmp_path):
    train(toys.run(epochs=4, precision=precision), tmp_path, toys.red_or_blue(train=320))
    rows = history(tmp_path)
    assert rows["test_accuracy"].max() >= accuracy
    assert rows["loss"].iloc[-1] < rows["loss"].iloc[0]


@pytest.mark.parametrize("net", ["net1", "net2", "net3", "net4"])
def test_the_same_run_gives_the_same_bytes(net, tmp_path):
    dropout = 0.3 if net in ("net3", "net4") else 0.0
    run = toys.run(net, epochs=1, dropout_rate=dropout)
    first = train(run, tmp_path / "a")
    torch.rand(7)  # the state of the global generator does not matter
    assert train(run, tmp_path / "b") == first


def test_an_interrupted_run_ends_with_the_same_bytes(tmp_path):
    run = toys.run("net4", epochs=4, dropout_rate=0.3)
    whole = train(run, tmp_path / "whole")
    cut(run, 2, tmp_path / "cut")
    assert not trainer.is_finished(run, tmp_path / "cut")
    rest = []
    assert train(run, tmp_path / "cut", on_epoch=rest.append) == whole
    assert [row["epoch"] for row in rest] == [3, 4]


def test_run_json_names_every_kind_of_processor_that_computed(tmp_path, monkeypatch):
    run = toys.run(epochs=3)
    cut(run, 1, tmp_path)
    first = kernels.computed_on("cpu")
    monkeypatch.setattr(kernels, "computed_on", lambda device: f"another {device}")
    train(run, tmp_path)
    stated = json.loads((tmp_path / paths.RUN).read_text())
    assert stated["computed_on"] == [first, "another cpu"]
    assert trainer.is_finished(run, tmp_path)


@pytest.mark.parametrize("place", [9, 0.5, 0.9, -1])
def test_a_damaged_checkpoint_costs_only_its_epochs(place, tmp_path):
    run = toys.run()
    whole = train(run, tmp_path / "whole")
    path = cut(run, 1, tmp_path / "cut")
    content = bytearray(path.read_bytes())
    content[int(place * len(content)) if isinstance(place, float) else place] ^= 1
    path.write_bytes(content)
    assert train(run, path.parent) == whole


def test_a_network_whose_outputs_are_no_numbers_ends_the_run_with_its_name():
    run, data = toys.run("net3"), toys.red_or_blue()
    state = trainer._Trainer(run, data, CPU)
    state.module.get_submodule("norm1").running_var.fill_(float("nan"))
    told = r"net3: outputs on the test images are not finite in epoch 1 of run \S+: lower its lr"
    with pytest.raises(UserError, match=told):
        state._accuracy(data.test_images, data.test_labels)


def test_one_epoch_agrees_with_a_plain_loop(tmp_path):
    """The slow, obvious reference: the same batches through torch's own, unfused pieces."""
    run, data = toys.run("net2", epochs=1), toys.red_or_blue()
    train(run, tmp_path)
    row = history(tmp_path).iloc[0]

    state = trainer._Trainer(run, data, CPU)
    batches = [state.sums.batch(*batch) for batch in state._batches(1)]
    torch.manual_seed(run.seed)
    module = zoo.build(run.net, **run.point)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.02, momentum=0.9)
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(module(images.contiguous()), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item() * len(labels))
    assert [len(labels) for _, labels in batches] == [16, 16, 8]
    assert row["loss"] == pytest.approx(sum(losses) / 40, rel=1e-4)
    weights, _ = tensors.read_tensors(tmp_path / paths.WEIGHTS, "train")
    for key, value in module.state_dict().items():
        torch.testing.assert_close(weights[key], value, rtol=1e-3, atol=1e-5)


def test_every_epoch_sees_every_image_once_in_a_new_order():
    data = toys.red_or_blue()
    state = trainer._Trainer(toys.run(), data, CPU)

    def order(epoch):
        images = torch.cat([state.sums.batch(*batch)[0] for batch in state._batches(epoch)])
        pixels = (images * 255).round().to(torch.uint8)
        return [int((data.train_images == image).flatten(1).all(1).nonzero()) for image in pixels]

    assert sorted(order(1)) == list(range(40))
    assert order(1) != order(2)


@pytest.mark.parametrize("selecting", ["test", "validation"])
def test_best_is_the_epoch_with_the_highest_accuracy_of_the_kind_that_selects(selecting, tmp_path):
    run = toys.run(epochs=4, select_on=selecting, validation_fraction=0.25)
    train(run, tmp_path)
    best = json.loads((tmp_path / "run.json").read_text())["best"]
    rows = history(tmp_path)
    assert best["epoch"] == rows.loc[rows[f"{selecting}_accuracy"].idxmax(), "epoch"]
    module = zoo.build(run.net, **run.point)
    module.load_state_dict(tensors.read_tensors(tmp_path / paths.WEIGHTS, "train")[0])
    data = toys.red_or_blue()
    outputs = trainer.logits(module, data.test_images)
    assert metrics.accuracy(outputs, data.test_labels) == best["test_accuracy"]


def test_selection_on_validation_holds_out_a_part_of_the_training_set():
    run = toys.run(epochs=3, select_on="validation", validation_fraction=0.25)
    state = trainer._Trainer(run, toys.red_or_blue(), CPU)
    images, labels = state.judges["validation"]
    assert (len(images), len(state.images)) == (10, 30)
    assert torch.bincount(labels).tolist() == [5, 5]


def test_a_loss_that_is_no_number_ends_the_run_with_its_name(tmp_path):
    run = toys.run(lr=1e30)
    told = r"net1: the loss is nan in epoch 1 of run l1_oc4\S+: lower its lr"
    with pytest.raises(UserError, match=told):
        train(run, tmp_path)
    assert not trainer.is_finished(run, tmp_path)


def test_overfit_is_clipped_at_zero():
    assert trainer.overfit_percent(0.75, 0.5) == 25.0
    assert trainer.overfit_percent(0.5, 0.75) == 0.0


AUGMENTED = toys.run("net4", epochs=3, dropout_rate=0.3)


def columns(folder):
    return list(history(folder)), list(json.loads((folder / paths.RUN).read_text())["best"])


def test_augmented_runs_are_also_tested_as_the_study_did_and_no_others(tmp_path):
    train(toys.run("net4", epochs=1), tmp_path / "augmented")
    train(toys.run("net4", epochs=1, augment=Augmentation()), tmp_path / "clean")
    measured = ["epoch", "loss", "train_accuracy", "test_accuracy", "overfit_percent"]
    rest = ["total_parameters", *toys.POINT]
    shown, best = columns(tmp_path / "augmented")
    assert shown == [*measured, *STUDY_MEASURED, *rest]
    assert {*best} == {*measured, *STUDY_MEASURED}
    shown, best = columns(tmp_path / "clean")
    assert shown == [*measured, *rest]
    assert {*best} == {*measured}


def test_testing_as_the_study_did_changes_nothing_else(tmp_path, monkeypatch):
    with_it = train(AUGMENTED, tmp_path / "with")
    monkeypatch.setattr(trainer._Trainer, "_tested_as_the_study_did", lambda *_: {})
    without = train(AUGMENTED, tmp_path / "without")
    assert with_it[paths.WEIGHTS] == without[paths.WEIGHTS]
    rows = history(tmp_path / "with").drop(columns=[*STUDY_MEASURED])
    pd.testing.assert_frame_equal(rows, history(tmp_path / "without"))


def test_the_study_s_test_agrees_with_a_plain_loop():
    """The slow, obvious reference: the epoch's draws, a module in training mode, its argmax."""
    data = toys.red_or_blue(test=300)
    state = trainer._Trainer(AUGMENTED, data, CPU)
    found = state._tested_as_the_study_did(2, train_accuracy=0.75)

    images, dropout = (
        trainer.derived_seed(AUGMENTED.seed, 2, of) for of in ("study test", "study dropout")
    )
    draws = augment.draw(300, AUGMENTED.settings.augment, torch.Generator().manual_seed(images))
    module = zoo.build(AUGMENTED.net, **AUGMENTED.point)
    module.load_state_dict(state.module.state_dict())
    torch.manual_seed(dropout)
    outputs = []
    for batch in (slice(0, 256), slice(256, 300)):
        pixels = augment.apply(data.test_images[batch], draws[batch])
        outputs.append(module.train()(pixels.contiguous(memory_format=torch.channels_last)))
    accuracy = metrics.accuracy(torch.cat(outputs), data.test_labels)
    assert 0 < accuracy < 0.75
    assert list(found) == list(STUDY_MEASURED)
    assert list(found.values()) == pytest.approx([accuracy, 100 * (0.75 - accuracy)])


def test_each_epoch_draws_test_images_of_its_own_and_the_global_state_decides_nothing(monkeypatch):
    seeds = []
    drawn = trainer.study_mode.augmented

    def note(images, augmentation, seed):
        seeds.append(seed)
        return drawn(images, augmentation, seed)

    monkeypatch.setattr(trainer.study_mode, "augmented", note)
    state = trainer._Trainer(AUGMENTED, toys.red_or_blue(test=300), CPU)
    found = []
    for epoch, other in ((1, 0), (1, 7), (2, 0)):
        torch.manual_seed(other)
        before = torch.get_rng_state()
        found.append(state._tested_as_the_study_did(epoch, 0.5))
        assert torch.equal(torch.get_rng_state(), before)
    assert seeds[0] == seeds[1] != seeds[2]
    assert found[0] == found[1]


def test_it_is_in_full_precision_whatever_the_training_s():
    kinds = set()

    def note(module, inputs, output):
        kinds.add((inputs[0].dtype, output.dtype, module.training))

    run = toys.run("net4", precision="bf16", dropout_rate=0.3)
    state = trainer._Trainer(run, toys.red_or_blue(), CPU)
    state.module.get_submodule("conv1").register_forward_hook(note)
    state._tested_as_the_study_did(1, 0.5)
    assert kinds == {(torch.float32, torch.float32, True)}


def test_overfit_as_the_study_tested_is_clipped_like_the_other():
    state = trainer._Trainer(AUGMENTED, toys.red_or_blue(), CPU)
    assert state._tested_as_the_study_did(1, 0.0)["study_overfit_percent"] == 0.0
