# SPDX-License-Identifier: MIT
"""What is measured with: a plan of so many nodes, and their messages of twelve rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from kahriz_wire.messages import Hello, encode_hello

SITE = "bench"
ROWS = 12  # a message: an hour of a node
FIRST_MS = 1_740_000_000_000  # so long ago that no run comes to rows of tomorrow
DT_MS = 60_000
ZERO_M = 0.8
STRUCTURES = {"weir": 'structure = { kind = "v_notch", angle_deg = 90 }\n', "pressure": ""}
CHANNELS = {
    "weir": (("weir", f'zero_m = {ZERO_M}\nsound_speed = "fixed"\n'), ("air", "")),
    "pressure": (("pipe", ""), ("meter", "")),
}


@dataclass
class Load:
    """Messages of 12 rows from so many nodes, in the order of time."""

    messages: list[tuple[str, bytes]]
    rows: int


class Site:
    """A plan of so many nodes; `load(count)` continues where the last one ended.

    At a weir a row's distance becomes a stage and a discharge; a pipe's numbers are stored as they
    are. Both have four numbers a row.
    """

    def __init__(self, folder: Path, nodes: int, kind: str = "weir") -> None:
        self.kind = kind
        self._rows_text = rows_text if kind == "weir" else pipe_text
        self.nodes = [f"n{i:03d}" for i in range(nodes)]
        self._next = dict.fromkeys(self.nodes, 1)
        self.toml = folder / "site.toml"
        self.records = folder / "records.toml"
        plan = [
            f'[site]\nid = "{SITE}"\nname = {{ az = "b", ru = "b", en = "b" }}\ndistrict = "-"\n'
        ]
        records = []
        for node in self.nodes:
            plan.append(
                f'[[point]]\nid = "{node}"\nname = {{ az = "b", ru = "b", en = "b" }}\n'
                f'kind = "{kind}"\ndt_s = {DT_MS // 1000}\n{STRUCTURES[kind]}'
            )
            for channel, zero in CHANNELS[kind]:
                records.append(
                    f'[[deployment]]\nnode = "{node}"\nchannel = "{channel}"\npoint = "{node}"\n'
                    f"from = 2020-01-01T00:00:00Z\n{zero}"
                )
        self.toml.write_text("\n".join(plan))
        self.records.write_text("\n".join(records))

    def rewind(self) -> None:
        """Begin again with the first row."""
        self._next = dict.fromkeys(self.nodes, 1)

    def load(self, count: int) -> Load:
        messages = []
        for i in range(count):
            node = self.nodes[i % len(self.nodes)]
            messages.append((f"kahriz/v1/{SITE}/{node}/up/9f3a01c2", self.up(node)))
        return Load(messages, count * ROWS)

    def up(self, node: str) -> bytes:
        """The next 12 rows of a node, as its firmware writes them."""
        first = self._next[node]
        self._next[node] = first + ROWS
        return self._rows_text(first)

    def hellos(self, session: str) -> list[tuple[str, bytes]]:
        """Every node begins a session with nothing to send yet."""
        found = []
        for node in self.nodes:
            hello = Hello(session, "9f3a01c2", 1, self._next[node])
            found.append((f"kahriz/v1/{SITE}/{node}/hello", encode_hello(hello)))
        return found


def rows_text(first: int) -> bytes:
    """Rows first … first + 11: a weir's water and air that go slowly up and down, and scatter."""
    rows = ",".join(
        f'{{"ts":{FIRST_MS + n * DT_MS},"n":{n},"q":1,"weir_distance_m":'
        f'{0.65 + 0.03 * math.sin(n / 229) + (n * 7919 % 31) / 1e4:.4f},"weir_spread_m":0.0012,'
        f'"weir_echoes":15,"air_c":{20 + 6 * math.sin(n / 89) + (n * 31 % 7) / 16:.2f}}}'
        for n in range(first, first + ROWS)
    )
    return f"[{rows}]".encode()


def pipe_text(first: int) -> bytes:
    """The same of a pipe: pressure, temperature, conductivity, and a flow that a meter says."""
    rows = ",".join(
        f'{{"ts":{FIRST_MS + n * DT_MS},"n":{n},"q":1,"pipe_pressure_bar":'
        f'{2.4 + 0.3 * math.sin(n / 229) + (n * 7919 % 31) / 1e3:.3f},"pipe_c":'
        f'{14 + math.sin(n / 89) + (n * 31 % 7) / 16:.2f},"pipe_us_cm":{640 + n % 7},'
        f'"meter_flow_lps":{3 + 0.5 * math.sin(n / 229) + (n * 31 % 13) / 100:.2f}}}'
        for n in range(first, first + ROWS)
    )
    return f"[{rows}]".encode()
