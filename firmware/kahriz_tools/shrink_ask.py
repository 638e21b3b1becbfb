# SPDX-License-Identifier: MIT
"""What a program calls by which name: questions to its trees; a part of shrink.py."""

import ast
from collections import Counter
from collections.abc import Iterator

from kahriz_tools.shrink_inline import Trees, imported, target


def names(tree: ast.AST) -> Iterator[str]:
    """All of them, wherever they stand."""
    for part in ast.walk(tree):
        yield from called(part)


def called(part: ast.AST) -> list[str]:
    """What a part of a program is called, or calls something."""
    if isinstance(part, ast.Name):
        return [part.id]
    if isinstance(part, ast.Attribute):
        return [part.attr]
    if isinstance(part, ast.arg):
        return [part.arg]
    if isinstance(part, (ast.FunctionDef, ast.ClassDef)):
        return [part.name]
    if isinstance(part, ast.alias):
        return (part.asname or part.name).split(".")
    return []


def asked_for(trees: Trees) -> Iterator[str]:
    """Names that a text says; one that only a run tells is a module's or its driver's."""
    for tree in trees.values():
        for part in ast.walk(tree):
            if isinstance(part, ast.Call) and ast.unparse(part.func) in ("getattr", "hasattr"):
                name = part.args[1]
                if isinstance(name, ast.Constant):
                    yield str(name.value)


def plain(tree: ast.AST) -> Iterator[str]:
    """Those without a dot before them."""
    dotted = {id(one) for part in ast.walk(tree) for one in methods(part)}
    for part in ast.walk(tree):
        if id(part) not in dotted and not isinstance(part, ast.Attribute):
            yield from called(part)


def dotted(tree: ast.AST) -> Iterator[str]:
    """Those with a dot before them."""
    for part in ast.walk(tree):
        if isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.ClassDef):
            yield from (name for one in part.body for name in [*called(one), target(one)])


def methods(part: ast.AST) -> list[ast.stmt]:
    inside = part.body if isinstance(part, ast.ClassDef) else []
    return [one for one in inside if isinstance(one, ast.FunctionDef)]


def tops(tree: ast.Module) -> Iterator[str]:
    """What a module defines."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif target(node):
            yield target(node)


def looked_up(tree: ast.Module, trees: Trees) -> Iterator[str]:
    """Names after a dot whose owner is no module that is known by now."""
    modules = imported(tree, trees)
    for part in ast.walk(tree):
        if not isinstance(part, ast.Attribute):
            continue
        if not (isinstance(part.value, ast.Name) and part.value.id in modules):
            yield part.attr


def attributes(tree: ast.Module) -> Iterator[str]:
    """What the program's own objects have: methods, and what `self.x = …` gives."""
    for part in ast.walk(tree):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
            yield part.attr
        elif isinstance(part, ast.ClassDef):
            yield from (one.name for one in part.body if isinstance(one, ast.FunctionDef))


def privates(trees: Trees) -> dict[ast.ClassDef, set[str]]:
    """The names of each class with one underscore that are asked of its own `self` alone."""
    found: dict[ast.ClassDef, set[str]] = {}
    asked: Counter[str] = Counter()
    for tree in trees.values():
        asked.update(part.attr for part in ast.walk(tree) if isinstance(part, ast.Attribute))
        for owner in ast.walk(tree):
            if isinstance(owner, ast.ClassDef) and not owner.bases:
                methods = {one.name for one in owner.body if isinstance(one, ast.FunctionDef)}
                given = {one.attr for one in selves(owner) if isinstance(one.ctx, ast.Store)}
                found[owner] = {
                    name for name in methods | given if name[0] == "_" and name[:2] != "__"
                }
    own = Counter(
        part.attr for owner in found for part in selves(owner) if part.attr in found[owner]
    )
    said = set(asked_for(trees))
    return {
        owner: {name for name in mine if own[name] == asked[name] and name not in said}
        for owner, mine in found.items()
    }


def selves(owner: ast.ClassDef) -> Iterator[ast.Attribute]:
    """What is asked of `self` in a class."""
    for part in ast.walk(owner):
        if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self":
            yield part


def class_variables(tree: ast.Module) -> Iterator[str]:
    for part in ast.walk(tree):
        if isinstance(part, ast.ClassDef):
            yield from (target(one) for one in part.body)


def imported_names(tree: ast.Module) -> Iterator[str]:
    for part in ast.walk(tree):
        if isinstance(part, ast.ImportFrom):
            yield from (alias.name for alias in part.names)


def called_by_name(tree: ast.Module) -> Iterator[str]:
    for part in ast.walk(tree):
        if isinstance(part, ast.keyword):
            yield str(part.arg)
