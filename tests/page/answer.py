# SPDX-License-Identifier: MIT
"""One question to the page over HTTP, and what came back."""

import re
import urllib.error
import urllib.request


class Answer:
    """What came back: status, headers, text."""

    def __init__(self, url: str, **headers: str) -> None:
        request = urllib.request.Request(url, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as got:
                self.status, self.headers, body = got.status, got.headers, got.read()
        except urllib.error.HTTPError as refused:
            self.status, self.headers, body = refused.code, refused.headers, refused.read()
        self.text = body.decode()
        self.words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.text))
