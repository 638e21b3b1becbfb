# SPDX-License-Identifier: MIT
"""All messages of the contract under one name, for those who are not short of memory."""

from kahriz_wire.birth import Birth, decode_birth, decode_status, encode_birth, encode_status
from kahriz_wire.errors import WireError
from kahriz_wire.rows import UP_MOST_BYTES, Row, Unreadable, decode_rows, encode_rows
from kahriz_wire.session import (
    MISSING_MOST,
    Ack,
    Hello,
    Receipt,
    decode_ack,
    decode_hello,
    decode_receipt,
    encode_ack,
    encode_hello,
    encode_receipt,
)

__all__ = [
    "MISSING_MOST",
    "UP_MOST_BYTES",
    "Ack",
    "Birth",
    "Hello",
    "Receipt",
    "Row",
    "Unreadable",
    "WireError",
    "decode_ack",
    "decode_birth",
    "decode_hello",
    "decode_receipt",
    "decode_rows",
    "decode_status",
    "encode_ack",
    "encode_birth",
    "encode_hello",
    "encode_receipt",
    "encode_rows",
    "encode_status",
]
