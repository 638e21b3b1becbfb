# SPDX-License-Identifier: MIT
"""What a receipt carries beside the ledger: configuration, program, commands."""

from __future__ import annotations

import sqlite3

from kahriz_gateway.orders import commands, node_config, ota
from kahriz_wire import topics
from kahriz_wire.messages import Ack, Receipt

Message = tuple[str, bytes, bool]  # topic, payload, retained; QoS 1


class Errands:
    """Reads what the command line has put into the store; writes the nodes' answers."""

    def __init__(self, conn: sqlite3.Connection, site: str) -> None:
        self._conn = conn
        self._site = site
        self._outbox: list[Message] = []

    def begin(self, node: str) -> None:
        """A session begins."""
        commands.told(self._conn, node)

    def answered(self, node: str, ack: Ack, received: int | None) -> None:
        """What the node did, and which piece of a program it asks for."""
        commands.answered(self._conn, node, ack, received)
        if ack.ota is not None:
            for kind, payload in ota.pieces(self._conn, node, *ack.ota):
                self._outbox.append((f"{topics.ROOT}/{self._site}/{node}/{kind}", payload, False))

    def into(self, receipt: Receipt, node: str) -> None:
        """Name what the node lacks; a configuration that is named is published as well."""
        says = node_config.runs(self._conn, node)
        wanted = node_config.newest(self._conn, node)
        if wanted is not None and says.cfg is not None and says.cfg != wanted[0]:
            receipt.cfg = wanted[0]
            topic = topics.of(self._site, node, "config")
            self._outbox.append((topic, wanted[1].encode(), True))
        number = ota.offered(self._conn, node)
        if number is not None and says.ota is not None and says.ota != number:
            receipt.ota = number
        for one in commands.waiting(self._conn, node):
            body: dict[str, object] = {"id": one.id, "op": one.op}
            if one.args:
                body["args"] = one.args
            receipt.cmd.append(body)

    def outbox(self) -> list[Message]:
        """What is to be published now, before the receipt."""
        out, self._outbox = self._outbox, []
        return out
