# SPDX-License-Identifier: MIT
"""Short names for what a program calls something by itself; a part of shrink.py.

Three kinds: parameters that no call names, by their place; functions, classes and tables of a
module, each module counting anew; attributes and methods, one name each in the whole program. A
name stays when Python, the chip's modules or the board know it too, when a text says it (getattr),
when it is looked up on what only a run tells, when somebody outside asks for it, and when it is an
error's: hello tells errors by name.
"""

import ast
import binascii
import builtins
import errno
import gc
import hashlib
import io
import json
import keyword
import os
import select
import socket
import ssl
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator

from kahriz_tools.shrink_inline import Trees, imported, target, texts

PARAMETERS_MOST = 16  # of a function and those around it
SHORT = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BOARD = "kahriz_node.board_esp32"  # what it has and asks for are the chip's words
KNOWN = (
    *(binascii, builtins, errno, gc, hashlib, io, json, os, select, socket, ssl, struct, sys, time),
    *(bytearray, bytes, dict, float, int, list, memoryview, object, set, str, tuple, type),
    *(io.BytesIO, io.StringIO, socket.socket, ssl.SSLContext, ssl.SSLSocket),
    *(select.poll(), hashlib.sha256(), iter(()), OSError()),
)


def rename(trees: Trees, keep: set[str]) -> None:
    """Give short names in all modules."""
    short = _Names(trees, keep)
    for module, tree in trees.items():
        _Rename(module, tree, trees, short).visit(tree)


class _Names:
    """Which name becomes which."""

    def __init__(self, trees: Trees, keep: set[str]) -> None:
        counts = Counter(name for tree in trees.values() for name in _names(tree))
        stays = keep | set(texts(trees)) | {part for name in trees for part in name.split(".")}
        stays |= {name for one in KNOWN for name in dir(one)}
        stays |= {name for name in _names(trees.get(BOARD, ast.Module([], []))) if name[0] != "_"}
        stays |= {name for name in counts if name.endswith("Error") or name[:2] == "__"}
        tops = {module: set(_tops(tree)) for module, tree in trees.items()}
        every_top = set().union(*tops.values())
        looked_up = {name for tree in trees.values() for name in _looked_up(tree, trees)}
        fixed = {name for tree in trees.values() for name in _class_variables(tree)}
        shared = {name for tree in trees.values() for name in _imported_names(tree)} & every_top
        own = {name for tree in trees.values() for name in _attributes(tree)} - fixed - every_top
        free = _free(set(counts) | stays)
        order = sorted(counts, key=lambda name: (-counts[name], name))
        self.named = {name for tree in trees.values() for name in _called_by_name(tree)}
        self.parameters = [next(free) for _ in range(PARAMETERS_MOST)]
        self.attributes = {name: next(free) for name in order if name in own - stays}
        everywhere = {name: next(free) for name in order if name in shared - stays - looked_up}
        pool = list(_first(free, max(len(one) for one in tops.values())))
        self.tops: dict[str, dict[str, str]] = {}
        for module in trees:
            mine = sorted(tops[module] - stays - looked_up - set(everywhere))
            self.tops[module] = everywhere | dict(zip(mine, pool, strict=False))


def _first(names: Iterator[str], count: int) -> Iterator[str]:
    for _ in range(count):
        yield next(names)


def _free(taken: set[str]) -> Iterator[str]:
    for one in SHORT:
        if one not in taken:
            yield one
    for first in SHORT:
        for second in SHORT:
            if first + second not in taken and not keyword.iskeyword(first + second):
                yield first + second


def _names(tree: ast.AST) -> Iterator[str]:
    """All of them, wherever they stand."""
    for part in ast.walk(tree):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.arg):
            yield part.arg
        elif isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            yield part.name
        elif isinstance(part, ast.alias):
            yield from (part.asname or part.name).split(".")


def _tops(tree: ast.Module) -> Iterator[str]:
    """What a module defines."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif target(node):
            yield target(node)


def _looked_up(tree: ast.Module, trees: Trees) -> Iterator[str]:
    """Names after a dot whose owner is no module that is known by now."""
    modules = imported(tree, trees)
    for part in ast.walk(tree):
        if not isinstance(part, ast.Attribute):
            continue
        if not (isinstance(part.value, ast.Name) and part.value.id in modules):
            yield part.attr


def _attributes(tree: ast.Module) -> Iterator[str]:
    """What the program's own objects have: methods, and what `self.x = …` gives."""
    for part in ast.walk(tree):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
            yield part.attr
        elif isinstance(part, ast.ClassDef):
            yield from (one.name for one in part.body if isinstance(one, ast.FunctionDef))


def _class_variables(tree: ast.Module) -> Iterator[str]:
    for part in ast.walk(tree):
        if isinstance(part, ast.ClassDef):
            yield from (target(one) for one in part.body)


def _imported_names(tree: ast.Module) -> Iterator[str]:
    for part in ast.walk(tree):
        if isinstance(part, ast.ImportFrom):
            yield from (alias.name for alias in part.names)


def _called_by_name(tree: ast.Module) -> Iterator[str]:
    for part in ast.walk(tree):
        if isinstance(part, ast.keyword):
            yield str(part.arg)


class _Rename(ast.NodeTransformer):
    """Give a module its short names."""

    def __init__(self, module: str, tree: ast.Module, trees: Trees, short: _Names) -> None:
        self._short = short
        self._tops = short.tops[module]
        self._modules = imported(tree, trees)
        self._in_class = False
        self._scopes: list[dict[str, str]] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        names = self._short.attributes if self._in_class else self._tops
        node.name = names.get(node.name, node.name)
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.Lambda) -> ast.AST:
        node.args.defaults = [self.visit(one) for one in node.args.defaults]
        given = [*node.args.posonlyargs, *node.args.args]
        optional = given[len(given) - len(node.args.defaults) :]
        given += [one for one in (node.args.vararg, node.args.kwarg) if one is not None]
        deep = sum(len(one) for one in self._scopes)  # an inner function sees the outer one's
        scope = {}
        for place, one in enumerate(given):
            scope[one.arg] = one.arg
            if one.arg not in self._short.named and one not in optional:
                scope[one.arg] = self._short.parameters[deep + place]
            one.arg = scope[one.arg]
        self._scopes.append(scope)
        inside, self._in_class = self._in_class, False
        if isinstance(node, ast.Lambda):
            node.body = self.visit(node.body)
        else:
            node.body = [self.visit(one) for one in node.body]
        self._in_class = inside
        self._scopes.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._tops.get(node.name, node.name)
        self._in_class = True
        self.generic_visit(node)
        self._in_class = False
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        for scope in reversed(self._scopes):
            if node.id in scope:
                node.id = scope[node.id]
                return node
        node.id = self._tops.get(node.id, node.id)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name is not None:
            node.name = self.visit_Name(ast.Name(node.name, ast.Store())).id
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        names = self._short.attributes
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            names = self._short.tops[self._modules[node.value.id]]
        node.attr = names.get(node.attr, node.attr)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        for alias in node.names:
            if f"{node.module}.{alias.name}" not in self._modules.values():
                alias.name = self._tops.get(alias.name, alias.name)
        return node
