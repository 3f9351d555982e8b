"""A hash of what functions do: not where they are defined, what they are called or how imported.

A finished run is reused only while the code that trained it is the same. So the hash follows the
code from function to function, and puts in the place of each name of ours the hash of what it
names. The source is read and never run.
"""

import ast
import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent
PACKAGE = FOLDER.name
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
# what says nothing of how a function computes: who imports, types, and where a node stands
_LEFT_OUT = {"annotation", "returns", "type_comment", "type_ignores", "ctx"}


def code_hash(
    roots: Iterable[str], opaque: Container[str] = (), folder: Path = FOLDER, package: str = PACKAGE
) -> str:
    """A hash of what definitions do, with all of ours that they use, directly or not.

    Comments, docstrings, layout, annotations, import statements, words of raised errors and the
    names of modules, functions and classes do not enter it; names of arguments, attributes and
    methods do. Statements of a module that are no definition count where a definition of it does.

    Args:
        roots: Full names, such as ``"convscope.nets.zoo.build"``; a method is ``Class.name``.
        opaque: Full names of modules whose definitions are not looked into.
        folder: The package's folder.
        package: Its name.

    Returns:
        A hexadecimal sha256.

    Raises:
        ValueError: There is no such definition.
    """
    reader = _Reader(folder, package, opaque)
    parts = sorted(reader.root(root) for root in roots)
    return _sha256("\n".join([*parts, *sorted(reader.effects())]))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class _Module:
    """A source file: what it defines, what its imported names stand for, and what else it does."""

    definitions: Mapping[str, list[ast.stmt]]
    imports: Mapping[str, str]
    effects: list[ast.stmt]


class _Reader:
    """Follows names through the package's files, each file read once."""

    def __init__(self, folder: Path, package: str, opaque: Container[str]) -> None:
        self._folder, self._package, self._opaque = folder, package, opaque
        self._modules: dict[str, _Module] = {}
        self._digests: dict[tuple[str, str], str] = {}

    def root(self, name: str) -> str:
        """The digest of a definition, or of a method, by its full name."""
        parts = name.split(".")
        for size in range(len(parts) - 1, 0, -1):
            module, (first, *inner) = ".".join(parts[:size]), parts[size:]
            if self.path(module) is None:
                continue
            body = self._module(module).definitions.get(first, [])
            for each in inner:
                body = [n for s in body for n in getattr(s, "body", ()) if _name(n) == each]
            if body:
                return _sha256("".join(self._outline(node, module, frozenset()) for node in body))
        raise ValueError(f"no definition {name!r}")

    def effects(self) -> list[str]:
        """What the modules that were read do besides defining."""
        return [
            _sha256(self._outline(statement, name, frozenset()))
            for name, module in list(self._modules.items())
            for statement in module.effects
        ]

    def path(self, module: str) -> Path | None:
        """The file of a module, None if it is not one of the package's."""
        first, *inner = module.split(".")
        if first != self._package:
            return None
        place = self._folder.joinpath(*inner)
        files = (place.with_suffix(".py"), place / "__init__.py")
        return next((path for path in files if path.is_file()), None)

    def _module(self, name: str) -> _Module:
        if name not in self._modules:
            path = self.path(name)
            assert path is not None, "only modules that are there are read"
            self._modules[name] = _parsed(path)
        return self._modules[name]

    def _meaning(self, target: str) -> str:
        """What a full name stands for: the digest of one of ours, or itself where it is not."""
        module, _, name = target.rpartition(".")
        if target in self._opaque or module in self._opaque:
            return "opaque"
        if self.path(target) is not None or not module or self.path(module) is None:
            return target
        found = self._module(module)
        if name in found.definitions:
            return self._digest(module, name)
        return self._meaning(found.imports[name]) if name in found.imports else target

    def _digest(self, module: str, name: str) -> str:
        key = module, name
        if key not in self._digests:
            self._digests[key] = "itself"  # until it is known: a definition may name itself
            statements = self._module(module).definitions[name]
            outlines = (self._outline(node, module, frozenset()) for node in statements)
            self._digests[key] = _sha256("".join(outlines))
        return self._digests[key]

    def _outline(self, node: object, module: str, local: frozenset[str]) -> str:
        """A syntax tree as text, the same from every Python, which ``ast.dump`` is not.

        Versions differ in the fields that they add to nodes and leave empty, and 3.12 ends a nested
        format with an empty text: both are left out.
        """
        if isinstance(node, list):
            kept = [each for each in node if not isinstance(each, _IMPORTS)]
            return f"[{','.join(self._outline(each, module, local) for each in kept)}]"
        if not isinstance(node, ast.AST):
            return repr(node)
        dotted = _dotted(node, local)
        if dotted and (meaning := self._named(module, dotted)):
            return meaning
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            local |= _bound(node)
        fields = (f"{name}={self._outline(value, module, local)}" for name, value in _fields(node))
        return f"{type(node).__name__}({','.join(fields)})"

    def _named(self, module: str, dotted: str) -> str | None:
        """The meaning of a name with attributes behind it; None where only Python knows it."""
        found = self._module(module)
        first, *attributes = dotted.split(".")
        if first in found.definitions:
            target = f"{module}.{first}"
        elif first in found.imports:
            target = found.imports[first]
        else:
            return None
        while attributes and self.path(target) is not None:
            target = f"{target}.{attributes.pop(0)}"
        return ".".join([self._meaning(target), *attributes])


def _parsed(path: Path) -> _Module:
    """A file's definitions, imports (those inside functions too) and other statements."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    definitions: dict[str, list[ast.stmt]] = {}
    effects = []
    for statement in tree.body:
        names = _defined(statement)
        for name in names:
            definitions.setdefault(name, []).append(statement)
        silent = isinstance(statement, _IMPORTS) or _is_text(statement) or _is_of_types(statement)
        if not names and not silent:
            effects.append(statement)
    imports = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                imports[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return _Module(definitions, imports, effects)


def _defined(statement: ast.stmt) -> list[str]:
    """The names that a statement of a module defines."""
    if isinstance(statement, _DEFINITIONS):
        return [statement.name]
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    nodes = (node for target in targets for node in ast.walk(target))
    return [node.id for node in nodes if isinstance(node, ast.Name)]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_of_types(statement: ast.stmt) -> bool:
    """Whether it is ``if TYPE_CHECKING``, which does nothing."""
    test = getattr(statement, "test", None)
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _name(node: ast.AST) -> str | None:
    return node.name if isinstance(node, _DEFINITIONS) else None


def _dotted(node: ast.AST, local: frozenset[str]) -> str:
    """``a.b.c`` as text if it begins with a name that is no local one; else empty."""
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value, local)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) and node.id not in local else ""


def _bound(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """The local names of a function: its arguments and what it assigns."""
    nodes = list(ast.walk(function))
    arguments = {node.arg for node in nodes if isinstance(node, ast.arg)}
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return arguments | stored


def _fields(node: ast.AST) -> list[tuple[str, object]]:
    """What a node is made of, without words for people."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return [("exc", node.exc.func), ("cause", node.cause)]
    fields = {name: value for name, value in ast.iter_fields(node) if name not in _LEFT_OUT}
    if isinstance(node, _DEFINITIONS):
        if ast.get_docstring(node, clean=False) is not None:
            fields["body"] = node.body[1:]
        if node.col_offset == 0:
            del fields["name"]
    if isinstance(node, ast.Assign) and node.col_offset == 0 and len(_defined(node)) == 1:
        del fields["targets"]
    if isinstance(node, ast.AnnAssign) and node.col_offset == 0:
        del fields["target"]
    if isinstance(node, ast.JoinedStr):
        fields["values"] = [part for part in node.values if not _is_empty_text(part)]
    return [(name, value) for name, value in fields.items() if value is not None and value != []]


def _is_empty_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""
