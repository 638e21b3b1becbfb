# SPDX-License-Identifier: MIT
"""Constants put where they are used, and what nothing uses left out; a part of shrink.py."""

import ast
from collections.abc import Collection, Iterator

Trees = dict[str, ast.Module]  # by dotted module name
Constant = int | str | bytes
Place = tuple[str, str]  # module, name
SHARED = "kahriz_wire"  # the node and the gateway use it
LONGEST_WORD = 24  # a longer one is better kept once


def inline(trees: Trees, keep: Collection[str]) -> None:
    """Both, in all modules; what is in `keep` stays."""
    constants = _constants(trees, keep)
    for name, tree in trees.items():
        _Inline(name, constants, trees).visit(tree)
    while _forget(trees, constants, keep):
        pass
    for name, tree in trees.items():
        if "." in name:  # a package's own imports are what it shows to others
            _Needed(tree).visit(tree)


def target(node: ast.stmt) -> str:
    """The name a statement of one plain assignment gives, or nothing."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name):
            return target.id
    return ""


def _constants(trees: Trees, keep: Collection[str]) -> dict[Place, Constant]:
    """(module, name) -> value of what is given once, at the top, and in capitals."""
    found: dict[Place, Constant] = {}
    hidden = {
        part.arg for tree in trees.values() for part in ast.walk(tree) if isinstance(part, ast.arg)
    }
    for module, tree in trees.items():
        for node in tree.body:
            name = target(node)
            if not name.isupper() or name in {*keep, *hidden} or not isinstance(node, ast.Assign):
                continue
            if sum(part == name for part in _stored(tree)) > 1:
                continue
            value = _value(node.value, module, found)
            if isinstance(value, int) or (value is not None and len(value) <= LONGEST_WORD):
                found[module, name] = value
    return found


def _stored(tree: ast.AST) -> Iterator[str]:
    """Every name that something is given to."""
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def _value(node: ast.expr, module: str, known: dict[Place, Constant]) -> Constant | None:
    """The value of an expression of constants."""
    scope = {name: value for (owner, name), value in known.items() if owner == module}
    allowed = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.Name, ast.operator, ast.unaryop, ast.Load)
    for part in ast.walk(node):
        if not isinstance(part, allowed) or (isinstance(part, ast.Name) and part.id not in scope):
            return None
    value = eval(compile(ast.Expression(node), module, "eval"), {"__builtins__": {}}, scope)
    return value if type(value) in (int, str, bytes) else None


class _Inline(ast.NodeTransformer):
    """Put constants where they are used, also those of other modules."""

    def __init__(self, module: str, constants: dict[Place, Constant], trees: Trees) -> None:
        self._module = module
        self._constants = constants
        self._modules = imported(trees[module], trees)
        self._names = {
            alias.asname or alias.name: (str(node.module), alias.name)
            for node in ast.walk(trees[module])
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if (str(node.module), alias.name) in constants
        }

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        node.names = [
            alias for alias in node.names if (str(node.module), alias.name) not in self._constants
        ]
        return node if node.names else None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        key = self._names.get(node.id, (self._module, node.id))
        if isinstance(node.ctx, ast.Load) and key in self._constants:
            return ast.Constant(self._constants[key])
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            key = (self._modules[node.value.id], node.attr)
            if key in self._constants:
                return ast.Constant(self._constants[key])
        return self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        self.generic_visit(node)
        for place, part in enumerate(node.values):
            if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Constant):
                node.values[place] = ast.Constant(str(part.value.value))
        return node


def _forget(trees: Trees, constants: dict[Place, Constant], keep: Collection[str]) -> bool:
    """Take away what nothing names; whether there was something."""
    exact = {use for name, tree in trees.items() for use in _uses(name, tree, trees)}
    loose = {name for _, name in exact} | set(texts(trees)) | set(keep)
    found = False
    for module, tree in trees.items():
        left: list[ast.stmt] = []
        for node in tree.body:
            name = target(node)
            defines = isinstance(node, (ast.FunctionDef, ast.ClassDef))
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                name = node.name
            if module.startswith(SHARED):
                idle = name != "" and (module, name) not in exact
            else:  # what a driver has is looked up on a module that only runs tell
                idle = (defines or (module, name) in constants) and name not in loose
            if isinstance(node, ast.ClassDef) and not idle:
                found = _forget_methods(node, loose) or found
            if idle:
                found = True
            else:
                left.append(node)
        tree.body = left
    return found


def _forget_methods(owner: ast.ClassDef, loose: Collection[str]) -> bool:
    """The same for the methods of a class, whoever may have an object of it."""
    left = [
        one
        for one in owner.body
        if not isinstance(one, ast.FunctionDef) or one.name[:2] == "__" or one.name in loose
    ]
    found = len(left) < len(owner.body)
    owner.body = left or [ast.Pass()]
    return found


class _Needed(ast.NodeTransformer):
    """Leave out imports of what is not used any more."""

    def __init__(self, tree: ast.Module) -> None:
        self._used = {part.id for part in ast.walk(tree) if isinstance(part, ast.Name)}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        node.names = [one for one in node.names if (one.asname or one.name) in self._used]
        return node if node.names else None


def _uses(module: str, tree: ast.Module, trees: Trees) -> Iterator[Place]:
    """Whose names are read: its own, or of a module that it imports."""
    modules = imported(tree, trees)
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            yield module, part.id
        elif isinstance(part, ast.Attribute):
            owner = part.value.id if isinstance(part.value, ast.Name) else ""
            yield modules.get(owner, ""), part.attr
        elif isinstance(part, ast.ImportFrom):
            for alias in part.names:
                yield str(part.module), alias.name


def imported(tree: ast.Module, trees: Trees) -> dict[str, str]:
    """The program's modules by the names they have here."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if f"{node.module}.{alias.name}" in trees
    }


def texts(trees: Trees) -> Iterator[str]:
    """All texts of the program: getattr may name something by one."""
    for tree in trees.values():
        for part in ast.walk(tree):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
