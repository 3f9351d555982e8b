"""One training run: seeded, resumable from its last finished epoch, complete when it is there.

The recipe is the study's (part 1): SGD with momentum, cross entropy and a constant learning rate;
unlike there, the images come in a new order each epoch.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import torch
from torch import Tensor

from convscope.base import files, kernels, runtime
from convscope.base.errors import UserError
from convscope.base.names import STUDY_MEASURED
from convscope.base.paths import HISTORY, RUN, WEIGHTS
from convscope.base.tensors import write_tensors
from convscope.data import augment
from convscope.data.datasets import DataSet, stratified_part
from convscope.nets import study_mode, zoo
from convscope.nets.inference import logits
from convscope.training import checkpoints
from convscope.training.checkpoints import CHECKPOINT, Checkpoint
from convscope.training.cuda_graph import CudaGraph, Replayed
from convscope.training.run import Run, derived_seed
from convscope.training.sgd import Sgd
from convscope.training.step import Step

Row = dict[str, float]


def overfit_percent(train_accuracy: float, test_accuracy: float) -> float:
    """The study's overfit%, 100 (train - test), clipped at 0 (study, net 2 and its run logs)."""
    return max(0.0, 100 * (train_accuracy - test_accuracy))


def is_complete(folder: Path) -> bool:
    """Whether a folder holds a run that was trained to its end, its files as they were written."""
    return bool(_stated(folder))


def is_finished(run: Run, folder: Path) -> bool:
    """Whether a folder holds this run, complete, and run.json says what its history does."""
    if not (stated := _stated(folder)):
        return False
    try:
        with (folder / HISTORY).open(encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream)
            history = [{key: float(value) for key, value in row.items()} for row in rows]
        return bool(stated == _document(run, history, stated["computed_on"], stated["md5"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _stated(folder: Path) -> dict[str, Any]:
    """What run.json says, which is written last; nothing if a file is not as it was written."""
    try:
        stated = json.loads((folder / RUN).read_text(encoding="utf-8"))
        md5 = {name: files.digest(folder / name) for name in (HISTORY, WEIGHTS)}
        return dict(stated) if stated["md5"] == md5 else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def train(
    run: Run,
    data: DataSet,
    folder: Path,
    device: torch.device,
    on_epoch: Callable[[Row], None] | None = None,
) -> None:
    """Train a run to its end, going on after the last epoch that an earlier attempt finished.

    Its folder holds a checkpoint, and at the end run.json, history.csv (a row an epoch, which
    ``on_epoch`` is called with) and best.safetensors (the weights of the best epoch). A row has the
    ``STUDY_MEASURED`` too where training images are augmented. The data set must be on the device.
    Seeds torch's global generators, which dropout draws from.

    Raises:
        UserError: The loss, or an output, is no longer finite.
    """
    with runtime.deterministic(run.settings.threads, run.settings.kernels):
        trainer = _Trainer(run, data, device)
        trainer.restore(folder / CHECKPOINT)
        if (kind := kernels.computed_on(device.type)) not in trainer.computed_on:
            trainer.computed_on.append(kind)
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
        module = zoo.build(run.net, **run.point)
        self.module = module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = Sgd(self.module, run.point["lr"], run.point["momentum"])
        bf16 = settings.precision == "bf16"
        self.sums = Step(self.module, self.optimizer, self.images, self.labels, bf16)
        graphs = runtime.cuda_graphs(device)
        self.step = Replayed(self.sums, CudaGraph()) if graphs else self.sums
        self.history: list[Row] = []
        self.computed_on: list[str] = []
        self.best: dict[str, Tensor] = {}

    def epoch(self) -> Row:
        """Train one epoch, measure it, and keep the weights if they are the best so far."""
        number = len(self.history) + 1
        loss, train_accuracy = self._train(number)
        if not math.isfinite(loss):
            self._diverged(f"the loss is {loss}")
        judged = {f"{name}_accuracy": self._accuracy(*part) for name, part in self.judges.items()}
        test_accuracy = judged.pop("test_accuracy")
        row: Row = {
            "epoch": number,
            "loss": loss,
            "train_accuracy": train_accuracy,
            "test_accuracy": test_accuracy,
            "overfit_percent": overfit_percent(train_accuracy, test_accuracy),
            **self._tested_as_the_study_did(number, train_accuracy),
            "total_parameters": zoo.parameter_count(self.module),
            **self.run.point,
            **judged,
        }
        self.history.append(row)
        if _best_row(self.run, self.history) is row:
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
        try:
            self.step(*batch)
        except ValueError as error:  # batch norm has no variance of a single value
            raise UserError(
                f"{self.run.net}: run {self.run.id} cannot be trained on a last batch of "
                f"{len(batch[0])} image ({error}): change its batch_size or data.train_images"
            ) from None

    def _batches(self, number: int) -> Iterator[tuple[Tensor, ...]]:
        """The epoch's batches as ``Step`` takes them, drawn on the CPU, new each epoch."""
        generator = torch.Generator().manual_seed(derived_seed(self.run.seed, number, "images"))
        total, size = len(self.labels), int(self.run.point["batch_size"])
        drawn = [torch.randperm(total, generator=generator)]
        if self.run.settings.augment.changes:
            drawn += augment.draw(total, self.run.settings.augment, generator)
        drawn = [values.to(self.device) for values in drawn]
        return zip(*(values.split(size) for values in drawn), strict=True)

    def _accuracy(self, images: Tensor, labels: Tensor) -> float:
        """Accuracy in evaluation mode on clean images, always in fp32."""
        return self._right(logits(self.module, images), labels)

    def _tested_as_the_study_did(self, number: int, train_accuracy: float) -> Row:
        """Accuracy in training mode on augmented test images, always in fp32, and the overfit.

        Where no image is augmented, nothing.
        """
        augmentation = self.run.settings.augment
        if not augmentation.changes:
            return {}
        images, labels = self.judges["test"]
        drawn, dropped = (
            derived_seed(self.run.seed, number, of) for of in ("study test", "study dropout")
        )
        batches = study_mode.augmented(images, augmentation, drawn)
        accuracy = self._right(study_mode.logits(self.module, batches, dropped), labels)
        measured = accuracy, overfit_percent(train_accuracy, accuracy)
        return dict(zip(STUDY_MEASURED, measured, strict=True))

    def _right(self, outputs: Tensor, labels: Tensor) -> float:
        """The share of images whose class the outputs say."""
        # batch norm can keep the loss finite when its running statistics are not
        if not outputs.isfinite().all():
            self._diverged("outputs on the test images are not finite")
        return (outputs.argmax(1) == labels).sum().item() / len(labels)

    def _diverged(self, what: str) -> NoReturn:
        """End a run whose network has diverged."""
        raise UserError(
            f"{self.run.net}: {what} in epoch {len(self.history) + 1} of run {self.run.id}: "
            f"lower its lr ({self.run.point['lr']:g}) in params.yaml"
        )

    def checkpoint(self, path: Path) -> None:
        """Write all that the next epoch depends on."""
        module, momenta = self.module.state_dict(), self.optimizer.momenta
        state = Checkpoint(module, momenta, self.best, self.history, self.computed_on)
        checkpoints.write(path, state)

    def restore(self, path: Path) -> None:
        """Go on after a checkpoint, if there is an intact one."""
        found = checkpoints.read(path)
        if found is None:
            return
        self.module.load_state_dict(found.module)
        self.optimizer.momenta = {
            key: torch.empty_like(parameter).copy_(found.momentum[key])
            for key, parameter in self.module.named_parameters()
            if key in found.momentum
        }
        self.history, self.computed_on = found.history, found.computed_on
        self.best = {key: tensor.to(self.device) for key, tensor in found.best.items()}

    def finish(self, folder: Path) -> None:
        """Write the run's files, run.json last, and delete the checkpoint."""
        write_tensors(folder / WEIGHTS, self.best)
        files.write_csv(folder / HISTORY, pd.DataFrame(self.history))
        md5 = {name: files.digest(folder / name) for name in (HISTORY, WEIGHTS)}
        document = _document(self.run, self.history, self.computed_on, md5)
        files.write_json(folder / RUN, document)
        (folder / CHECKPOINT).unlink(missing_ok=True)


def _best_row(run: Run, history: Sequence[Row]) -> Row:
    """The row with the highest selecting accuracy; of equals the earliest."""
    return max(history, key=lambda row: row[f"{run.settings.select_on}_accuracy"])


def _document(
    run: Run, history: Sequence[Row], computed_on: Sequence[str], md5: Mapping[str, str]
) -> dict[str, Any]:
    """What run.json says of a run that was trained to its end."""
    best = _best_row(run, history)
    measured = {key: value for key, value in best.items() if key not in run.point}
    parameters = measured.pop("total_parameters")
    return {
        "net": run.net,
        "point": run.point,
        "settings": run.settings.effective(),
        "identity": run.identity,
        "fingerprint": run.fingerprint,
        "computed_on": list(computed_on),
        "total_parameters": parameters,
        "best": measured,
        "md5": dict(md5),
    }
