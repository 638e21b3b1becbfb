# SPDX-License-Identifier: MIT
"""Before main.py: which program runs. Put here by cable, never over the air.

/sel names the slot, its state and the other one (kahriz_node/slots.py tells them). A program on
trial has so many boots to get a receipt; then the other one runs again.
"""

import os
import sys


def chosen() -> str:
    """The slot to run; /lib, the cable's, when there is no word or it cannot be kept."""
    try:
        with open("/sel") as file:
            run, state, other = file.read().split()
        if state.isdigit():
            left = int(state)
            run, state, other = (run, str(left - 1), other) if left else (other, "x", run)
            with open("/sel.new", "w") as file:
                file.write(run + " " + state + " " + other)
            os.rename("/sel.new", "/sel")
    except (OSError, ValueError):
        return "lib"
    return run if run in ("a", "b") else "lib"


if "/lib" in sys.path:
    sys.path.remove("/lib")
sys.path.insert(0, "/" + chosen())
