# SPDX-License-Identifier: MIT
"""What the laptop makes for a node: checks of itself and the site, certificate, image."""

import hashlib
import importlib.util
import time
import tomllib
from collections.abc import Mapping
from typing import Any

from kahriz_node import stamp
from kahriz_node.config import Config
from kahriz_tools import filesystem, flash, micropython, node_config
from kahriz_tools.case import Case
from kahriz_tools.errors import BenchError
from kahriz_tools.steps import Step

MISSING = 3
NEEDS = ("esptool", "littlefs", "mpremote", "segno", "typst", "cryptography")
DAY_S = 86400
TLS_PORT, PLAIN_PORT = 8883, 1883
TLS = {"ca": "/tls/ca.der", "cert": "/tls/cert.der", "key": "/tls/key.der"}


class Laptop:
    """Makes what will go into the board."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.body: node_config.Json = {}
        self.plan: dict[str, Any] = {}
        self.serial = ""
        self.firmware: micropython.Firmware
        self.config: Config
        self.files: dict[str, bytes] = {}  # path on the board -> bytes
        self.image = b""

    def steps(self) -> list[Step]:
        """Those before the board is looked at."""
        return [
            Step("laptop", "run `make setup`", self.laptop),
            Step("site", "mend the site's folder", self.site),
            Step("micropython", f"see {micropython.PAGE}", self.micropython),
        ]

    def laptop(self) -> str:
        missing = [name for name in NEEDS if importlib.util.find_spec(name) is None]
        if missing:
            raise BenchError(
                f"the Python package {missing[0]} is not installed",
                "run `make setup`, or `pip install 'kahriz-monitor[tools]'`",
                MISSING,
            )
        if time.time() < stamp.BUILT_S - DAY_S:
            raise BenchError(
                f"this laptop's clock says {time.strftime('%Y-%m-%d')}, before this program was "
                "made",
                "set the clock: certificates and records are dated by it",
                MISSING,
            )
        return f"kahriz {stamp.VERSION}, {time.strftime('%Y-%m-%d %H:%M %Z')}"

    def site(self) -> str:
        wish = self.case.wish
        self.body = node_config.load(str(wish.site), wish.node)
        file = wish.site / "site.toml"
        try:
            self.plan = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BenchError(
                f"{file} cannot be read ({error})",
                "`kahriz gateway check --config` names the line",
                node_config.CONFIG_CODE,
            ) from error
        ours = self.plan.get("site", {}).get("id")
        if self.body.get("site") != ours:
            raise BenchError(
                f"{wish.node}'s file is of site {self.body.get('site')!r}, site.toml of {ours!r}",
                "correct the one that is wrong",
                node_config.CONFIG_CODE,
            )
        points = [p["id"] for p in self.plan.get("point", []) if wish.node in _nodes(p)]
        if not points:
            raise BenchError(
                f"no [[point]] of site.toml has node {wish.node!r}: its readings would have no "
                "place",
                'add node = "…" to its point',
                node_config.CONFIG_CODE,
            )
        return f"{ours}: {wish.node} measures {', '.join(points)}"

    def micropython(self) -> str:
        self.firmware = found = micropython.load(self.case.wish.site)
        return f"{found.name}, sha256 {found.sha256[:16]}…, {found.trust}"

    def certificate(self) -> str | None:
        wish = self.case.wish
        if wish.plain:
            return "none: --plain, anybody in this Wi-Fi may forge readings"
        serial = wish.authority.standing(wish.node)
        if serial is None or serial == self.case.state.get("replaces", {}).get("serial"):
            return None
        self.serial = serial
        return f"serial {serial[:8]}…"

    def complete(self, on_board: node_config.Json | None) -> str:
        """Wi-Fi, broker and certificates into the configuration; checked as the chip does."""
        wish = self.case.wish
        body = node_config.complete(self.body, on_board, wish.said)
        broker = body["broker"]
        if wish.plain:
            broker.pop("tls", None)
            papers: Mapping[str, bytes] = {}
        else:
            papers = wish.authority.papers(wish.node)
            broker["tls"] = {**TLS, "name": wish.broker_name}
            if "ca2.der" in papers:
                broker["tls"]["ca2"] = "/tls/ca2.der"
            if broker.get("port", PLAIN_PORT) == PLAIN_PORT and wish.said.broker_port is None:
                broker["port"] = TLS_PORT
        node_config.check(body, wish.node)
        self.config = Config(body)
        self.files = flash.program(node_config.drivers(body))
        self.files[node_config.PATH] = node_config.encode(body)
        self.files |= {f"/tls/{name}": data for name, data in papers.items()}
        if wish.release_key is not None:
            from kahriz_tools.release import KEY_PATH, modulus

            self.files[KEY_PATH] = modulus(wish.release_key)
        doubts = "".join(f"; note: {doubt}" for doubt in node_config.doubts(body))
        return f"{self.config.ssid}, {self.config.host}:{self.config.port}{doubts}"

    def make_image(self) -> str:
        """One image; read back as the chip will."""
        size = self.firmware.files.size
        self.image = filesystem.make(self.files, size)
        if filesystem.read(self.image) != self.files:
            raise BenchError("the image reads back differently", "update littlefs-python", MISSING)
        used = sum(map(len, self.files.values()))
        return f"{len(self.files)} files, {used} bytes, for {size // 1024} kB"

    @property
    def mark(self) -> str:
        """The sum of all that goes into the board."""
        digest = hashlib.sha256(self.firmware.sha256.encode())
        for path, data in sorted(self.files.items()):
            digest.update(path.encode() + b"\0" + hashlib.sha256(data).digest())
        return digest.hexdigest()


def _nodes(point: dict[str, Any]) -> set[str]:
    """The nodes of a point: its own, and those of its further channels; its id when silent."""
    named = point.get("node", point.get("id"))
    return set(named) if isinstance(named, list) else {str(named)}
