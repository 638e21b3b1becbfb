# SPDX-License-Identifier: MIT
"""The site.json of a recorded site, read into what detectors are built from.

Its texts say how the water runs: `places` ("above A", "between A and B", "below A"), `at` ("...
inlet", "... outlet to the village"), `role` and `balance` ("use + leaks = A + B - C; ...").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kahriz_detect.site import FLOW, LEVEL, Pool, Reach, Signal, Site, Source, Zone

INFLOW, OUTFLOW = re.compile(r"\b(inlet|inflow|into)\b"), re.compile(r"\b(outlet|outflow|from)\b")
FIELDS = re.compile(r"irrigat|field|garden")
MISSING = re.compile(r"(-?\d+(?:\.\d+)?)\s*=\s*(?:logger|error|missing|no)")
SPILLS = re.compile(r"spills above (\d+(?:\.\d+)?)\s*m")
LOGGER_ERRORS = (-9999.0,)  # what loggers of every maker write, told or not
TALL_M = 20.0  # a pool's walls are taken as upright


class SiteError(ValueError):
    """The site.json cannot be used; one line with the mend."""


def parse_site(text: str, source: str = "site.json") -> Site:
    """Read a site from JSON text.

    Examples
    --------
    >>> site = parse_site('{"site": "x", "interval_s": 600, "sensors": {'
    ...     '"A": {"quantity": "flow_lps"}, "B": {"quantity": "flow_lps"}},'
    ...     '"places": {"a-b": "between A and B"}}')
    >>> site.reaches[0].up, site.reaches[0].down, site.reaches[0].place
    ('A', 'B', 'a-b')
    """
    try:
        data = json.loads(text)
        sensors: Mapping[str, Mapping[str, Any]] = data["sensors"]
        interval_s = float(data.get("interval_s", 600))
        signals = tuple(_signal(key, s, interval_s) for key, s in sensors.items())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SiteError(
            f"{source}: expected JSON with site, interval_s and sensors, each with its quantity: "
            f"{type(error).__name__} {error}"
        ) from error
    if not signals or interval_s <= 0:
        raise SiteError(f"{source}: expected at least one sensor and an interval_s above 0")
    name = str(data.get("site", "site"))
    texts = {key: _text(s) for key, s in sensors.items()}
    pools = _pools(sensors, texts)
    reaches = _reaches(data, texts)
    zones = _zones(data, name, signals, texts, pools)
    return Site(name, signals, reaches, pools, _sources(data, sensors, texts, reaches), zones)


def _text(sensor: Mapping[str, Any]) -> str:
    return " ".join(str(sensor[k]) for k in ("at", "role", "note") if k in sensor).lower()


def _signal(key: str, sensor: Mapping[str, Any], interval_s: float) -> Signal:
    text = _text(sensor)
    found = MISSING.search(text)
    missing = (*LOGGER_ERRORS, float(found[1])) if found else LOGGER_ERRORS
    kinds = ("weir", "chamber", "pool", "tank", "reservoir", "pipe", "channel")
    return Signal(
        key=key,
        point=key,
        quantity=str(sensor["quantity"]),
        kind=next((k for k in reversed(kinds) if k in text), ""),
        interval_s=float(sensor.get("interval_s", interval_s)),
        node=str(sensor.get("node", key)),
        batch=int(sensor.get("batch", 12)),
        spill_m=_spill(sensor, text),
        missing=tuple(dict.fromkeys(missing)),
    )


def _spill(sensor: Mapping[str, Any], text: str) -> float | None:
    if "spill_level_m" in sensor:
        return float(sensor["spill_level_m"])
    found = SPILLS.search(text)
    return float(found[1]) if found else None


def _pools(sensors: Mapping[str, Mapping[str, Any]], texts: Mapping[str, str]) -> tuple[Pool, ...]:
    """A level with an area; flows whose text names its place and says in or out."""
    pools = []
    for key, sensor in sensors.items():
        if sensor["quantity"] != LEVEL or not ("area_m2" in sensor or "level_volume" in sensor):
            continue
        word = _place_word(str(sensor.get("at", key)).lower())
        near = [
            k
            for k, s in sensors.items()
            if s["quantity"] == FLOW and re.search(rf"\b{re.escape(word)}\b", texts[k])
        ]
        near = [k for k in near if "inflow from" not in texts[k]]
        inflows = tuple(k for k in near if INFLOW.search(texts[k]))
        outflows = tuple(k for k in near if k not in inflows and OUTFLOW.search(texts[k]))
        table = sensor.get("level_volume") or [
            [0.0, 0.0],
            [TALL_M, TALL_M * float(sensor["area_m2"])],
        ]
        volumes = tuple((float(level), float(volume)) for level, volume in table)
        spill = _spill(sensor, texts[key])
        pools.append(Pool(key, key, inflows, outflows, volumes, spill))
    return tuple(pools)


def _place_word(text: str) -> str:
    """Of "village reservoir" the word that others will use for it."""
    words = re.findall(r"[a-z0-9_]+", text)
    return words[-1] if words else text


def _named(text: str, texts: Mapping[str, str]) -> list[str]:
    """Sensors named in a text, in its order."""
    found = [
        (m.start(), k) for k in texts if (m := re.search(rf"(?<!\w){re.escape(k)}(?!\w)", text))
    ]
    return [key for _, key in sorted(found)]


def _reaches(data: Mapping[str, Any], texts: Mapping[str, str]) -> tuple[Reach, ...]:
    places = {str(k): str(v) for k, v in data.get("places", {}).items()}
    ends = {p: _named(t, texts) for p, t in places.items() if t.lower().startswith("between ")}
    ends = {p: named for p, named in ends.items() if len(named) == 2}
    length = data.get("conveyance_length_m")
    share = float(length) / len(ends) if length and ends else None
    conveyance = str(data.get("conveyance", "")).lower()
    travel = 0.0 if "full pipe" in conveyance and "channel" not in conveyance else None
    return tuple(Reach(p, up, down, share, travel) for p, (up, down) in ends.items())


def _sources(
    data: Mapping[str, Any],
    sensors: Mapping[str, Mapping[str, Any]],
    texts: Mapping[str, str],
    reaches: tuple[Reach, ...],
) -> tuple[Source, ...]:
    chambers = [
        k
        for k, s in sensors.items()
        if s["quantity"] == LEVEL and "area_m2" not in s and re.search("chamber|weir", texts[k])
    ]
    sources = []
    for place, text in data.get("places", {}).items():
        named = _named(str(text), texts)
        if str(text).lower().startswith("above ") and len(named) == 1:
            outlet = named[0]
            below = next((r.down for r in reaches if r.up == outlet), None)
            chamber = chambers[0] if chambers else None
            spill = _spill(sensors[chamber], texts[chamber]) if chamber else None
            sources.append(Source(str(place), outlet, chamber, spill, below))
    return tuple(sources)


def _zones(
    data: Mapping[str, Any],
    site: str,
    signals: tuple[Signal, ...],
    texts: Mapping[str, str],
    pools: tuple[Pool, ...],
) -> tuple[Zone, ...]:
    zones = []
    for place, text in data.get("places", {}).items():
        named = _named(str(text), texts)
        if str(text).lower().startswith("below ") and named:
            taps = not FIELDS.search(texts[named[0]])
            zones.append(Zone(str(place), str(place), (named[0],), tuple(named[1:]), (), taps))
    for equation in str(data.get("balance", "")).split(";"):
        left, _, right = equation.partition("=")
        if _named(right, texts):
            zones.append(_balance(left, right, site, texts, pools))
    flows = [s for s in signals if s.quantity == FLOW]
    if not zones and len(flows) == 1 and "places" not in data:
        zones.append(Zone(site, site, (flows[0].key,)))
    return tuple(zones)


def _balance(
    left: str, right: str, site: str, texts: Mapping[str, str], pools: tuple[Pool, ...]
) -> Zone:
    """`A + B - C` or `C - area * dlevel/dt`, which means the only pool there is."""
    inflows = tuple(k for k in _named(right, texts) if not _minus(right, k))
    outflows = tuple(k for k in _named(right, texts) if _minus(right, k))
    stores = pools if "dlevel" in right or "dv" in right.lower() else ()
    name = left.strip().split(" ")[0] or "zone"
    return Zone(f"{site}:{name}", site, inflows, outflows, tuple(stores), True)


def _minus(text: str, key: str) -> bool:
    return re.search(rf"-\s*{re.escape(key)}(?!\w)", text) is not None
