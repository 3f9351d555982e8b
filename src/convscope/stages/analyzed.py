"""What the three analyses begin with: the analyzed network's best run, and the test images."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from convscope import config, data, runtime, trained, workspace
from convscope.analysis import chosen
from convscope.config import PARAMS, Params
from convscope.data import DataSet
from convscope.errors import UserError
from convscope.sections import Analysis


@dataclass(frozen=True)
class Subject:
    """A trained network under analysis, on the device that the analysis uses.

    Attributes:
        module: The network, with the weights of its best epoch.
        dataset: The data set, on the same device.
        params: params.yaml.
        settings: Its section ``analysis``.
    """

    module: nn.Sequential
    dataset: DataSet
    params: Params
    settings: Analysis

    @property
    def used(self) -> dict[str, Any]:
        """The shared parameters, for a report's params.json."""
        return {"analysis": self.settings.model_dump(mode="json")}


def load() -> Subject:
    """Load what the analyses share.

    Raises:
        UserError: params.yaml, the data set or the model folder is missing, damaged or wrong.
    """
    params = config.load()
    settings = config.need(params.analysis, "analysis")
    device = runtime.device()
    dataset = data.load(workspace.DATASET).to(device)
    module, _ = trained.load_best(workspace.models_of(settings.net), dataset.fingerprint)
    return Subject(module.to(device), dataset, params, settings)


def need_filters(subject: Subject, filters: chosen.Chosen, key: str) -> None:
    """See that the network has the filters that params.yaml chooses.

    Args:
        subject: Whose network.
        filters: Filter numbers by convolution.
        key: Where params.yaml has them.

    Raises:
        UserError: The network has no such convolution or filter.
    """
    try:
        chosen.check(subject.module, filters)
    except ValueError as error:
        raise UserError(f"{PARAMS}: {key}: {error}") from None
