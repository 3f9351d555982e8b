"""Pages of a small network that a browser runs: by itself, and as if it were too wide for that."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tests import toys
from tests.stages.conftest import save
from torch.nn.functional import interpolate

from convscope.base import files, paths
from convscope.data.datasets import DataSet
from convscope.nets import zoo
from convscope.report.explorer import network
from convscope.stages import explore, filter_ablation, filter_identify, occlusion

CLASSES = ("airplane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# batch norms, two sizes of maps, a pool within: all that a network of the study has
RUN = toys.run("net4", l1_oc=4)
WINDOWS = [7, 20]
FILTERS = {"conv1": [0, 1], "conv3": [2]}
PARAMS = f"""kernels: portable
analysis: {{net: net4, threads: 1}}
occlusion: {{images: 3, window_sizes: {WINDOWS}, survey_images: 4, survey_stride: 12, seed: 3}}
filter_ablation: {{filters: {FILTERS}, newly_wrong: 5, atlas_images: 30}}
filter_identify: {{filters: {FILTERS}, top_k: 6, shown: 3}}
explore: {{images: 56}}
"""


def spots(count):
    """Smooth patches of color, (count, 3, 32, 32) uint8."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, 3, 6, 6, generator=generator)
    smooth = interpolate(coarse, size=32, mode="bicubic", align_corners=False)
    return (255 * smooth.clamp(0, 1)).to(torch.uint8)


def opinionated(images):
    """A net4 that was never trained, and is of every opinion about these images."""
    torch.manual_seed(2)
    module = zoo.build(RUN.net, **RUN.point)
    pixels = images.float() / 255
    with torch.no_grad():
        for _ in range(20):
            module.train()(pixels)
        *_, last = (child for child in module.eval() if isinstance(child, torch.nn.Linear))
        found = module(pixels)
        spread = found.std(0) / 1.5
        last.bias.copy_((last.bias - found.mean(0)) / spread)
        last.weight.div_(spread[:, None])
    return module


@pytest.fixture(scope="session")
def explored(made_once, chromium):  # noqa: ARG001  without it nothing need be made
    """A finished project's pages, network and test images, of which one label in four is wrong."""
    images = spots(60)
    module = opinionated(images)
    labels = module(images.float() / 255).argmax(1)
    labels[::4] = (labels[::4] + 1) % len(CLASSES)
    parts = (images[:10].clone(), labels[:10].clone(), images, labels)
    dataset = DataSet(*parts, CLASSES, groups={}, url="toy", md5="")

    def make(folder):
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setenv("CONVSCOPE_DEVICE", "cpu")
            save(RUN, module, dataset)
            files.write_text(paths.PARAMS, PARAMS)
            for stage in (occlusion, filter_ablation, filter_identify, explore):
                stage.run()
            patch.setattr(network, "MOST_WEIGHTS", 0)
            explore.show([], Path("wide.html"))

    folder = made_once("explored", make)
    return SimpleNamespace(
        live=folder / explore.PAGE,
        wide=folder / "wide.html",
        reports=folder / paths.REPORTS,
        module=module,
        images=images,
        labels=labels,
    )
