# SPDX-License-Identifier: MIT
"""The node program: measure, write down, upload when due, sleep."""

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Sequence


def unload(keep: "Sequence[str]") -> None:
    """Give the memory of the program's modules back, but for these: what was loaded since."""
    if sys.implementation.name != "micropython":
        return  # others may be using them
    for loaded in list(sys.modules):
        if loaded not in keep and loaded.startswith("kahriz_"):
            parent, _, last = loaded.rpartition(".")
            del sys.modules[loaded]
            if parent in sys.modules and hasattr(sys.modules[parent], last):
                delattr(sys.modules[parent], last)
    gc.collect()
