# SPDX-License-Identifier: MIT
"""msgspec without typing_extensions, which it imports only when it is there: 5 MB and most of its

start that its decoders never use. Import msgspec from here and nowhere else.
"""

from __future__ import annotations

import sys

_UNUSED = "typing_extensions"


def _hide() -> bool:
    """Make its import fail as if it were not installed; False when somebody has it already."""
    if _UNUSED in sys.modules:
        return False
    sys.modules[_UNUSED] = None  # type: ignore[assignment]
    return True


_hidden = _hide()
try:
    import msgspec
finally:
    if _hidden:
        del sys.modules[_UNUSED]

__all__ = ["msgspec"]
