# SPDX-License-Identifier: MIT
"""What a session does beyond its rows, only when the receipt names it: commands, fetching files."""

import os

from kahriz_node import configs, slots, stamp
from kahriz_wire import WireError, outgoing, release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.journal import Journal
    from kahriz_node.node import Node
    from kahriz_node.session import Session

CONFIG_MOST_BYTES = 4096
QUIET_MS = 2500  # nothing for so long: the rest is for next time
ROOM_BLOCKS = 80  # a release as it travels, and its files in a slot
RESERVE_MV = 200  # over the radio's limit: unpacking must not pull the supply down


def run(session: "Session", node: "Node") -> None:
    """All of it; what is to be done when the radio is off goes to node.todo."""
    word = session.outcome.receipt
    marks = configs.marks(node.root)
    todo = node.todo
    assert word is not None  # or nobody would have come here
    if word.cmd:
        from kahriz_node import commands

        todo += commands.obey(session, node.root, node.readings, node.number)
    cfg, ota = word.cfg, word.ota
    if cfg is not None and cfg != node.config.rev and cfg != marks[configs.REFUSED]:
        if fetch_config(session, node.root):
            todo.append(("config", cfg))
        else:
            node.complaint = f"config {cfg}: not delivered"
    refused = (marks[configs.REFUSED_RELEASE], slots.failed(node.root))
    if ota is None or ota <= stamp.NUMBER or ota in refused:
        return
    if slots.read(node.root)[1].isdigit():
        return
    if node.battery_mv < node.config.radio_above_mv + RESERVE_MV:
        node.complaint = f"release {ota}: battery too low"
        return
    try:
        if fetch_release(session, node.root, ota, node.journal):
            todo.append(("ota", ota))
    except WireError as error:
        node.complaint = str(error)
        configs.mark(node.root, configs.REFUSED_RELEASE, ota)
        clear(node.root)


def fetch_config(session: "Session", root: str) -> bool:
    """The retained configuration into /config.new."""
    got: list[bytes] = []
    session.heard = lambda topic, payload: got.append(payload)
    session.ask("config")
    while not got and session.listen(QUIET_MS):
        pass
    if not got or not 0 < len(got[0]) <= CONFIG_MOST_BYTES:
        return False
    with open(root + configs.FETCHED, "wb") as file:
        file.write(got[0])
    return True


def fetch_release(session: "Session", root: str, number: int, journal: "Journal") -> bool:
    """Pieces of a release onto the end of what is there; True when it is whole."""
    path = root + "/ota." + str(number)
    clear(root, "ota." + str(number))
    part = Part(path)
    if part.whole():
        return True
    if not journal.give(ROOM_BLOCKS):
        raise WireError("release.room", "no room on flash")
    session.heard = part.take
    session.ask(f"ota/{number}/+")
    while not part.whole():
        begin = part.at
        ack = outgoing.ack(session.s, journal.id, [], [], (number, begin))
        session.say("ack", ack)
        while part.at < begin + release.WINDOW * release.CHUNK_BYTES and not part.whole():
            if not session.listen(QUIET_MS):
                break
        if part.at == begin or session.left() <= 0:
            break
    return part.whole()


class Part:
    """A release that grows on flash; what is there is kept over wakes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._total = 0
        try:
            self.at = os.stat(path)[6]
            with open(path, "rb") as file:
                self._total = release.total(file.read(release.HEAD_BYTES))
        except OSError:
            self.at = 0

    def whole(self) -> bool:
        """Whether nothing is missing."""
        return 0 < self._total <= self.at

    def take(self, topic: bytes, payload: bytes) -> None:
        """A piece, if it is the next one."""
        if topic.rsplit(b"/", 1)[1] != str(self.at).encode() or not payload:
            return
        if not self.at:
            self._total = release.total(payload)
        if self.at + len(payload) > self._total:
            raise WireError("release.long", "longer than its head says")
        with open(self._path, "ab") as file:
            file.write(payload)
        self.at += len(payload)


def clear(root: str, but: str = "") -> None:
    """Take away what was fetched for other releases."""
    for name in os.listdir(root or "/"):
        if name.startswith("ota.") and name != but:
            os.remove(root + "/" + name)
