# SPDX-License-Identifier: MIT
"""Commands of a receipt: each is done once, however often it comes, and answered every time.

/done keeps the last answers as [store, id, ok, why, n]; it is written before anything is done, so
a command that a power cut interrupts is not done a second time. Another store counts anew.
"""

from kahriz_node import keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.session import Session
    from kahriz_node.shapes import Any, Readings

DONE = "/done"
DONE_MOST = 16
RESEND_MOST = 2000
TIMES_MOST = 60
OPS = ("identify", "sample", "resend", "zero", "reboot", "factory")


def whole(value: object, low: int, high: int) -> bool:
    """Whether it is a whole number of this range."""
    return isinstance(value, int) and value is not True and low <= value <= high


def refusal(op: object, args: "Any", readings: "Readings") -> str:
    """Why a command is not done; empty when it is."""
    if op not in OPS:
        return "unknown op"
    if not isinstance(args, dict):
        return "args: expected an object"
    if op == "identify" and not whole(args.get("times", 5), 1, TIMES_MOST):
        return "times: expected 1 to 60"
    if op == "resend":
        if not whole(args.get("a"), 1, 0xFFFFFFFF) or not whole(args.get("b"), 1, 0xFFFFFFFF):
            return "expected a and b"
        if not 0 <= args["b"] - args["a"] < RESEND_MOST:
            return "expected 1 to 2000 rows"
    if op == "zero" and all(isinstance(one, str) for one in readings.values()):
        return "nothing was measured"
    return ""


def obey(session: "Session", root: str, readings: "Readings", n: int) -> "list[tuple[str, int]]":
    """Answer the commands of the receipt; what is to be done after the radio as (op, number)."""
    word = session.outcome.receipt
    assert word is not None  # or nobody would have come here
    done: list[Any] = keep.load(root + DONE) or []
    todo = []
    fresh = False
    for one in word.cmd:
        asked: dict[str, Any] = one
        ident, op, args = asked.get("id"), asked.get("op"), asked.get("args", {})
        if not whole(ident, 1, 0xFFFFFFFF):
            continue
        known = [each for each in done if each[0] == word.store and each[1] == ident]
        if not known:
            why = refusal(op, args, readings)
            if not why and op == "resend":  # this may be done twice: a cut costs a second delivery
                session.last = args["a"] - 1
                if not session.send([[args["a"], args["b"]]]):
                    why = f"rows to {session.last} only"
            known = [[word.store, ident, 0 if why else 1, why, n if op == "zero" else 0]]
            done.append(known[0])
            fresh = True
            if not why and op in ("identify", "sample", "reboot", "factory"):
                todo.append((str(op), args.get("times", 5)))
        session.done.append(answer(known[0]))
    if fresh:
        keep.save(root + DONE, done[-DONE_MOST:])
    return todo


def answer(kept: "Any") -> "dict[str, object]":
    """The answer as the ack says it."""
    body = {"id": kept[1], "ok": kept[2]}
    if kept[3]:
        body["why"] = kept[3]
    elif kept[4]:
        body["n"] = kept[4]
    return body
