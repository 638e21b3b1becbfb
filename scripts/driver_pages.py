# SPDX-License-Identifier: MIT
"""Write firmware/DRIVERS.md from the drivers' own docstrings and tables.

python scripts/driver_pages.py            # write the page
python scripts/driver_pages.py --check    # exit 1 when the page is not what the drivers say
"""

import ast
import json
import sys
from pathlib import Path

from kahriz_node import sensors
from kahriz_wire import fields

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "firmware" / "DRIVERS.md"
FOLDER = Path(sensors.__file__).parent
PARTS = ("Wiring", "Source", "config.json")
SOUND = {
    "raw": "a time of flight made metres at 343.4 m/s; the gateway corrects for the air",
    "fixed": "the sensor's own constant speed; the gateway corrects for the air",
    "compensated": "corrected by the sensor itself; the gateway leaves it alone",
}
HEAD = """\
<!-- Made by scripts/driver_pages.py from the drivers; do not edit by hand. -->
# Drivers

One file each in `lib/kahriz_node/sensors/`. A channel of `config.json` names its driver; channels
may share a bus where the page says so. A dead sensor costs its own value, with a fault word, and at
most the stated time. `kahriz node config` refuses what a driver cannot work with. Besides its own
words, each says `driver` where a pin, port or bus is not there.

| driver | measures |
|---|---|
"""


def main(argv: list[str]) -> int:
    page = text()
    if argv == ["--check"]:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
            return 0
        print(f"{PAGE} is not current: python scripts/driver_pages.py", file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


def text() -> str:
    """The whole page."""
    drivers = {name: docstring(name) for name in sorted(sensors.SENSORS)}
    rows = [f"| [{name}](#{name}) | {parts['']} |" for name, parts in drivers.items()]
    return HEAD + "\n".join(rows) + "\n" + "".join(section(*one) for one in drivers.items())


def docstring(name: str) -> dict[str, str]:
    """The parts of a driver's docstring; the first line is under ""."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    lines = (ast.get_docstring(tree) or "").splitlines()
    parts = {"": lines[0]}
    at = ""
    for line in lines[1:]:
        word = line.split(":", 1)[0]
        if word in PARTS:
            at, line = word, line.split(":", 1)[1]
        if line.strip():
            parts[at] = f"{parts.get(at, '')} {line.strip()}".strip()
    return parts


def section(name: str, parts: dict[str, str]) -> str:
    """One driver."""
    module = sensors.module(name)
    units = [f"`{key}` ({fields.FIELDS[key][0]})" for key in module.KEYS]
    lines = [f"\n## {name}\n", parts[""], "", f"- **Row keys**: {', '.join(units)}"]
    speed = getattr(module, "SOUND_SPEED", None)
    if speed is not None:
        lines.append(f"- **Speed of sound**: {speed}: {SOUND[speed]}")
    lines += [f"- **Wiring**: {parts['Wiring']}", f"- **Source**: {parts['Source']}"]
    lines.append(f"- **Settings**: {settings(module)}")
    shared = getattr(module, "BUS", ())
    if shared:
        lines.append(f"- **Shared by channels of this driver**: {code(shared)}")
    warm = " beyond its `warm_up_ms`" if "warm_up_ms" in module.NEEDS else ""
    lines.append(f"- **A dead sensor costs at most** {module.LIMIT_MS} ms{warm}")
    lines.append(f"- **Fault words**: {code(faults(name))}: [faults.md](../hardware/faults.md)")
    example = json.dumps(json.loads(parts["config.json"]))
    return "\n".join(lines) + f"\n\n```json\n{example}\n```\n"


def faults(name: str) -> tuple[str, ...]:
    """The words with which a driver, or a helper that it imports, says why there is no value."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "kahriz_node.sensors":
            for one in node.names:
                found |= set(faults(one.name)) if one.name.startswith("_") else set()
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "SensorError":
            told = [word for part in node.args for word in words(part)]
            found |= set(told)
    return tuple(sorted(found))


def words(part: ast.expr) -> list[str]:
    """A text, or both branches of a choice between two."""
    if isinstance(part, ast.IfExp):
        return words(part.body) + words(part.orelse)
    return [part.value] if isinstance(part, ast.Constant) and isinstance(part.value, str) else []


def settings(module: object) -> str:
    """Keys of config.json with their ranges."""
    needs: dict[str, tuple[int, int]] = getattr(module, "NEEDS", {})
    may: dict[str, tuple[int, int]] = getattr(module, "MAY", {})
    found = [f"`{key}` {low}-{high}" for key, (low, high) in needs.items()]
    found += [f"`{key}` {low}-{high} (optional)" for key, (low, high) in may.items()]
    found += [f"`{key}` text (optional)" for key in getattr(module, "TEXTS", ())]
    return ", ".join(found)


def code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
