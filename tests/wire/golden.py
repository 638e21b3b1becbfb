# SPDX-License-Identifier: MIT
"""Decodes the golden messages; the same source for MicroPython and CPython.

Called with the library folder, the data folder and file names; prints one line a name: what was
decoded, keys sorted, or the WireError.
"""

import sys

sys.path.insert(0, sys.argv[1])

from kahriz_wire import WireError, messages

DECODERS = {
    "hello": messages.decode_hello,
    "up": messages.decode_rows,
    "receipt": messages.decode_receipt,
    "ack": messages.decode_ack,
    "birth": messages.decode_birth,
    "status": messages.decode_status,
}


def show(value: object) -> str:
    """A value as text that does not depend on the interpreter."""
    if isinstance(value, dict):
        return "{" + ", ".join(key + "=" + show(value[key]) for key in sorted(value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(show(one) for one in value) + "]"
    if isinstance(value, messages.Unreadable):
        return "unreadable " + str(value.n) + " (" + value.why + ")"
    if hasattr(value, "__dict__"):
        return show({key: one for key, one in vars_of(value) if one is not None})
    return repr(value)


def vars_of(value: object) -> "list[tuple[str, object]]":
    return list(value.__dict__.items())


for name in sys.argv[3:]:
    with open(sys.argv[2] + "/" + name, "rb") as file:
        payload = file.read()
    try:
        print(name + ": " + show(DECODERS[name.split(".")[0]](payload)))
    except WireError as error:
        print(name + ": WireError " + str(error))
