# SPDX-License-Identifier: MIT
"""A poster to print and hang up: two squares for the phone's camera, the WiFi and the page."""

from __future__ import annotations

import io

import segno
from markupsafe import Markup
from segno import helpers
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kahriz_gateway.page.gate import Asked, Gate

LONGEST = 63  # WPA2 pass phrase, IEEE 802.11i


def square(text: str) -> Markup:
    """A QR code (ISO 18004) as inline SVG, readable with a quarter of it dirty."""
    return _svg(segno.make(text, error="q", micro=False))


def wifi(ssid: str, password: str) -> Markup:
    """The square that joins a phone to the village's WiFi."""
    config = helpers.make_wifi_data(ssid, password or None, "WPA" if password else None)
    return _svg(segno.make(config, error="q", micro=False))


def routes(gate: Gate) -> list[Route]:
    """The password goes by POST into the printed page and is kept nowhere."""

    def show(asked: Asked) -> Response:
        form = asked.fields
        ssid, password = form.get("ssid", "")[:32], form.get("password", "")[:LONGEST]
        address = str(asked.request.base_url)
        context: dict[str, object] = {
            "session": asked.session,
            "address": address,
            "page_square": square(address),
            "ssid": ssid,
            "wifi_square": wifi(ssid, password) if ssid else None,
        }
        body = gate.templates.render("poster.html", asked.words, asked.request, context)
        return HTMLResponse(body)

    roles = ("committee", "technician")
    return [
        Route("/poster", gate.shown(show, *roles), methods=["GET"]),
        Route("/poster", gate.sent(show, *roles), methods=["POST"]),
    ]


def _svg(code: segno.QRCode) -> Markup:
    out = io.BytesIO()
    code.save(out, kind="svg", scale=8, border=4, xmldecl=False, svgclass=None, lineclass=None)
    return Markup(out.getvalue().decode())
