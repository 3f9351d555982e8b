"""One training run: seeded, resumable from its last finished epoch, whole when it is there.

The recipe is the study's (part 1): SGD with momentum, cross entropy and a constant learning rate;
unlike there, the images come in a new order each epoch.
"""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from convscope import augment, files, nets, runtime
from convscope.data import DataSet, stratified_part
from convscope.errors import UserError
from convscope.inference import logits
from convscope.replay import CudaGraph, Replayed
from convscope.runs import HISTORY, RUN, WEIGHTS, Run, derived_seed
from convscope.steps import Step
from convscope.tensors import read_tensors, write_tensors

Row = dict[str, float]

CHECKPOINT = "checkpoint.safetensors"


def overfit_percent(train_accuracy: float, test_accuracy: float) -> float:
    """The study's overfit%, 100 (train - test), clipped at 0 (study, net 2 and its run logs)."""
    return max(0.0, 100 * (train_accuracy - test_accuracy))


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a run that was trained to its end and is undamaged.

    run.json is written last, and names the md5 of the other files.
    """
    try:
        stated = json.loads((folder / RUN).read_text(encoding="utf-8"))["md5"]
        return bool(stated == {name: files.digest(folder / name) for name in (HISTORY, WEIGHTS)})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def train(
    run: Run,
    data: DataSet,
    folder: Path,
    device: torch.device,
    on_epoch: Callable[[Row], None] | None = None,
) -> None:
    """Train a run to its end, going on after the last epoch that an earlier attempt finished.

    Seeds torch's global generators, which dropout draws from.

    Args:
        run: What to train.
        data: The data set, on ``device``.
        folder: Where the checkpoint goes, and at the end run.json, history.csv (a row an epoch)
            and best.safetensors (the weights of the best epoch).
        device: Where to compute.
        on_epoch: Told each finished epoch's row of history.csv.

    Raises:
        UserError: The loss is no longer a number.
    """
    with runtime.deterministic(run.settings.threads):
        trainer = _Trainer(run, data, device)
        trainer.restore(folder / CHECKPOINT)
        while len(trainer.history) < run.settings.epochs:
            row = trainer.epoch()
            trainer.checkpoint(folder / CHECKPOINT)
            if on_epoch:
                on_epoch(row)
        trainer.finish(folder)


class _Trainer:
    """The state of a run between two epochs."""

    def __init__(self, run: Run, data: DataSet, device: torch.device) -> None:
        self.run, self.device, settings = run, device, run.settings
        self.images, self.labels = data.train_images, data.train_labels
        self.judges = {"test": (data.test_images, data.test_labels)}
        if settings.select_on == "validation":
            fraction = settings.validation_fraction
            kept, held = stratified_part(self.labels, fraction, int(run.point["seed"]))
            self.judges["validation"] = self.images[held], self.labels[held]
            self.images, self.labels = self.images[kept], self.labels[kept]
        torch.manual_seed(run.seed)
        module = nets.build(run.net, **run.point)
        self.module = module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.SGD(
            self.module.parameters(), lr=run.point["lr"], momentum=run.point["momentum"], fused=True
        )
        bf16 = settings.precision == "bf16"
        self.sums = Step(self.module, self.optimizer, self.images, self.labels, bf16)
        graphs = runtime.cuda_graphs(device)
        self.step = Replayed(self.sums, CudaGraph()) if graphs else self.sums
        self.history: list[Row] = []
        self.best: dict[str, Tensor] = {}

    def epoch(self) -> Row:
        """Train one epoch, measure it, and keep the weights if they are the best so far."""
        number = len(self.history) + 1
        loss, train_accuracy = self._train(number)
        if not math.isfinite(loss):
            raise UserError(
                f"{self.run.net}: the loss is {loss} in epoch {number} of run {self.run.id}: "
                f"lower its lr ({self.run.point['lr']:g}) in params.yaml"
            )
        judged = {f"{name}_accuracy": self._accuracy(*part) for name, part in self.judges.items()}
        test_accuracy = judged.pop("test_accuracy")
        row: Row = {
            "epoch": number,
            "loss": loss,
            "train_accuracy": train_accuracy,
            "test_accuracy": test_accuracy,
            "overfit_percent": overfit_percent(train_accuracy, test_accuracy),
            "total_parameters": nets.parameter_count(self.module),
            **self.run.point,
            **judged,
        }
        self.history.append(row)
        if self._best_row() is row:
            self.best = {key: value.clone() for key, value in self.module.state_dict().items()}
        return row

    def _train(self, number: int) -> tuple[float, float]:
        """One pass over the training images: their mean loss and accuracy as it went."""
        torch.manual_seed(derived_seed(self.run.seed, number))
        self.module.train()
        self.sums.reset()
        for batch in self._batches(number):
            self._take(batch)
        total = len(self.labels)
        return self.sums.loss.item() / total, self.sums.correct.item() / total

    def _take(self, batch: tuple[Tensor, ...]) -> None:
        """Take a step on a batch."""
        try:
            self.step(*batch)
        except ValueError as error:  # batch norm has no variance of a single value
            raise UserError(
                f"{self.run.net}: run {self.run.id} cannot be trained on a last batch of "
                f"{len(batch[0])} image ({error}): change its batch_size or data.train_images"
            ) from None

    def _batches(self, number: int) -> Iterator[tuple[Tensor, ...]]:
        """The epoch's batches as ``Step`` takes them, drawn on the CPU and anew each epoch."""
        generator = torch.Generator().manual_seed(derived_seed(self.run.seed, number, "images"))
        total, size = len(self.labels), int(self.run.point["batch_size"])
        drawn = [torch.randperm(total, generator=generator)]
        if self.run.settings.augment:
            drawn += augment.draw(total, generator)
        drawn = [values.to(self.device) for values in drawn]
        return zip(*(values.split(size) for values in drawn), strict=True)

    def _accuracy(self, images: Tensor, labels: Tensor) -> float:
        """Accuracy in evaluation mode on clean images, always in fp32."""
        return (logits(self.module, images).argmax(1) == labels).sum().item() / len(labels)

    def _best_row(self) -> Row:
        """The row with the highest selecting accuracy; of equals the earliest."""
        return max(self.history, key=lambda row: row[f"{self.run.settings.select_on}_accuracy"])

    def checkpoint(self, path: Path) -> None:
        """Keep all that the next epoch depends on."""
        momenta = {
            key: self.optimizer.state[parameter]["momentum_buffer"]
            for key, parameter in self.module.named_parameters()
            if self.optimizer.state[parameter].get("momentum_buffer") is not None
        }
        parts = {"module": self.module.state_dict(), "momentum": momenta, "best": self.best}
        tensors = {f"{part}.{key}": t for part, items in parts.items() for key, t in items.items()}
        write_tensors(path, tensors, {"history": json.dumps(self.history)})

    def restore(self, path: Path) -> None:
        """Go on after a checkpoint, if there is one that can be read."""
        if not path.is_file():
            return
        try:
            tensors, metadata = read_tensors(path, f"train {self.run.net}")
            history = json.loads(metadata["history"])
        except (UserError, KeyError, ValueError):
            return  # a damaged checkpoint costs its epochs, not the run
        parts: dict[str, dict[str, Tensor]] = {"module": {}, "momentum": {}, "best": {}}
        for name, tensor in tensors.items():
            part, key = name.split(".", 1)
            parts[part][key] = tensor.to(self.device)
        self.module.load_state_dict(parts["module"])
        for key, parameter in self.module.named_parameters():
            if key in parts["momentum"]:
                buffer = torch.empty_like(parameter).copy_(parts["momentum"][key])
                self.optimizer.state[parameter]["momentum_buffer"] = buffer
        self.history, self.best = history, parts["best"]

    def finish(self, folder: Path) -> None:
        """Write the run's files, run.json last, and drop the checkpoint."""
        best = self._best_row()
        write_tensors(folder / WEIGHTS, self.best)
        files.write_csv(folder / HISTORY, pd.DataFrame(self.history))
        measured = {key: value for key, value in best.items() if key not in self.run.point}
        parameters = measured.pop("total_parameters")
        run = {
            "net": self.run.net,
            "point": self.run.point,
            "settings": self.run.settings.effective(),
            "identity": self.run.identity,
            "fingerprint": self.run.fingerprint,
            "total_parameters": parameters,
            "best": measured,
            "md5": {name: files.digest(folder / name) for name in (HISTORY, WEIGHTS)},
        }
        files.write_json(folder / RUN, run)
        (folder / CHECKPOINT).unlink(missing_ok=True)
