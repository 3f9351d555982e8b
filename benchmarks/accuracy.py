"""What speed must not cost: the accuracy of both loops after the same epochs."""

from collections.abc import Iterator
from statistics import mean, stdev

import torch

from benchmarks import subjects, tutorial
from benchmarks.measuring import Row, threads

TITLE = "Accuracy after the same epochs, beside the loop of the PyTorch tutorial"
CPU = torch.device("cpu")


def rows(quick: bool) -> Iterator[Row]:
    """Test accuracy of both loops over some seeds; on a part of the images, for time."""
    epochs, seeds = (1, 2) if quick else (3, 4)
    plans = [("net1", 18, 64)] if quick else [("net1", 18, 10_000), ("net4", 12, 5_000)]
    for net, l1_oc, train in plans:
        data = subjects.part(train, 32 if quick else 5_000)
        ours, other = [], []
        for seed in range(seeds):
            point = {"l1_oc": l1_oc, "seed": seed, "batch_size": 32}
            run = subjects.run(net, epochs, point, precision=subjects.fastest())
            ours.append(subjects.train(run, data, CPU)[-1]["test_accuracy"])
            with threads(1):
                loop = tutorial.Loop(run, data, CPU)
                other.append([loop.epoch() for _ in range(epochs)][-1])
        size = f"{len(data.train_labels):,} images, {epochs} epochs"
        what = f"{net}, l1_oc {l1_oc}, {size}, {subjects.fastest()} beside the tutorial's fp32"
        yield _beside(f"{what}: mean and standard deviation over seeds", ours, other)


def _beside(what: str, ours: list[float], other: list[float]) -> Row:
    """Both accuracies; they should differ by no more than two standard errors."""
    mine, its = (f"{100 * mean(some):.2f} ± {100 * stdev(some):.2f} %" for some in (ours, other))
    difference = mean(ours) - mean(other)
    noise = 2 * ((stdev(ours) ** 2 + stdev(other) ** 2) / len(ours)) ** 0.5
    return Row(
        what,
        mine,
        its,
        f"{100 * difference:+.2f} points",
        f"not below by more than {100 * noise:.2f} points (2 standard errors)",
        difference >= -noise,
        len(ours),
    )
