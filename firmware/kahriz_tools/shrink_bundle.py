# SPDX-License-Identifier: MIT
"""Modules that are loaded together put into one; a part of shrink.py.

A module costs a chip three names, two tables and an object. What the members define gets the
member's name before its own, and whoever asked a member asks the whole.
"""

import ast
from collections.abc import Collection, Mapping

from kahriz_tools.shrink_ask import tops
from kahriz_tools.shrink_inline import Trees

Bundles = Mapping[str, Collection[str]]  # the module that takes them in: those that are put into it


def bundle(trees: Trees, bundles: Bundles, keep: Collection[str]) -> None:
    """Do it in all modules."""
    whole = {one: into for into, members in bundles.items() for one in (*members, into)}
    whole = {one: into for one, into in whole.items() if one in trees and into in trees}
    new = {
        (module, name): name if name in keep else f"{_last(module)}_{name}"
        for module in whole
        for name in tops(trees[module])
    }
    for module, tree in trees.items():
        _Ask(module, tree, whole, new).visit(tree)
    for into, members in bundles.items():
        present = [one for one in (*members, into) if one in whole]
        if present:
            trees[into] = _joined([trees[one] for one in present])
        for one in present:
            if one != into:
                del trees[one]


def _last(module: str) -> str:
    return module.rpartition(".")[2]


def _called(module: str) -> str:
    """What a module that asks it calls it; a parameter may have its own name."""
    return _last(module) + "_"


def _import(source: str, names: list[ast.alias]) -> ast.stmt:
    once = {ast.unparse(alias): alias for alias in names}
    return ast.ImportFrom(source, list(once.values()), 0)


def _joined(parts: list[ast.Module]) -> ast.Module:
    """One module: what they import once, then their bodies in this order."""
    imports: dict[str, ast.stmt] = {}
    rest: list[ast.stmt] = []
    for part in parts:
        for node in part.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                imports[ast.unparse(node)] = node
            elif not isinstance(node, ast.Pass):
                rest.append(node)
    return ast.Module([*imports.values(), *rest], [])


class _Ask(ast.NodeTransformer):
    """Let a module ask the bundles, and call its own things by their new names."""

    def __init__(
        self, module: str, tree: ast.Module, whole: dict[str, str], new: dict[tuple[str, str], str]
    ) -> None:
        self._whole = whole
        self._new = new
        self._into = whole.get(module, "")
        self._plain = {name: to for (owner, name), to in new.items() if owner == module}
        self._members: dict[str, str] = {}  # as this module calls them
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom):
                continue
            for alias in node.names:
                member = f"{node.module}.{alias.name}"
                if member in whole:
                    self._members[alias.asname or alias.name] = member
                elif (str(node.module), alias.name) in new:
                    self._plain[alias.name] = new[str(node.module), alias.name]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        if self._whole.get(str(node.module), "-") == self._into:
            return ast.Pass()
        left: dict[str, list[ast.alias]] = {}  # by what they are imported from
        for alias in node.names:
            into = self._whole.get(f"{node.module}.{alias.name}")
            source = self._whole.get(str(node.module), str(node.module))
            if into is None:
                named = self._plain.get(alias.name, alias.name)
                if (str(node.module), alias.name) not in self._new and named != alias.name:
                    raise ValueError(f"{alias.name}: a thing of the module, and of another")
                alias.name = named
            elif into != self._into:
                source = into.rpartition(".")[0]
                alias = ast.alias(_last(into), _called(into))
            else:
                continue
            left.setdefault(source, []).append(alias)
        return [_import(source, names) for source, names in left.items()] or ast.Pass()

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        member = self._members.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if member is None:
            return self.generic_visit(node)
        named = self._new.get((member, node.attr), node.attr)
        if self._whole[member] == self._into:
            return ast.Name(named, node.ctx)
        whole = ast.Name(_called(self._whole[member]), ast.Load())
        return ast.Attribute(whole, named, node.ctx)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._plain.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._plain.get(node.arg, node.arg)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name is not None:
            node.name = self._plain.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._plain.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._plain.get(node.name, node.name)
        methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
        names = [one.name for one in methods]
        self.generic_visit(node)
        for one, name in zip(methods, names, strict=True):
            one.name = name  # asked with a dot
        return node
