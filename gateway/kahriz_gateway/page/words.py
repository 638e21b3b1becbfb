# SPDX-License-Identifier: MIT
"""The page's languages: English in the source, Azerbaijani and Russian from the catalogues."""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

from kahriz_gateway.page.format import Formats

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = {"az": "Azərbaycanca", "ru": "Русский", "en": "English"}
DEFAULT = "az"


def mark(text: str) -> str:
    """Tell the catalogue of a text that is translated later, where it is shown."""
    return text


class Speech:
    """All that one language needs: its texts, numbers and dates."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.format = Formats(language)
        self._catalogue: gettext.NullTranslations = (
            gettext.NullTranslations()
            if language == "en"
            else gettext.translation("page", LOCALE, [language])
        )

    def text(self, message: str, **values: object) -> str:
        """The message in this language, its %(name)s filled in."""
        translated = self._catalogue.gettext(message)
        return translated % values if values else translated

    def plural(self, one: str, many: str, number: int, **values: object) -> str:
        """The form that goes with the number; %(n)s is the number itself."""
        return self._catalogue.ngettext(one, many, number) % {
            "n": self.format.number(number, 0),
            **values,
        }

    def age(self, ms: int) -> str:
        """How old a number is. A number from the future says so: a clock is wrong."""
        if ms < -120_000:
            return self.text("%(time)s ahead of the clock", time=self.span(-ms))
        if ms < 90_000:
            return self.text("just now")
        return self.text("%(time)s ago", time=self.span(ms))

    def span(self, ms: int) -> str:
        """A length of time in its largest fitting unit."""
        minutes = ms // 60_000
        if minutes < 90:
            return self.text("%(n)s min", n=self.format.number(minutes, 0))
        if minutes < 48 * 60:
            return self.text("%(n)s h", n=self.format.number(minutes // 60, 0))
        days = minutes // 1440
        return self.plural("%(n)s day", "%(n)s days", days)


@cache
def speech(language: str) -> Speech:
    """The speech of a language, the default one for a language that we do not have."""
    return Speech(language if language in LANGUAGES else DEFAULT)
