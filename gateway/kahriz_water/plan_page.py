# SPDX-License-Identifier: MIT
"""The plan's [page]: where it is served, whom everybody may ring, since when it is renovated."""

from __future__ import annotations

from kahriz_water.plan_people import read_day, read_phone
from kahriz_water.site import LOOK, Page
from kahriz_water.strict import Table


def read_page(table: Table | None) -> Page:
    if table is None:
        return Page()
    page = Page(
        table.text("host", "127.0.0.1"),
        table.whole("port", 0, 65535, "a TCP port", 8080),
        look=table.choice("look", LOOK) if table.has("look") else "all",
        call=read_phone(table, "call"),
        renovated=read_day(table, "renovated") if table.has("renovated") else None,
    )
    table.raw("look")
    table.raw("renovated")
    table.done()
    return page
