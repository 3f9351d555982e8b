"""Lines about training."""

from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import torch

from convscope.base import paths
from convscope.data import datasets
from convscope.training import cuda_graph, executor, trainer
from convscope.training.cuda_graph import Replayed
from tests import toys
from tests.remedies.row import Row, each, env, nothing, replaced, write

DATASET = toys.red_or_blue()


def made(_):
    """The data set, as the stage download leaves it."""
    datasets.save(DATASET, paths.DATASET)


def train():
    """Train a run of the data set on disk, at the learning rate in a file."""
    lr = float(Path("lr").read_text()) if Path("lr").exists() else 0.02
    runs = [(toys.run(lr=lr, epochs=1), Path(f"runs/{at}")) for at in range(2)]
    executor.train_side_by_side(runs, paths.DATASET, lambda _: None)


def another(_):
    datasets.save(toys.red_or_blue(42), paths.DATASET)


def killed(*_):
    raise BrokenProcessPool


def batches():
    """Train on 40 images, by a size of batches in a file."""
    size = int(Path("size").read_text())
    run = toys.run("net3", epochs=1, kernel_size=7, batch_size=size)
    trainer.train(run, DATASET, Path(f"runs/{size}"), torch.device("cpu"))


def no_memory(*_, **__):
    raise MemoryError


class NoGraph:
    """A graph that cannot be recorded."""

    def prepare(self, work):
        work()

    def record(self, _):
        raise RuntimeError("operation not permitted\nand more")


def recorded():
    work = Replayed(lambda _: None, NoGraph())
    for _ in range(cuda_graph.ORDINARY_CALLS + 1):
        work(torch.ones(1))


ROWS = [
    Row(
        "training/executor.train_side_by_side",
        "a training process was killed, perhaps because the machine was out of memory: run the "
        "stage again (finished epochs are kept), with CONVSCOPE_WORKERS=1 if it recurs",
        train,
        each(made, env(CONVSCOPE_WORKERS="2"), replaced(executor, "_train_in_processes", killed)),
        env(CONVSCOPE_WORKERS="1"),
    ),
    Row(
        "training/executor.train_run",
        "data/dataset.safetensors was changed while the stage ran: run it again",
        train,
        another,
        made,
    ),
    Row(
        "training/executor.train_run 2",
        "net1: run … needs more memory than there is: lower its batch_size or l1_oc in "
        "params.yaml, or set CONVSCOPE_WORKERS=1",
        train,
        each(made, replaced(trainer, "train", no_memory)),
        "buys memory",
    ),
    Row(
        "training/trainer._Trainer._take",
        "net3: run … cannot be trained on a last batch of 1 image (Expected more than 1 value "
        "per channel when training, got input size …): change its batch_size or data.train_images",
        batches,
        write("size", "39"),
        write("size", "20"),
    ),
    Row(
        "training/trainer._Trainer._diverged",
        "net1: the loss is nan in epoch 1 of run …: lower its lr (1e+06) in params.yaml",
        train,
        each(made, write("lr", "1e6")),
        write("lr", "0.01"),
    ),
    Row(
        "training/cuda_graph.Replayed._record",
        "the GPU cannot record a training step (operation not permitted): set "
        "CONVSCOPE_CUDA_GRAPHS=off",
        recorded,
        nothing,
        "needs a GPU",
    ),
]
