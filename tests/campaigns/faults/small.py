# SPDX-License-Identifier: MIT
"""The small site of the campaign: the mouth's weir and its node, three people, a modem, e-mail.

The channel's second weir is in the plan and its node is not built yet, as on many a site."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from kahriz_water.plan import Plan, parse_plan

from ..alarm_run import PEOPLE

SITE, NODE, ABSENT = "small", "outlet", "pool"
DEMO = Path(__file__).parents[3] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
TEXT = """
[site]
id = "small"
name = { az = "Kiçik kəhriz", ru = "Малый кягриз", en = "Small kahriz" }
short = "Kiçik"
district = "Ağdam"
timezone = "Asia/Baku"

[[point]]
id = "outlet"
name = { az = "Kəhrizin ağzı", ru = "Устье кягриза", en = "Kahriz outlet" }
short = "Ağız"
kind = "weir"
node = "outlet"
dt_s = 300
structure = { kind = "v_notch", angle_deg = 90 }

[[point]]
id = "pool"
name = { az = "Hovuza giriş", ru = "Вход в бассейн", en = "Pool inlet" }
short = "Hovuz"
kind = "weir"
node = "not-yet"
dt_s = 300
structure = { kind = "v_notch", angle_deg = 90 }

[[reach]]
id = "channel"
name = { az = "Arx", ru = "Канал", en = "Channel" }
short = "Arx"
from = "outlet"
to = "pool"
length_m = 900

[broker]
host = "127.0.0.1"
port = 1883
"""
ZERO_M = 0.800
RECORDS = f"""
[[deployment]]
node = "outlet"
channel = "weir"
point = "outlet"
from = 2020-01-01T00:00:00Z
zero_m = {ZERO_M}
sound_speed = "fixed"

[[deployment]]
node = "outlet"
channel = "air"
point = "outlet"
from = 2020-01-01T00:00:00Z
"""


@cache
def plan_of(dt_s: int) -> Plan:
    """The plan of a site whose nodes measure so often."""
    return parse_plan(TEXT.replace("dt_s = 300", f"dt_s = {dt_s}") + PEOPLE)


def node_config(dt_s: int, batch: int) -> dict[str, Any]:
    """The mouth's node of the demo, and beside it the loop whose current numbers its wakes."""
    config: dict[str, Any] = json.loads((DEMO / "nodes" / "outlet.json").read_text())
    pool = json.loads((DEMO / "nodes" / "pool.json").read_text())
    config["channels"]["loop"] = pool["channels"]["loop"]
    config["site"], config["node"] = SITE, NODE
    config["dt_s"], config["batch"] = dt_s, batch
    config["broker"]["host"] = "localhost"  # a name, so that a name server can be away
    return config
