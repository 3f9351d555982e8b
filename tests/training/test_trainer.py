import json

import pandas as pd
import pytest
import torch
from torch import nn

from convscope.base import kernels, metrics, paths, tensors
from convscope.base.errors import UserError
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
