# SPDX-License-Identifier: MIT
"""Short names for what a program calls something by itself; a part of shrink.py.

Four kinds: parameters that no call names, by their place; functions, classes and tables of a
module, each module counting anew; what is asked of `self` alone (`self._x`), each class counting
anew; all other attributes and methods, one name each in the whole program. What has a dot before it
and what has none may be called the same, and names that the chip has anyway come first: it makes
room for every other that it ever reads.

A name stays when Python, the chip's modules or the board know it too, when getattr or hasattr says
it, when it is looked up on a module that only a run tells, when somebody outside asks for it, and
when it is an error's: hello tells errors by name.
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
from itertools import chain, islice

from kahriz_tools import shrink_ask as ask
from kahriz_tools.shrink_inline import Trees, imported
from kahriz_tools.shrink_static import BUILTINS, OTHERS, STATIC

PARAMETERS_MOST = 16  # of a function and those around it
ERRORS = set(dir(OSError()))
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
        counts = Counter(name for tree in trees.values() for name in ask.names(tree))
        said = keep | set(ask.asked_for(trees))
        stays = said | {name for one in KNOWN for name in dir(one)}
        stays |= {
            name for name in ask.names(trees.get(BOARD, ast.Module([], []))) if name[0] != "_"
        }
        stays |= {name for name in counts if name.endswith("Error") or name[:2] == "__"}
        tops = {module: set(ask.tops(tree)) for module, tree in trees.items()}
        every_top = set().union(*tops.values())
        by_name = set(trees) - {
            one for tree in trees.values() for one in imported(tree, trees).values()
        }
        looked_up = {name for tree in trees.values() for name in ask.looked_up(tree, trees)}
        fixed = {name for tree in trees.values() for name in ask.class_variables(tree)}
        shared = {name for tree in trees.values() for name in ask.imported_names(tree)} & every_top
        own = {name for tree in trees.values() for name in ask.attributes(tree)} - fixed - stays
        own -= {name for module in by_name for name in tops[module]}
        looked_up -= own
        stays |= {part for name in trees for part in name.split(".")}
        order = sorted(counts, key=lambda name: (-counts[name], name))
        self.named = keep | {name for tree in trees.values() for name in ask.called_by_name(tree)}
        letters = _free(set(counts) | stays)
        plain = said | {name for tree in trees.values() for name in ask.plain(tree)} - {"self"}
        free = chain([name for name in STATIC if name not in plain], letters)
        self.parameters = list(islice(free, PARAMETERS_MOST))
        everywhere = {name: next(free) for name in order if name in shared - stays - looked_up}
        pool = list(islice(free, max(len(one) for one in tops.values())))
        dotted = said | ERRORS | {name for tree in trees.values() for name in ask.dotted(tree)}
        again = [*self.parameters, *everywhere.values(), *pool, *STATIC, *BUILTINS, *OTHERS]
        free = chain([name for name in dict.fromkeys(again) if name not in dotted], letters)
        privates = ask.privates(trees)
        of_a_class = list(islice(free, max([len(one) for one in privates.values()], default=0)))
        self.privates = {
            owner: dict(zip(sorted(mine, key=order.index), of_a_class, strict=False))
            for owner, mine in privates.items()
        }
        own -= set().union(*privates.values())
        self.attributes = {name: next(free) for name in order if name in own}
        self.tops: dict[str, dict[str, str]] = {}
        for module in trees:
            mine = sorted(tops[module] - stays - looked_up - set(everywhere))
            self.tops[module] = everywhere | dict(zip(mine, pool, strict=False))


def _free(taken: set[str]) -> Iterator[str]:
    for one in SHORT:
        if one not in taken:
            yield one
    for first in SHORT:
        for second in SHORT:
            if first + second not in taken and not keyword.iskeyword(first + second):
                yield first + second


class _Rename(ast.NodeTransformer):
    """Give a module its short names."""

    def __init__(self, module: str, tree: ast.Module, trees: Trees, short: _Names) -> None:
        self._short = short
        self._tops = short.tops[module]
        self._modules = imported(tree, trees)
        self._in_class = False
        self._private: dict[str, str] = {}  # of the class around
        self._scopes: list[dict[str, str]] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        names = self._short.attributes | self._private if self._in_class else self._tops
        node.name = names.get(node.name, node.name)
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.Lambda) -> ast.AST:
        node.args.defaults = [self.visit(one) for one in node.args.defaults]
        given = [*node.args.posonlyargs, *node.args.args]
        given += [one for one in (node.args.vararg, node.args.kwarg) if one is not None]
        deep = sum(len(one) for one in self._scopes)  # an inner function sees the outer one's
        scope = {}
        for place, one in enumerate(given):
            scope[one.arg] = one.arg
            if one.arg not in self._short.named:
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
        self._private = self._short.privates.get(node, {})
        node.name = self._tops.get(node.name, node.name)
        self._in_class = True
        self.generic_visit(node)
        self._in_class = False
        self._private = {}
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
        if ast.unparse(node.value) == "self":
            names = names | self._private
        if isinstance(node.value, ast.Name) and node.value.id in self._modules:
            names = self._short.tops[self._modules[node.value.id]]
        node.attr = names.get(node.attr, node.attr)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        for alias in node.names:
            if f"{node.module}.{alias.name}" not in self._modules.values():
                alias.name = self._tops.get(alias.name, alias.name)
        return node
