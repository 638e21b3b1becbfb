# SPDX-License-Identifier: MIT
"""Jinja2 templates, escaped always, with one language's words and numbers at hand."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request

from kahriz_gateway.clock import Clock
from kahriz_gateway.page.words import LANGUAGES, Speech
from kahriz_water.site import Plan

FOLDER = Path(__file__).parent / "templates"


class Templates:
    """All templates of the page of one kahriz."""

    def __init__(self, plan: Plan, static: Path, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        content = b"".join(p.read_bytes() for p in sorted(static.iterdir()))
        self._version = hashlib.sha256(content).hexdigest()[:8]

    def render(self, name: str, words: Speech, request: Request, context: dict[str, object]) -> str:
        """One page in one language."""
        asked = dict(request.query_params)
        switch = {
            code: (f"{request.url.path}?{urlencode({**asked, 'lang': code})}", title)
            for code, title in LANGUAGES.items()
        }
        made_ms = self._clock.now_ms()
        return self._environment.get_template(name).render(
            _=words.text,
            ngettext=words.plural,
            f=words.format,
            words=words,
            plan=self._plan,
            helping=request.url.path == "/help",
            site=self._plan.name.of(words.language),
            switch=switch,
            version=self._version,
            made=words.format.clock(made_ms),
            once=lambda: secrets.token_hex(8),
            made_day=f"{words.format.day(made_ms)} {words.format.clock(made_ms)}",
            **context,
        )
