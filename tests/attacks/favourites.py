# SPDX-License-Identifier: MIT
"""Payloads that have broken other programs: deep, long, endless, and names that are commands."""

NASTY = (
    b"",
    b"\x00" * 40,
    b"[" * 10_000,
    b"[" * 10_000 + b"]" * 10_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'[{"n":1e999,"ts":NaN}]',
    b'[{"n":' + b"9" * 5_000 + b"}]",
    b'[{"ts":1764000000000,"n":7,"q":1,"x\'; DROP TABLE reading;--":1}]',
    b'[{"ts":1764000000000,"n":7,"q":1,"a,b=1 2\\nwater m=1":1.0}]',
    b"[" + b'{"n":1},' * 200_000 + b'{"n":1}]',
    "\ud800".encode("utf-8", "surrogatepass"),
    b'{"\\ud800":1}',
)
