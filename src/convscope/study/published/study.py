"""The study's numbers as it printed them."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML


@cache
def study() -> Mapping[str, Any]:
    """Everything in study.yaml, by block: baseline, net1 to net4, occlusion and so on.

    Accuracies are fractions unless a key says percent; each block's ``about`` and ``units`` say
    what it holds. The mapping is shared: do not change it.
    """
    text = (files("convscope.study.published") / "study.yaml").read_text(encoding="utf-8")
    content: Mapping[str, Any] = YAML(typ="safe", pure=True).load(text)
    return content
