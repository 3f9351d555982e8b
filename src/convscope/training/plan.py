"""The grids of params.yaml as runs, before anything is trained."""

from convscope.base.errors import UserError
from convscope.base.names import CLASSES
from convscope.config import params_file
from convscope.config.params_file import Params
from convscope.config.schema import Grid
from convscope.data.augment import Augmentation
from convscope.data.datasets import DataSet
from convscope.nets import zoo
from convscope.training.run import Run, Settings


def section(params: Params, net: str) -> Grid:
    """A grid's section of params.yaml.

    Raises:
        UserError: There is no such network, or params.yaml has no grid of it.
    """
    if net not in zoo.NETS:
        raise UserError(f"{net!r} is not a network; known: {', '.join(zoo.NETS)}")
    return params_file.need(params.nets.get(net), f"nets.{net}")


def runs(params: Params, net: str, dataset: DataSet) -> list[Run]:
    """The runs of a grid in the study's order; further seeds repeat the complete grid.

    Raises:
        UserError: params.yaml has no such grid or no section ``train``, or the data set has too
            few images for a grid, be it another one: a pipeline's first stage says so.
    """
    shared = params_file.need(params.train, "train")
    kernels = params_file.need(params.kernels, "kernels")
    grid = section(params, net)
    params_file.require_images(params, dataset.train_labels)
    settings = Settings(
        epochs=grid.epochs,
        augment=Augmentation(**grid.augment.model_dump()),
        select_on=shared.select_on,
        validation_fraction=shared.validation_fraction,
        precision=shared.precision,
        threads=shared.threads,
        kernels=kernels,
    )
    # ten classes are the study's and go without saying, so that its runs keep their fingerprints
    outputs = len(dataset.classes)
    shape: dict[str, float] = {} if outputs == zoo.USUAL_CLASSES else {CLASSES: outputs}
    points = [
        {**each, **shape, "seed": seed} for seed in params.seeds(net) for each in grid.points()
    ]
    return [Run(net, point, settings, dataset.fingerprint) for point in points]
