# SPDX-License-Identifier: MIT
"""The error of the contract under its older name; no chip loads this."""

from kahriz_wire import WireError

__all__ = ["WireError"]
