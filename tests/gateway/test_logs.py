# SPDX-License-Identifier: MIT
"""Log lines for journald and for people."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

from kahriz_alarms.service.logs import JournalFormatter, for_journal


def record(level: int, text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("kahriz_gateway.mqtt", level, __file__, 1, text, args, None)


def test_a_line_for_journald_has_its_priority_and_keys() -> None:
    line = JournalFormatter("intake").format(record(logging.WARNING, 'no "%s"', "broker"))
    assert line == r'<4>service=intake module=mqtt msg="no \"broker\""'


def test_a_message_of_several_lines_stays_one_and_a_traceback_keeps_its_priority() -> None:
    form = JournalFormatter("intake")
    assert form.format(record(logging.INFO, "one\ntwo")).count("\n") == 0
    try:
        raise ValueError("a fault")
    except ValueError:
        failed = record(logging.ERROR, "it failed")
        failed.exc_info = sys.exc_info()
    lines = form.format(failed).splitlines()
    assert len(lines) > 2
    assert all(line.startswith("<3>") for line in lines)


def test_only_the_stream_that_goes_to_journald_gets_priorities(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream, (tmp_path / "other").open("w") as other:
        found = (tmp_path / "log").stat()
        named = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert for_journal(stream, named)
        assert not for_journal(other, named)
        assert not for_journal(stream, {})


def test_a_service_logs_as_its_reader_expects(tmp_path: Path) -> None:
    argv = [sys.executable, "-c",
            "import sys; from kahriz_alarms.service import logs; import logging;"
            "logs.set_up('intake'); logging.getLogger('kahriz.x').warning('hello')"]  # fmt: skip
    log = tmp_path / "log"
    for environ, line in (
        ({}, "intake: WARNING hello\n"),
        ({"JOURNAL_STREAM": "yes"}, '<4>service=intake module=x msg="hello"\n'),
    ):
        with log.open("w") as out:
            found = log.stat()
            if environ:
                environ = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
            subprocess.run(argv, stderr=out, env=environ, check=True)
        assert log.read_text() == line
