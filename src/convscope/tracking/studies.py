"""Which of the studies in conf/study a finished stage has the parameters of."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from convscope.base import paths
from convscope.base.errors import UserError
from convscope.base.report_folder import Finished
from convscope.nets.filter_selection import resolve

STUDIES = Path("conf/study")
CHANGED = "changed"


def study_of(root: Path, net: str | None, params: Mapping[str, Any]) -> str:
    """The studies whose values a stage's params.json has, by their names; ``CHANGED`` if none.

    Several, joined by commas, where they do not differ in what the stage uses. The data set is
    not a study's, and a stage that uses nothing else has none: "".

    Args:
        root: The project folder.
        net: The network that the stage trains, whose section params.json calls ``net``.
        params: The content of params.json.
    """
    used = {key: value for key, value in params.items() if key not in ("data", "net")}
    if net is not None:
        used["nets"] = params.get("net")
    if not used:
        return ""
    names = []
    for path in sorted((root / STUDIES).glob("*.yaml")):
        values = _composed(path)
        values["nets"] = values.get("nets", {}).get(net)
        values |= _with_filters(root, values, params)
        if all(values.get(key) == value for key, value in used.items()):
            names.append(path.stem)
    return ", ".join(names) or CHANGED


def _with_filters(
    root: Path, values: Mapping[str, Any], params: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """A study's sections that choose filters, with those that it would choose, as results state.

    The analyzed network is that of the results; nothing, if they are of none that is here.
    """
    if not any(isinstance(used, Mapping) and "filters" in used for used in params.values()):
        return {}
    found = {}
    try:
        known = _widths(root, params["analysis"]["net"])
        for name, section in values.items():
            if isinstance(section, Mapping) and "filters" in section:
                rest = dict(section)
                chosen = resolve(rest["filters"], rest.pop("convolutions", None), known)
                found[name] = {**rest, "filters": chosen}
    except (AttributeError, KeyError, TypeError, UserError, ValueError):
        return {}
    return found


def _widths(root: Path, net: str) -> dict[str, int]:
    """How many filters each convolution of a network's best run has, by its table of layers.

    Of the network itself torch would say it, which takes seconds to import.
    """
    folder = Finished(root / paths.REPORTS, f"train/{net}")
    layers = folder.filled("layers", ["layer"], numbers=["width"])
    convolutions = layers[layers["layer"].astype(str).str.startswith("conv")]
    return dict(zip(convolutions["layer"], convolutions["width"].astype(int), strict=True))


def _composed(path: Path) -> dict[str, Any]:
    """A study's values, upon those of the one that it is based on, as Hydra composes them."""
    own = dict(_read(path))
    values: dict[str, Any] = {}
    for name in own.pop("defaults", []):
        values = _merged(values, own if name == "_self_" else _composed(path.with_stem(name)))
    return values or own


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


@lru_cache
def _read(path: Path) -> Mapping[str, Any]:
    """The file's content; nothing if it cannot be read, since a study only names a run."""
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, YAMLError):
        return {}
    return content if isinstance(content, Mapping) else {}
