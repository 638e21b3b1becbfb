# SPDX-License-Identifier: MIT
"""InfluxQL over HTTP: the /query address that 1.8+, 2.x and 3 have in common."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

Json = dict[str, Any]
Auth = tuple[str, str] | str | None  # user and password (1.x), or token (2.x, 3)
TIMEOUT_S = 30.0


class QueryDoor:
    """The /query address of one database."""

    def __init__(self, url: str, auth: Auth, database: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.rstrip("/").removesuffix("/query") + "/query"
        self._database, self._timeout_s = database, timeout_s
        self._key = ""
        if isinstance(auth, str):
            self._key = f"Token {auth}"
        elif auth is not None:
            self._key = "Basic " + base64.b64encode(":".join(auth).encode()).decode()

    def ask(self, query: str) -> tuple[list[Json], str]:
        """The series, and what was wrong; empty where nothing was."""
        form = urllib.parse.urlencode({"db": self._database, "q": query, "epoch": "ms"})
        request = urllib.request.Request(self._url, form.encode(), method="POST")
        if self._key:
            request.add_header("Authorization", self._key)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as reply:
                answer = json.load(reply)["results"][0]
        except urllib.error.HTTPError as error:
            return [], f"{error.code}: {error.read(300).decode(errors='replace').strip()}"
        except (OSError, ValueError, LookupError) as error:
            return [], f"{self._url} does not answer as an InfluxDB: {error}"
        return answer.get("series", []), answer.get("error", "")
