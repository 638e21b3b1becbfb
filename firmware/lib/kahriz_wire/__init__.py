# SPDX-License-Identifier: MIT
"""The wire contract, version 1: fields, topics, messages; one source for node and gateway."""

from kahriz_wire.errors import WireError

__all__ = ["WireError"]
