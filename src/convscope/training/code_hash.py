"""A hash of what functions do: not where they are defined, what they are called or how imported.

A finished run is reused only while the code that trained it is the same. So the hash follows the
code from definition to definition. Each is outlined once, with a number in the place of every name
that stands for another: its place in the order in which they are met. The source is read, not run.
"""

import ast
import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent.parent
PACKAGE = FOLDER.name
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, *_COMPREHENSIONS)
# what says nothing of how a node computes: types, and whether a name is read or written
_LEFT_OUT = {"annotation", "returns", "type_comment", "type_ignores", "ctx"}
# what Python evaluates where a function is defined, not where it runs
_OUTSIDE = {"decorator_list", "args"}

# the local names of a function: None, or the full name of what it imports
_Scope = Mapping[str, str | None]


def code_hash(
    roots: Iterable[str], opaque: Container[str] = (), folder: Path = FOLDER, package: str = PACKAGE
) -> str:
    """A hexadecimal sha256 of what definitions do, with all of ours that they use.

    Comments, docstrings, layout, annotations of arguments and variables, import statements, texts
    of errors and the names of modules, functions and classes do not enter it; names of arguments,
    attributes and methods do. What a module does besides defining counts where one of its
    definitions does, or a module in it.

    Args:
        roots: Such as ``"convscope.nets.zoo:build"`` or ``"convscope.training.run:Run.seed"``.
        opaque: Modules, and definitions such as ``"convscope.nets.zoo.layers"``, not to look into.
        folder: The package's folder.
        package: The package's name.

    Raises:
        ValueError: There is no such definition, or an import cannot be followed.
    """
    outlines = Reader(list(roots), opaque, folder, package).outlines()
    return hashlib.sha256("\n".join(outlines).encode()).hexdigest()


@dataclass(frozen=True)
class _Module:
    """A source file: what it defines, what its imported names stand for, and what else it does."""

    definitions: Mapping[str, list[ast.AST]]
    imports: Mapping[str, str]
    effects: list[ast.AST]


@dataclass
class Reader:
    """Follows names through the package's files, each file read once."""

    # the definitions, and the modules that do more than define, in the order in which they are met
    met: list[str]
    opaque: Container[str] = ()
    folder: Path = FOLDER
    package: str = PACKAGE
    _modules: dict[str, _Module] = field(default_factory=dict)

    def outlines(self) -> list[str]:
        """The definitions as text, in the order in which they are met."""
        # the list grows while they are outlined
        return [self._outline(*self._found(name), {}) for name in self.met]

    def path(self, module: str) -> Path | None:
        """The file of a module, None if it is not one of the package's."""
        first, *inner = module.split(".")
        if first != self.package:
            return None
        place = self.folder.joinpath(*inner)
        files = (place.with_suffix(".py"), place / "__init__.py")
        return next((path for path in files if path.is_file()), None)

    def _module(self, name: str) -> _Module:
        if name not in self._modules:
            path = self.path(name)
            assert path is not None, "only modules that are there are read"
            self._modules[name] = _parsed(path)
            if self._modules[name].effects:
                self.met.append(name)
            package = name.rpartition(".")[0]
            if self.path(package):  # a folder needs no __init__.py
                self._module(package)
        return self._modules[name]

    def _found(self, name: str) -> tuple[list[ast.AST], str]:
        """What there is under a full name, and the module that it is in."""
        module, _, inside = name.partition(":")
        if not inside:
            return self._module(module).effects, module
        first, *methods = inside.split(".")
        nodes = self._module(module).definitions.get(first, [])
        for method in methods:
            body = [part for node in nodes for part in getattr(node, "body", [])]
            nodes = [part for part in body if getattr(part, "name", "") == method]
        if not nodes:
            raise ValueError(f"{module} does not define {inside}")
        return nodes, module

    def _outline(self, node: object, module: str, scope: _Scope) -> str:
        """A syntax tree as text, the same from every Python, which ``ast.dump`` is not.

        Versions differ in the fields that they add to nodes and leave empty, and 3.12 ends a nested
        format with an empty text: both are left out.
        """
        if isinstance(node, list):
            kept = [each for each in node if not _does_nothing(each)]
            return f"[{','.join(self._outline(each, module, scope) for each in kept)}]"
        if not isinstance(node, ast.AST):
            return repr(node)
        if meaning := self._meaning(_dotted(node), module, scope):
            return meaning
        node, inner, fields = _plain(node, scope), scope, []
        if isinstance(node, _SCOPES):
            inner = _bound(node, scope)
        if isinstance(node, _COMPREHENSIONS):  # the first iterable is read outside
            fields.append(self._outline(node.generators[0].iter, module, scope))
        for name, value in ast.iter_fields(node):
            if name not in _LEFT_OUT and value is not None and value != []:
                local = scope if name in _OUTSIDE else inner
                fields.append(f"{name}={self._outline(value, module, local)}")
        return f"{type(node).__name__}({','.join(fields)})"

    def _meaning(self, dotted: str, module: str, scope: _Scope) -> str | None:
        """What a name stands for, with attributes after it; None where only Python knows it."""
        first, *attributes = dotted.split(".")
        if first in scope:
            target = scope[first]
        elif first in self._module(module).definitions:
            target = f"{module}.{first}"
        else:
            target = self._module(module).imports.get(first)
        if target is None:
            return None
        while attributes and self.path(target) is not None:
            target = f"{target}.{attributes.pop(0)}"
        return ".".join([self._named(target), *attributes])

    def _named(self, target: str) -> str:
        """The number of one of our definitions; other full names as they are."""
        module, _, name = target.rpartition(".")
        if target in self.opaque or module in self.opaque:
            return "opaque"
        if self.path(target) is not None or not module or self.path(module) is None:
            return target
        found = self._module(module)
        if name not in found.definitions:
            return self._named(found.imports[name]) if name in found.imports else target
        definition = f"{module}:{name}"
        if definition not in self.met:
            self.met.append(definition)
        return f"#{self.met.index(definition)}"


def _parsed(path: Path) -> _Module:
    """A file's definitions, imports and other statements."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    definitions: dict[str, list[ast.AST]] = {}
    effects: list[ast.AST] = []
    for statement in tree.body:
        names, meaning = _defined(statement)
        for name in names:
            definitions.setdefault(name, []).append(meaning)
        if not names and not _does_nothing(statement):
            effects.append(statement)
    return _Module(definitions, _imported(_nodes_of(tree)), effects)


def _defined(statement: ast.stmt) -> tuple[list[str], ast.AST]:
    """The names that a statement of a module defines, and what they stand for."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            nameless = copy(statement)
            nameless.name = ""
            return [name], nameless
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            return [name], value
        case ast.Assign() | ast.AugAssign():
            return list(_stored(ast.walk(statement))), statement
    return [], statement


def _does_nothing(node: ast.AST) -> bool:
    """Whether it is a docstring, an import, or another statement that does not compute."""
    match node:
        case (
            ast.Expr(value=ast.Constant())
            | (ast.Import() | ast.ImportFrom() | ast.Pass())
            | ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=[])
        ):
            return True
    return False


def _plain(node: ast.AST, scope: _Scope) -> ast.AST:
    """A node without texts for people, and without the types of local variables."""
    match node:
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            # a dataclass makes more of a name that has a type
            is_field = isinstance(target, ast.Name) and target.id not in scope
            return node if is_field else ast.Assign([target], value)
        case ast.Raise(exc=ast.Call(func=raised), cause=cause):
            return ast.Raise(raised, cause)
        case ast.Assert(test=test):
            return ast.Assert(test)
        case ast.JoinedStr(values=values):
            return ast.JoinedStr([part for part in values if getattr(part, "value", 0) != ""])
    return node


def _dotted(node: ast.AST) -> str:
    """``a.b.c`` as text; empty for what does not begin with a name."""
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def _bound(function: ast.AST, outside: _Scope) -> _Scope:
    """The local names of a function or comprehension, with those of the functions around it."""
    nodes = list(_nodes_of(function))
    shared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    scope = {**outside, **dict.fromkeys(_stored(nodes)), **_imported(nodes)}
    return {name: target for name, target in scope.items() if name not in shared}


def _nodes_of(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module, function or comprehension without those of scopes inside it."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, (*_SCOPES, ast.ClassDef)):
            yield from _nodes_of(node)


def _stored(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The names of the arguments and variables that nodes set."""
    for node in nodes:
        match node:
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name


def _imported(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """What import statements bind: names, and the full names that they stand for."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if node.level or alias.name == "*":
                    raise ValueError(f"cannot follow {ast.unparse(node)!r}: write out the names")
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found
