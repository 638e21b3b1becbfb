# SPDX-License-Identifier: MIT
"""A node that holds sessions on its interpreter, and a gateway behind a peer that misbehaves."""

import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

from .peer import Faults, Gateway, Peer

HERE = Path(__file__).parent
LIB = HERE.parents[1] / "firmware" / "lib"
INTERPRETERS = {
    "micropython": [str(Path(sys.executable).parent / "micropython"), "-X", "heapsize=256k"],
    "cpython": [sys.executable],
}


class Node:
    """A node on its interpreter, with a journal of its own."""

    def __init__(self, interpreter: str) -> None:
        command = [*INTERPRETERS[interpreter], str(HERE / "talk.py"), str(LIB), str(HERE)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.gateway = Gateway()
        self.peers: list[Peer] = []

    def session(
        self, faults: Faults | None = None, context: ssl.SSLContext | None = None, **order: Any
    ) -> tuple[dict[str, Any], Peer]:
        """One session with the gateway through a peer with these faults."""
        peer = Peer(self.gateway, faults, context)
        self.peers.append(peer)
        outcome = self.order(peer.port, **order)
        peer.released.set()
        peer.settle()
        return outcome, peer

    def order(self, port: int, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"port": port, **order}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line.startswith("{"), line + self._process.stdout.read()
        outcome: dict[str, Any] = json.loads(line)
        return outcome

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=120)
        self._process.stdout.close()
        for peer in self.peers:
            peer.close()
