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
    """Both, in all modules; constants in `keep` stay variable."""
    constants = _constants(trees, keep)
    for name, tree in trees.items():
        _Inline(name, constants, trees).visit(tree)
    while _forget(trees, constants):
        pass


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
    for module, tree in trees.items():
        for node in tree.body:
            name = target(node)
            if not name.isupper() or name in keep or not isinstance(node, ast.Assign):
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


def _forget(trees: Trees, constants: dict[Place, Constant]) -> bool:
    """Take away what nothing names; whether there was something."""
    exact = {use for name, tree in trees.items() for use in _uses(name, tree, trees)}
    loose = {name for _, name in exact} | set(texts(trees))
    found = False
    for module, tree in trees.items():
        left = []
        for node in tree.body:
            name = target(node)
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                name = node.name
            if module.startswith(SHARED):
                idle = name != "" and (module, name) not in exact
            else:  # a driver's constants are looked up on a module that only runs tell
                idle = (module, name) in constants and name not in loose
            if idle:
                found = True
            else:
                left.append(node)
        tree.body = left
    return found


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
