# SPDX-License-Identifier: MIT
"""Taking a reading: each channel by its driver, then into the journal."""

from kahriz_node import records
from kahriz_node.node import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node
    from kahriz_node.shapes import Readings


def measure(node: "Node") -> "tuple[Readings, list[tuple[str, tuple[str, ...]]]]":
    """{channel: {quantity: scaled} or a fault word}, and the quantities each could have."""
    from kahriz_node import sensors

    readings: Readings = {}
    board, state = node.board, node.state
    layout = []
    elapsed = node.measured - state.get("measured", node.measured)
    for name, spec in node.config.channels:
        module = sensors.module(spec["driver"])
        layout.append((name, module.KEYS))
        try:
            readings[name] = module.start(board, spec).read(elapsed)
        except sensors.SensorError as error:
            readings[name] = error.fault
        except (OSError, ValueError) as error:  # a bus that is not there, a pin that is none
            readings[name] = "driver"
            state["error"] = short(name, error)
        board.feed()
    state["measured"] = node.measured
    return readings, layout


def write_down(node: "Node") -> None:
    """Into the journal, with the time the measuring began."""
    state, clock, book = node.state, node.clock, node.journal
    book.stuck = state.get("stuck", [])
    up_s = clock.up_s(node.measured)
    now = clock.read(node.measured)
    if now is None:
        taken = records.Stamp(0, records.UNKNOWN, up_s, state["boot"])
    else:
        kind = records.SYNCED if now[1] is None else records.ESTIMATED
        taken = records.Stamp((now[0] + 500) // 1000, kind, up_s, state["boot"])
    fails = all(isinstance(one, str) for one in node.readings.values())
    book.append(taken, 9 if fails else 1, node.readings)  # QARTOD: missing, not evaluated
    state["next"] = book.next
