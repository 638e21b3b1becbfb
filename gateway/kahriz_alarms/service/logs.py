# SPDX-License-Identifier: MIT
"""Log lines: for journald `<priority>` and key=value, for a terminal words."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from typing import TextIO

# syslog(3): what `journalctl -p` filters by
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7


class JournalFormatter(logging.Formatter):
    """`<4>service=intake module=mqtt msg="…"`; every line of a traceback has its priority."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        mark = f"<{priority(record.levelno)}>"
        module = record.name.rpartition(".")[2]
        message = json.dumps(record.getMessage(), ensure_ascii=False)
        lines = [f"service={self._service} module={module} msg={message}"]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        return "\n".join(mark + line for line in lines)


def priority(level: int) -> int:
    """
    >>> priority(logging.WARNING), priority(logging.DEBUG)
    (4, 7)
    """
    return next((number for floor, number in _PRIORITIES if level >= floor), _DEBUG)


def for_journal(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this very stream goes to journald (and not into a file or a pipe)."""
    named = environ.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{found.st_dev}:{found.st_ino}"


def set_up(
    service: str, stream: TextIO | None = None, environ: Mapping[str, str] = os.environ
) -> None:
    """Log of one service to stderr, as whoever reads it expects."""
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    if for_journal(out, environ):
        handler.setFormatter(JournalFormatter(service))
    else:
        handler.setFormatter(logging.Formatter(f"{service}: %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
