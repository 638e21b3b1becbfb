# SPDX-License-Identifier: MIT
"""The program's sources as the chip gets them: what only people and laptops need is left out.

The sources stay as they read best; `shrink` gives the same program with

1. no docstrings, annotations and imports for the type checker;
2. no mends: a WireError names the place on the chip, and says how to mend it on laptop and gateway,
   which check the same thing by the same code before a node ever sees it;
3. no generators for any and all, a list is shorter: their questions must be free of effects;
4. numbers and words that have a name put where they are used;
5. no functions and methods that nothing here names: they are the gateway's, or other drivers';
6. short names for what the program calls something by itself (shrink_names.py);
7. modules that are loaded together put into one (shrink_bundle.py);
8. imports from the own package by a dot, which is shorter than its name.
"""

import ast
import re
from collections.abc import Collection

from kahriz_tools.shrink_bundle import Bundles, bundle
from kahriz_tools.shrink_inline import inline, target
from kahriz_tools.shrink_names import rename

ERROR = "WireError"


def shrink(
    sources: dict[str, str],
    keep: Collection[str],
    starters: str = "",
    bundles: Bundles | None = None,
) -> dict[str, str]:
    """The sources of a whole program by dotted module name.

    Names in `keep`, and those that the starters say, stay as they are.
    """
    trees = {name: ast.parse(text) for name, text in sources.items()}
    for tree in trees.values():
        _Bare().visit(tree)
    kept = {*keep, *re.findall(r"\w+", starters)}
    inline(trees, kept)
    bundle(trees, bundles or {}, kept)
    rename(trees, kept)
    for name, tree in trees.items():
        _ByDot(name, name in {other.rpartition(".")[0] for other in trees}).visit(tree)
    return {name: ast.unparse(ast.fix_missing_locations(tree)) for name, tree in trees.items()}


class _Bare(ast.NodeTransformer):
    """Leave out what the chip does not run."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        if target(node) in ("TYPE_CHECKING", "__all__"):
            return None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(
            ast.Assign(targets=[node.target], value=node.value, lineno=node.lineno)
        )

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        self._without_docstring(node)
        *_, given, back = [None, None, *node.body]  # a name for the type checker's sake
        if isinstance(given, ast.Assign) and isinstance(back, ast.Return):
            called = target(given)
            inner = [
                one for one in ast.walk(node) if isinstance(one, (ast.Lambda, ast.FunctionDef))
            ]
            if isinstance(back.value, ast.Name) and back.value.id == called and inner == [node]:
                node.body[-2:] = [ast.Return(given.value)]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._without_docstring(node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        return self._without_docstring(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == ERROR and len(node.args) == 2:
            del node.args[1]
        if isinstance(node.func, ast.Name) and node.func.id in ("any", "all"):
            node.args = [
                ast.ListComp(one.elt, one.generators) if isinstance(one, ast.GeneratorExp) else one
                for one in node.args
            ]
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        node.cause = None  # MicroPython keeps none
        return self.generic_visit(node)

    def _without_docstring(self, node: ast.FunctionDef | ast.ClassDef | ast.Module) -> ast.AST:
        self.generic_visit(node)
        if node.body and isinstance(node.body[0], ast.Expr):
            value = node.body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                del node.body[0]
        if not node.body and not isinstance(node, ast.Module):
            node.body.append(ast.Pass())
        return node


class _ByDot(ast.NodeTransformer):
    """Name modules of the own package from there."""

    def __init__(self, module: str, is_package: bool) -> None:
        self._package = module if is_package else module.rpartition(".")[0]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        inside = str(node.module).removeprefix(self._package or " ")
        if inside != node.module and inside[:1] in ("", "."):
            node.module, node.level = inside[1:] or None, 1
        return node
