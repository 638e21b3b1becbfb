# SPDX-License-Identifier: MIT
"""What phones ask when they join a WiFi, answered as the Internet would, so that they stay on it.

deploy/access-point sends these names to the gateway. A phone that gets no answer leaves a network
without Internet for its mobile data, and the page is gone.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

APPLE = "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
# path: status, text, type
PROBES = {
    "/generate_204": (204, "", ""),  # Android, Chrome OS (connectivitycheck.gstatic.com)
    "/gen_204": (204, "", ""),
    "/hotspot-detect.html": (200, APPLE, "text/html"),  # Apple (captive.apple.com)
    "/library/test/success.html": (200, APPLE, "text/html"),
    "/connecttest.txt": (200, "Microsoft Connect Test", "text/plain"),  # Windows 10 and later
    "/ncsi.txt": (200, "Microsoft NCSI", "text/plain"),
    "/success.txt": (200, "success\n", "text/plain"),  # Firefox (detectportal.firefox.com)
}


def routes() -> list[Route]:
    """Open: they say nothing of the village."""

    def answer(request: Request) -> Response:
        status, text, kind = PROBES[request.url.path]
        return Response(text or None, status, media_type=kind or None)

    return [Route(path, answer, methods=["GET"]) for path in PROBES]
