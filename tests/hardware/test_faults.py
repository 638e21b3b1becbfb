# SPDX-License-Identifier: MIT
"""hardware/faults.md has a row for each word that a driver, a hello or a doctor can say.

The words are gathered from the sources, so a new one without a row turns this red.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_gateway.checks import CHECKS
from kahriz_node import sensors, tls
from scripts import driver_pages
from tests.hardware.kits import HARDWARE, ROOT

NODE = ROOT / "firmware" / "lib" / "kahriz_node"
TABLE = (HARDWARE / "faults.md").read_text(encoding="utf-8")
PAGE = driver_pages.text()
FILES = sorted((NODE / "sensors").glob("[a-z_]*.py"))


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for one in ast.walk(tree):
        if isinstance(one, ast.Call):
            function = one.func
            called = getattr(function, "id", getattr(function, "attr", ""))
            if called == name:
                yield one


def texts(part: ast.expr) -> list[str]:
    """A text, both branches of a choice, or an f-string with N for what is filled in."""
    if isinstance(part, ast.IfExp):
        return texts(part.body) + texts(part.orelse)
    if isinstance(part, ast.JoinedStr):
        return ["".join(one.value if isinstance(one, ast.Constant) else "N" for one in part.values)]
    return [part.value] if isinstance(part, ast.Constant) and isinstance(part.value, str) else []


def said_in_hello() -> set[str]:
    """Every word that can stand in a hello's "error"."""
    found = {word for _, word in tls.WORDS} | set(tls.NUMBERS.values()) | {"tls-file", "tls"}
    for path in sorted(NODE.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in calls(tree, "MqttError"):
            found |= {text for part in call.args for text in texts(part)}
        for call in calls(tree, "short"):
            found |= set(texts(call.args[0]))
        for one in ast.walk(tree):
            target = one.targets[0] if isinstance(one, ast.Assign) else None
            if isinstance(target, ast.Subscript) and isinstance(one, ast.Assign):
                told = getattr(target.slice, "value", "") == "error"
                found |= set(texts(one.value)) if told else set()
    word_of = ast.parse((NODE / "uplink.py").read_text(encoding="utf-8"))
    for one in ast.walk(word_of):
        if isinstance(one, ast.FunctionDef) and one.name == "word_of":
            for line in ast.walk(one):
                if isinstance(line, ast.Return) and line.value is not None:
                    found |= set(texts(line.value))
    return {word for word in found if word}


def lacking(words: set[str], table: str = TABLE) -> list[str]:
    return sorted(word for word in words if f"`{word}`" not in table)


def test_the_table_has_every_word_of_a_hello() -> None:
    words = said_in_hello()
    assert {"timeout", "dns", "refused N", "socket N", "tls-ca", "no access point"} <= words
    assert len(words) > 20
    assert lacking(words) == []
    assert lacking(words, TABLE.replace("`tls-alert`", "")) == ["tls-alert"]


def test_the_table_has_every_reason_of_a_start() -> None:
    tree = ast.parse((NODE / "board_esp32.py").read_text(encoding="utf-8"))
    (cause,) = (
        one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == "cause"
    )
    returned = [one.value for one in ast.walk(cause) if isinstance(one, ast.Return) and one.value]
    words = {text for part in returned for text in texts(part)}
    assert {"timer", "watchdog"} <= words
    assert lacking(words) == []


def test_the_table_has_every_word_of_every_driver_and_of_none_else() -> None:
    said = {word for name in sensors.SENSORS for word in driver_pages.faults(name)} | {"driver"}
    assert len(said) > 8
    assert lacking(said) == []


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_fault_is_a_word_that_the_pages_can_gather(path: Path) -> None:
    """A word made while the driver runs would be missing on its page."""
    for call in calls(ast.parse(path.read_text(encoding="utf-8")), "SensorError"):
        passed_on = isinstance(call.args[0], ast.Name) and call.args[0].id == "fault"
        assert texts(call.args[0]) or passed_on, f"line {call.lineno}"


@pytest.mark.parametrize("name", sorted(sensors.SENSORS))
def test_a_drivers_page_has_all_that_the_driver_declares(name: str) -> None:
    part = PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
    module = sensors.module(name)
    keys = [*module.KEYS, *module.NEEDS, *module.MAY, *getattr(module, "TEXTS", ())]
    assert [key for key in keys if f"`{key}`" not in part] == []
    assert f"at most** {module.LIMIT_MS} ms" in part
    for head in ("Row keys", "Wiring", "Source", "Settings", "Fault words"):
        told = re.search(rf"\*\*{head}\*\*: (.+)", part)
        assert told, head
        assert len(told[1]) > 3, head
    assert f'"driver": "{name}"' in part
    for word in driver_pages.faults(name):
        assert f"`{word}`" in part


def test_every_driver_file_is_in_the_index_and_so_on_the_page() -> None:
    files = {path.stem for path in FILES if not path.stem.startswith("_")}
    assert files == set(sensors.SENSORS)


def test_the_table_has_every_look_of_the_two_doctors() -> None:
    cells = {cell.strip() for line in TABLE.splitlines() if line.startswith("|")
             for cell in line.split("|")[1].split(",")}  # fmt: skip
    assert sorted(set(CHECKS) - cells) == []
    source = (ROOT / "firmware" / "kahriz_tools" / "doctor_cli.py").read_text(encoding="utf-8")
    looks = set()
    for one in ast.walk(ast.parse(source)):
        inner = one.value if isinstance(one, (ast.Return, ast.Expr)) else None
        inner = inner.value if isinstance(inner, ast.Yield) else inner
        if isinstance(inner, ast.Tuple) and len(inner.elts) == 4:
            looks |= set(texts(inner.elts[1]))
    assert {"clock", "cable", "busy"} <= looks
    assert sorted(looks - cells) == []
