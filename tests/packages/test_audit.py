# SPDX-License-Identifier: MIT
"""`make audit` says what it found; a question that was not answered is no good answer."""

import json

import pytest

from scripts import audit

CLEAN = {"name": "click", "version": "8.3.0", "vulns": []}
WEAK = {
    "name": "jinja2",
    "version": "3.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1"]}, {"id": "PYSEC-2", "fix_versions": []}],
}
SKIPPED = {"name": "odd", "skip_reason": "no answer"}


@pytest.mark.parametrize(
    ("parts", "code", "words"),
    [
        ([CLEAN], 0, "1 packages asked about, 0 with a weakness"),
        ([CLEAN, WEAK], 1, "jinja2 3.0: PYSEC-1, mended in 3.1"),
        ([WEAK], 1, "PYSEC-2, mended in no release mends it yet"),
        ([CLEAN, SKIPPED], 2, "not asked about odd"),
        ([], 2, "0 packages asked about"),
    ],
)
def test_what_was_found_is_said(
    parts: list[object], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.told(json.dumps({"dependencies": parts})) == code
    said = capsys.readouterr()
    assert words in said.out + said.err


@pytest.mark.parametrize("said", ["", "Traceback", "{}", "[]", "null"])
def test_no_answer_is_not_a_good_answer(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.told(said) == 2
    assert "NOT DONE" in capsys.readouterr().err
