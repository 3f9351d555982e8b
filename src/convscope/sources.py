"""Which of convscope's modules a module imports, and a hash of what they do.

A run is reused only while the code that trained it is the same, and a stage of dvc.yaml declares
the files that it uses. Both follow from the imports, which are read from the source and never run.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

PACKAGE = "convscope"
FOLDER = Path(__file__).parent


def path_of(module: str) -> Path | None:
    """The file of one of convscope's modules, None if there is no such module.

    Args:
        module: The full name, for example ``"convscope.analysis.occlusion"``.
    """
    inside = FOLDER.joinpath(*module.split(".")[1:])
    for path in (inside.with_suffix(".py"), inside / "__init__.py"):
        if path.is_file():
            return path
    return None


def closure(module: str) -> dict[str, Path]:
    """A module of convscope with all those that it imports, directly or not.

    Imports inside functions count too. Packages' ``__init__`` files hold docstrings only and are
    left out, unless they are imported for themselves.

    Args:
        module: The full name.

    Returns:
        Full names to files, in the order of the names.

    Raises:
        ValueError: There is no such module.
    """
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = path_of(name)
        if path is None:
            raise ValueError(f"no module {name!r}")
        if name not in found:
            found[name] = path
            waiting.extend(_imported(path))
    return dict(sorted(found.items()))


def _imported(path: Path) -> Iterator[str]:
    """The full names of convscope's modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _is_ours(node.module):
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in inner if path_of(name)]
            yield from modules
            if len(modules) < len(inner):
                yield node.module


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == PACKAGE


def code_hash(paths: Iterable[Path]) -> str:
    """A hash of what files do: comments, docstrings, layout and words of errors do not enter it.

    Args:
        paths: Python files.

    Returns:
        A hexadecimal sha256.
    """
    found = hashlib.sha256()
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            _drop_docstring(node)
            _drop_words(node)
        found.update(f"{path.name}\0{_outline(tree)}\0".encode())
    return found.hexdigest()


def _drop_docstring(node: ast.AST) -> None:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:]


def _drop_words(node: ast.AST) -> None:
    """Keep of a raised error which one it is, and not what it says."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        node.exc = node.exc.func


def _outline(node: object) -> str:
    """A syntax tree as text, the same from every Python, which ``ast.dump`` is not.

    Versions differ in the fields that they add to nodes and leave empty, and 3.12 ends a nested
    format with an empty text: both are left out.
    """
    if isinstance(node, list):
        return f"[{','.join(map(_outline, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.JoinedStr):
        node.values = [part for part in node.values if not _is_empty_text(part)]
    fields = (
        f"{name}={_outline(value)}"
        for name, value in ast.iter_fields(node)
        if value is not None and value != []
    )
    return f"{type(node).__name__}({','.join(fields)})"


def _is_empty_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""
