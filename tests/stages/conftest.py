"""A project with a trained network whose answers can be worked out: it sees three colors."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from tests import toys

from convscope.base import files, paths, tensors
from convscope.data import datasets
from convscope.data.datasets import DataSet
from convscope.nets import zoo
from convscope.nets.inference import logits

COLORS = ("red", "green", "blue")
# a network's ten outputs need ten classes
CLASSES = (*COLORS, *"3456789")
RUN = toys.run("net1", l1_oc=3, filter_multiplier=1.0, kernel_size=1)


def sees_colors():
    """A net1 whose logits are 4 times the mean, over 8 x 8 maps, of each color's pooled pixels.

    Filter 0 of both convolutions is red, 1 green, 2 blue. Classes 3 to 9 are never predicted.
    """
    module = zoo.build(RUN.net, **RUN.point)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        for color in range(3):
            for layer in (module.conv1, module.conv2, module.fc2, module.fc3):
                layer.weight[color, color] = 1
            module.fc1.weight[color, 64 * color : 64 * (color + 1)] = 4 / 64
        module.fc3.bias[3:] = -100
    return module.eval()


def colored(count=30):
    """Dark noise with a bright, off-center square of a color, in no order; six labels are wrong."""
    generator = torch.Generator().manual_seed(5)
    colors = torch.randint(0, 3, (count,), generator=generator)
    pixels = torch.randint(0, 90, (count, 3, 32, 32), generator=generator)
    for image, color in enumerate(colors.tolist()):
        corner = 2 + image % 13
        pixels[image, color, corner : corner + 14, 3 : 3 + 14] += 120
    labels = colors.clone()
    labels[1::5] = (labels[1::5] + 1) % 3
    return pixels.to(torch.uint8), labels


def save(run, module, dataset):
    """Leave a data set, and a network as its train stage does: one run of one epoch on it."""
    datasets.save(dataset, paths.DATASET)
    run = replace(run, data=dataset.fingerprint)
    folder = paths.models_of(run.net)
    correct = logits(module, dataset.test_images).argmax(1) == dataset.test_labels
    weights = folder / "runs" / run.id / paths.WEIGHTS
    tensors.write_tensors(weights, module.state_dict())
    files.write_json(
        folder / paths.BEST,
        {
            "run": 1,
            "id": run.id,
            "net": run.net,
            "point": run.point,
            "fingerprint": run.fingerprint,
            "best": {
                "epoch": 1,
                "train_accuracy": 0.5,
                "test_accuracy": correct.double().mean().item(),
                "overfit_percent": 0.0,
            },
            "settings": run.settings.effective(),
            "identity": run.identity,
            "total_parameters": 7,
            "md5": {paths.WEIGHTS: files.digest(weights)},
        },
    )
    return folder


def write_params(text):
    """Write params.yaml: these sections, and which network is analyzed."""
    files.write_text(
        paths.PARAMS, f"kernels: portable\nanalysis: {{net: {RUN.net}, threads: 1}}\n{text}"
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project's data set and network.

    Of the 30 test images 24 are of the color that their label says.
    """
    images, labels = colored()
    parts = (images[:10].clone(), labels[:10].clone(), images, labels)
    module = sees_colors()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("project"))
        patch.setenv("CONVSCOPE_DEVICE", "cpu")
        save(RUN, module, DataSet(*parts, classes=CLASSES, groups={}, url="toy", md5=""))
        yield SimpleNamespace(images=images, labels=labels, module=module)


@pytest.fixture(scope="module")
def table(project, request):  # noqa: ARG001
    """Runs the test file's STAGE with its PARAMS; a function that reads a table of its report."""
    stage = request.module.STAGE
    write_params(request.module.PARAMS)
    stage.run()
    folder = paths.REPORTS / stage.__name__.rpartition(".")[2].replace("_", "-")
    return lambda name: files.read_csv(folder / f"{name}.csv", "a stage")
