# SPDX-License-Identifier: MIT
"""The written dashboards against Grafana's own types (npm `@grafana/schema`), by its compiler."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kahriz_server import dashboards

pytestmark = [
    pytest.mark.needs("node", "npm"),
    pytest.mark.timeout(900),  # its packages may have to be fetched
]
TYPES = Path(__file__).parent / "grafana_types"
HOME = Path(__file__).parents[2] / "build" / "grafana-types"
OPTIONS = {
    "strict": True,
    "noEmit": True,
    "skipLibCheck": True,
    "module": "esnext",
    "moduleResolution": "bundler",
    "target": "es2022",
    "types": [],
}
Break = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def packages() -> Path:
    """The packages of the lockfile; kept in build/ until the lockfile is another."""
    lock = (TYPES / "package-lock.json").read_text()
    stamp = HOME / "node_modules" / ".from"
    if not stamp.exists() or stamp.read_text() != lock:
        HOME.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(TYPES / name, HOME)
        npm = shutil.which("npm") or "npm"
        argv = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=5"]
        for again in (True, False):  # a network may fail once
            done = subprocess.run(argv, cwd=HOME, capture_output=True, text=True, timeout=240)
            if not done.returncode:
                break
            assert again, f"npm ci: {done.stderr[-500:]}"
        stamp.write_text(lock)
    return HOME / "node_modules"


def compiled(folder: Path, packages: Path, boards: dict[str, Any]) -> list[str]:
    """What the compiler says of these dashboards, a line a complaint."""
    (folder / "node_modules").symlink_to(packages)
    shutil.copy(TYPES / "dashboards.ts", folder)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS}))
    for name, board in boards.items():
        text = json.dumps(board, ensure_ascii=False, indent=1)
        (folder / f"{name}.board.ts").write_text(
            f"import type {{ Board }} from './dashboards';\nexport const board: Board = {text};\n",
            encoding="utf-8",
        )
    compiler = packages / "typescript" / "bin" / "tsc"
    argv = [shutil.which("node") or "node", str(compiler), "-p", str(folder), "--pretty", "false"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode in (0, 1, 2), done.stderr
    return done.stdout.splitlines()


def board(page: str, lang: str = "en") -> dict[str, Any]:
    made: dict[str, Any] = json.loads(dashboards.render()[f"{lang}/{page}.json"])
    return made


def panel(board: dict[str, Any], kind: str) -> Any:
    return next(each for each in board["panels"] if each["type"] == kind)


def misspell(place: Any, right: str) -> None:
    place[right[:-1] + "x"] = place.pop(right)


BREAKS: dict[str, tuple[str, Break]] = {
    "an option of a stat": ("kahriz", lambda b: misspell(panel(b, "stat")["options"], "textMode")),
    "an option's own option": (
        "kahriz",
        lambda b: misspell(panel(b, "stat")["options"]["reduceOptions"], "calcs"),
    ),
    "a value of an option": (
        "kahriz",
        lambda b: panel(b, "stat")["options"].update(graphMode="nothing"),
    ),
    "an option of another kind of panel": (
        "fleet",
        lambda b: panel(b, "bargauge")["options"].update(graphMode="none"),
    ),
    "a custom field": (
        "kahriz",
        lambda b: misspell(
            panel(b, "timeseries")["fieldConfig"]["defaults"]["custom"], "spanNulls"
        ),
    ),
    "an override": (
        "alarms",
        lambda b: panel(b, "table")["fieldConfig"]["overrides"][0]["properties"][0].update(
            id="displayNames"
        ),
    ),
    "an override that is none": (
        "nodes",
        lambda b: panel(b, "table")["fieldConfig"]["overrides"].append(400),
    ),
    "a kind of panel": ("nodes", lambda b: panel(b, "table").update(type="tabel")),
    "a key of a panel": ("kahriz", lambda b: misspell(panel(b, "stat"), "interval")),
    "a key of the frame": ("kahriz", lambda b: misspell(b, "graphTooltip")),
    "a key of a variable": ("fleet", lambda b: misspell(b["templating"]["list"][0], "includeAll")),
    "a key of the marks": (
        "kahriz",
        lambda b: misspell(b["annotations"]["list"][0]["target"], "textColumn"),
    ),
    "a key of a query": (
        "kahriz",
        lambda b: misspell(panel(b, "stat")["targets"][0], "resultFormat"),
    ),
    "a transformation": ("fleet", lambda b: panel(b, "table")["transformations"][0].update(id="x")),
}


@pytest.fixture(scope="module")
def refused(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Which dashboards the compiler refuses, whole and broken ones in one run: it starts slowly."""
    broken = {}
    for what, (page, spoil) in BREAKS.items():
        broken[what] = made = board(page)
        spoil(made)
    whole = {page: board(page) for page in dashboards.PAGES}
    files = {f"board-{n}": each for n, each in enumerate([*whole.values(), *broken.values()])}
    said = compiled(tmp_path_factory.mktemp("types"), packages, files)
    names = dict(zip(files, [*whole, *broken], strict=True))
    return {names[line.partition(".board.ts(")[0]] for line in said if ": error TS" in line}


def test_grafanas_own_types_take_every_dashboard(refused: set[str]) -> None:
    assert refused & set(dashboards.PAGES) == set()


@pytest.mark.parametrize("what", BREAKS)
def test_a_misspelt_name_is_refused(refused: set[str], what: str) -> None:
    assert what in refused


def shape(made: Any) -> Any:
    """A dashboard without its words."""
    if isinstance(made, dict):
        return {key: shape(value) for key, value in made.items()}
    return [shape(each) for each in made] if isinstance(made, list) else type(made)


@pytest.mark.parametrize("page", dashboards.PAGES)
def test_the_other_languages_differ_in_words_alone(page: str) -> None:
    assert shape(board(page, "az")) == shape(board(page, "ru")) == shape(board(page))
