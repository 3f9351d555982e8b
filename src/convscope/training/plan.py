"""The grids of params.yaml as runs, before anything is trained."""

from convscope.base.errors import UserError
from convscope.base.names import CLASSES
from convscope.base.paths import PARAMS
from convscope.config import params_file
from convscope.config.params_file import Params
from convscope.config.schema import Grid, Train
from convscope.data.augment import Augmentation
from convscope.data.datasets import DataSet, stratified_part
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
            few images for them.
    """
    shared = params_file.need(params.train, "train")
    kernels = params_file.need(params.kernels, "kernels")
    grid = section(params, net)
    images = _training_images(shared, dataset)
    if (largest := max(grid.batch_size)) > images:
        raise UserError(
            f"{PARAMS}: nets.{net}.batch_size: {largest} is more than the {images} images to "
            "train on: lower it, or take more (data.train_images)"
        )
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
    points = [{**each, **shape, "seed": seed} for seed in shared.seeds for each in grid.points()]
    return [Run(net, point, settings, dataset.fingerprint) for point in points]


def _training_images(shared: Train, dataset: DataSet) -> int:
    """How many images a run is trained on, which is the same for every seed."""
    if shared.select_on == "test":
        return len(dataset.train_labels)
    kept, held_out = stratified_part(dataset.train_labels, shared.validation_fraction, seed=0)
    if not len(held_out):
        raise UserError(
            f"{PARAMS}: train.validation_fraction: {shared.validation_fraction} of each "
            "class is not one image: raise it, or take more images (data.train_images)"
        )
    return len(kept)
