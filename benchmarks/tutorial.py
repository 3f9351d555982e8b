"""The training loop of PyTorch's CIFAR-10 tutorial, which the study took over.

https://docs.pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.html: a data set that makes a PIL
image of each array, as torchvision's CIFAR10 does, torchvision's transforms, a DataLoader with two
workers, fp32, ReLU before pooling. The network, its point and the images are the benchmark's.
"""

import time
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from PIL import Image
from tests.torchvision_compat import import_torchvision
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from convscope.data.datasets import DataSet
from convscope.nets import zoo
from convscope.training.run import Run

WORKERS = 2
WARM_STEPS = 2


class Images(Dataset[tuple[Tensor, int]]):
    """Images and labels as ``torchvision.datasets.CIFAR10`` holds and gives them."""

    def __init__(self, images: Tensor, labels: Tensor, transform: Any) -> None:
        self.data = images.permute(0, 2, 3, 1).contiguous().numpy()
        self.targets = labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.data[index])), self.targets[index]


class Loop:
    """A network, its optimizer and its loaders, ready to train.

    Args:
        run: What to train; its precision and threads play no part here.
        data: The images, on the CPU.
        device: Where to compute.
        workers: Processes that load images for training, and as many for testing.
    """

    def __init__(
        self, run: Run, data: DataSet, device: torch.device, workers: int = WORKERS
    ) -> None:
        torch.manual_seed(run.seed)
        self.device = device
        self.module = relu_first(zoo.build(run.net, **run.point)).to(device)
        self.optimizer = torch.optim.SGD(
            self.module.parameters(), lr=run.point["lr"], momentum=run.point["momentum"]
        )
        self.criterion = nn.CrossEntropyLoss()
        transforms = import_torchvision("torchvision.transforms")
        plain = transforms.ToTensor()
        training = plain
        if (augment := run.settings.augment).changes:
            augmentations = [
                transforms.RandomCrop(32, padding=augment.padding),
                transforms.RandomHorizontalFlip(augment.flip),
                transforms.ColorJitter(augment.brightness, augment.contrast, augment.saturation),
            ]
            training = transforms.Compose([*augmentations, plain])
        size = int(run.point["batch_size"])
        train = Images(data.train_images, data.train_labels, training)
        test = Images(data.test_images, data.test_labels, plain)
        self.train_loader = DataLoader(train, size, shuffle=True, num_workers=workers)
        self.test_loader = DataLoader(test, size, num_workers=workers)

    def epoch(self) -> float:
        """Train one epoch, then test: the accuracy on the test images."""
        for _ in self._steps():
            pass
        self.module.eval()
        correct = total = 0
        with torch.no_grad():
            for images, labels in self.test_loader:
                predicted = self.module(images.to(self.device)).argmax(1).cpu()
                total += len(labels)
                correct += int((predicted == labels).sum())
        return correct / total

    def step_seconds(self) -> float:
        """Mean time of a training step, once the workers run and have loaded ahead."""
        ends = [time.perf_counter() for _ in self._steps()]
        return (ends[-1] - ends[WARM_STEPS - 1]) / (len(ends) - WARM_STEPS)

    def _steps(self) -> Iterator[tuple[float, int]]:
        """Train one epoch step by step, as the tutorial does, counting what it gets right."""
        self.module.train()
        running_loss, correct = 0.0, 0
        for images, labels in self.train_loader:
            inputs, truth = images.to(self.device), labels.to(self.device)
            self.optimizer.zero_grad()
            outputs = self.module(inputs)
            loss = self.criterion(outputs, truth)
            loss.backward()
            self.optimizer.step()
            running_loss += loss.item()
            correct += int((outputs.argmax(1) == truth).sum())
            yield running_loss, correct


def relu_first(module: nn.Sequential) -> nn.Sequential:
    """The network with ReLU before pooling, as tutorial and study have it."""
    children = list(module.named_children())
    for index, ((_, child), (_, following)) in enumerate(pairwise(list(children))):
        if isinstance(child, nn.MaxPool2d) and isinstance(following, nn.ReLU):
            children[index : index + 2] = children[index + 1], children[index]
    return nn.Sequential(OrderedDict(children))
