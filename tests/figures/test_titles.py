"""Every figure that a stage makes has a title of its own."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

from convscope import figures, stages

MODULES = sorted(path.stem for path in Path(figures.__path__[0]).glob("[!_]*.py"))
STAGES = sorted(Path(stages.__path__[0]).glob("[!_]*.py"))


def builders(tree):
    """The calls of a module's source to builders of figures, and the builders."""
    names = {
        alias.asname or alias.name: importlib.import_module(f"convscope.figures.{alias.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "convscope.figures"
        for alias in node.names
        if alias.name in MODULES
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if name in names:
                yield node, getattr(names[name], attr)


CALLS = [
    pytest.param(call, builder, id=f"{path.stem}:{call.lineno}:{builder.__name__}")
    for path in STAGES
    for call, builder in builders(ast.parse(path.read_text(encoding="utf-8")))
]


def test_the_stages_make_figures():
    assert len(CALLS) > 10


@pytest.mark.parametrize(("call", "builder"), CALLS)
def test_a_figure_of_a_stage_has_a_title(call, builder):
    title = inspect.signature(builder).parameters.get("title")
    if title is None:
        assert "title=" in inspect.getsource(builder)  # a fixed one
    elif not title.default:
        assert "title" in [keyword.arg for keyword in call.keywords]
