# SPDX-License-Identifier: MIT
"""What a plan is made of: points, reaches, offtakes and outputs, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from kahriz_water.name import LANGUAGES as LANGUAGES
from kahriz_water.name import Name as Name
from kahriz_water.people import Access, AccessPoint, AlarmRules, Duty, Person
from kahriz_water.pulse_meter import PulseMeter
from kahriz_water.quality_limits import Limits
from kahriz_water.radio_path import RadioPath
from kahriz_water.structures import Structure
from kahriz_water.ways import Ways

KINDS = (
    "weir",
    "pool",
    "tank",
    "chamber",
    "flow",
    "level",
    "temperature",
    "conductivity",
    "pressure",
)

LOOK = ("all", "village", "pin")
SHORT = 12  # characters of a place's short name in an SMS


@dataclass(frozen=True, slots=True)
class Point:
    """A place where something is measured; `node` is the one expected there.

    `quality` are the site's own limits by quantity, in place of the sensor's.
    """

    id: str
    name: Name
    kind: str
    node: str
    dt_s: int = 300
    batch: int = 12
    structure: Structure | None = None
    level_volume: tuple[tuple[float, float], ...] = ()
    spill_m: float | None = None
    meter: PulseMeter | None = None
    quality: tuple[tuple[str, Limits], ...] = ()
    short: str | None = None
    landmark: Name | None = None  # how a crew finds it: "white stone by the mulberry"


@dataclass(frozen=True, slots=True)
class Reach:
    """A stretch of conveyance between two measured points."""

    id: str
    name: Name
    from_: str
    to: str
    length_m: float
    short: str | None = None


@dataclass(frozen=True, slots=True)
class Offtake:
    """A known place where water leaves a reach on purpose."""

    id: str
    name: Name
    reach: str
    point: str | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """Files by path, or by name among systemd's credentials; {service} is intake or village."""

    ca: str = "tls/ca.pem"
    cert: str = "tls/gateway.{service}.pem"
    key: str = "tls/gateway.{service}.key"


@dataclass(frozen=True, slots=True)
class Broker:
    """`plain` allows a broker without TLS beyond the loopback: everybody there can be a node."""

    host: str = "127.0.0.1"
    port: int = 1883
    tls: Tls | None = None
    plain: bool = False

    @property
    def exposed(self) -> bool:
        """Whether readings and receipts would go over a network for everybody to read and forge."""
        local = self.host in ("localhost", "::1") or self.host.startswith("127.")
        return self.tls is None and not self.plain and not local


@dataclass(frozen=True, slots=True)
class Page:
    """`look`: who may look without a PIN. `call` is a number for everybody to see.

    `renovated`: charts compare with the days after it.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    look: str = "all"  # one of LOOK
    call: str | None = None  # E.164
    renovated: date | None = None


@dataclass(frozen=True, slots=True)
class Influx:
    url: str
    bucket: str = "kahriz"
    org: str = "kahriz"
    token_file: str | None = None
    user: str | None = None
    password_file: str | None = None


@dataclass(frozen=True, slots=True)
class Csv:
    """A file `a` day or month and point; the folder lies in the data folder."""

    folder: str = "csv"
    a: str = "day"


@dataclass(frozen=True, slots=True)
class Webhook:
    url: str
    secret_file: str | None = None


@dataclass(frozen=True, slots=True)
class Ups:
    """`file` holds the text `lost` while the mains are away; the battery lasts `hours`."""

    file: str
    lost: str = "0"
    hours: float = 8.0
    stop_hours: float = 0.5


@dataclass(frozen=True, slots=True)
class OfficeServer:
    """The office's server, told every so many minutes that this gateway lives."""

    url: str
    every_minutes: float = 10.0
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole site."""

    id: str
    name: Name
    district: str
    timezone: str
    points: tuple[Point, ...]
    reaches: tuple[Reach, ...] = ()
    offtakes: tuple[Offtake, ...] = ()
    broker: Broker = field(default_factory=Broker)
    page: Page = field(default_factory=Page)
    influx: Influx | None = None
    csv: Csv | None = None
    server: OfficeServer | None = None
    webhooks: tuple[Webhook, ...] = ()
    ups: Ups | None = None
    people: tuple[Person, ...] = ()
    rota: tuple[Duty, ...] = ()
    alarms: AlarmRules = field(default_factory=AlarmRules)
    access: tuple[Access, ...] = ()
    wifis: tuple[AccessPoint, ...] = ()
    radio: tuple[RadioPath, ...] = ()
    ways: Ways = field(default_factory=Ways)
    short: str | None = None
    holidays: tuple[str, ...] = ()  # days on which people use water as on a Sunday
    latitude_deg: float | None = None  # of the mouth, for the map of all kahrizes
    longitude_deg: float | None = None
    ask: str = ""  # who calibrates: "uncalibrated: ask ..."

    def point(self, ident: str) -> Point | None:
        return next((p for p in self.points if p.id == ident), None)

    def reach(self, ident: str) -> Reach | None:
        return next((r for r in self.reaches if r.id == ident), None)

    def person(self, ident: str) -> Person | None:
        return next((p for p in self.people if p.id == ident), None)

    def wifi(self, ident: str) -> AccessPoint | None:
        return next((w for w in self.wifis if w.id == ident), None)

    def access_to(self, point: str) -> Access | None:
        """How a crew may go there; None when nobody has said that a path is cleared."""
        return next((a for a in self.access if a.point == point), None)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes expected, in the order of the points."""
        return tuple(dict.fromkeys(p.node for p in self.points))
