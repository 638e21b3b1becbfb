# SPDX-License-Identifier: MIT
"""What people call a thing, in the three languages of the system."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("az", "ru", "en")


@dataclass(frozen=True, slots=True)
class Name:
    """Azerbaijani, Russian, English."""

    az: str
    ru: str
    en: str

    def of(self, language: str) -> str:
        return {"az": self.az, "ru": self.ru}.get(language, self.en)
