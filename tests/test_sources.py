import ast

from convscope import sources


def test_closure_follows_imports_of_the_package_only():
    found = sources.closure("convscope.metrics")
    assert set(found) == {"convscope.axes", "convscope.metrics"}
    assert set(sources.closure("convscope.nets")) == {"convscope.layers", "convscope.nets"}


def test_training_needs_neither_tracking_nor_configuration_nor_figures():
    used = set(sources.closure("convscope.training"))
    assert "convscope.nets" in used
    assert "convscope.augment" in used
    unwanted = ("config", "sections", "tracking", "figures", "metrics", "archives", "tables")
    assert not {f"convscope.{name}" for name in unwanted} & used


def test_core_modules_import_neither_dvc_nor_mlflow_nor_pydantic():
    core = ["data", "origins", "augment", "nets", "training", "grid", "inference"]
    core += [f"analysis.{name}" for name in ("occlusion", "ablation", "atlas", "filters")]
    paths = {p for name in core for p in sources.closure(f"convscope.{name}").values()}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {n.split(".")[0] for n in names} & {"dvc", "mlflow", "pydantic"}, path


def test_comments_docstrings_and_layout_do_not_change_the_hash(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('"""Words."""\ndef double(x):\n    """More."""\n    return 2 * x\n')
    before = sources.code_hash([path])
    path.write_text("# other words\ndef double(x):\n    return (2 *\n            x)\n")
    assert sources.code_hash([path]) == before
    path.write_text("def double(x):\n    return 3 * x\n")
    assert sources.code_hash([path]) != before


def test_the_words_of_an_error_do_not_change_the_hash_and_the_error_does(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "def check(x):\n    if x < 0:\n        raise ValueError(f'{x} is bad') from None\n"
    )
    before = sources.code_hash([path])
    path.write_text("def check(x):\n    if x < 0:\n        raise ValueError('below 0') from None\n")
    assert sources.code_hash([path]) == before
    path.write_text("def check(x):\n    if x < 0:\n        raise KeyError('below 0') from None\n")
    assert sources.code_hash([path]) != before


def test_every_python_has_the_same_hash(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        'class Pair:\n    def show(self, width=3, *, end=""):\n'
        '        return f"{self:<{width}}" + f"{end!r:>8}", [x async for x in ()], 1.5, b"y"\n'
    )
    # as Python 3.11, 3.12 and 3.13 all had it
    assert sources.code_hash([path]) == (
        "a2b6817fa268978eaa481261628087965cd07aac8b93738fc2677316904016f3"
    )


def test_an_empty_text_as_an_argument_is_code_too(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("f(a, '')\n")
    before = sources.code_hash([path])
    path.write_text("f(a)\n")
    assert sources.code_hash([path]) != before
