# SPDX-License-Identifier: MIT
"""world.toml: what is true of a site and no gateway may know."""

from dataclasses import dataclass
from pathlib import Path

from kahriz_sim.channel import ReachPlan
from kahriz_sim.errors import ConfigError
from kahriz_sim.gallery import GalleryPlan
from kahriz_sim.pool import PoolPlan
from kahriz_sim.tables import build, build_all, load
from kahriz_sim.turns import TurnPlan
from kahriz_sim.village import TankPlan

SITES = Path(__file__).parent / "sites"
WEIRS = ("outlet", "middle", "inlet", "fields")
LEVELS = ("pool", "tank", "chamber")


@dataclass(frozen=True)
class NodePlan:
    """One node, its instrument and its faults of birth. `id` is the point it stands at."""

    id: str
    device: str  # "ultrasonic" or "loop"
    zero_m: float = 0.0  # face to crest, ultrasonic only
    span_m: float = 0.0  # level at 20 mA, loop only
    air_share: float = 1.0  # how much of the day's swing the air in the sound path follows
    sun_c: float = 0.0  # what full sun adds to its thermometer
    rtc_ppm: int = 9000  # the RC clock's error: 0.6-5 % is usual
    rssi_dbm: int = -67
    battery_v: float = 3.30


@dataclass(frozen=True)
class ChamberPlan:
    """The chamber at the mouth, drained by a slot."""

    sill_m: float = 0.25
    slot_m: float = 0.40


@dataclass(frozen=True)
class SitePlan:
    id: str
    gallery: GalleryPlan
    upper: ReachPlan
    lower: ReachPlan
    field: ReachPlan
    pool: PoolPlan
    turns: tuple[TurnPlan, ...]
    nodes: tuple[NodePlan, ...]
    tank: TankPlan | None = None
    chamber: ChamberPlan | None = None
    ssid: str = "kahriz"

    def node(self, node_id: str) -> NodePlan:
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise ConfigError(f"{self.id}: no node {node_id!r}; there are {self.node_ids}")

    @property
    def node_ids(self) -> tuple[str, ...]:
        return tuple(node.id for node in self.nodes)


def site_dir(site: str | Path) -> Path:
    """A folder, or the name of one of the demo sites."""
    return SITES / site if isinstance(site, str) else site


def load_plan(site: str | Path) -> SitePlan:
    path = site_dir(site) / "world.toml"
    data = load(path)
    allowed = {"id", "ssid", "gallery", "reach", "pool", "tank", "chamber", "turn", "node"}
    for key in data:
        if key not in allowed:
            raise ConfigError(f"{path}: {key}: unknown; expected one of {', '.join(allowed)}")
    for key in ("id", "gallery", "reach", "pool", "node"):
        if key not in data:
            raise ConfigError(f"{path}: {key}: missing")
    reaches = {}
    for name in ("upper", "lower", "field"):
        if name not in data["reach"]:
            raise ConfigError(f"{path}: reach.{name}: missing")
        reaches[name] = build(ReachPlan, data["reach"][name], f"reach.{name}")
    plan = SitePlan(
        id=str(data["id"]),
        ssid=str(data.get("ssid", "kahriz")),
        gallery=build(GalleryPlan, data["gallery"], "gallery"),
        upper=reaches["upper"],
        lower=reaches["lower"],
        field=reaches["field"],
        pool=build(PoolPlan, data["pool"], "pool"),
        tank=build(TankPlan, data["tank"], "tank") if "tank" in data else None,
        chamber=build(ChamberPlan, data["chamber"], "chamber") if "chamber" in data else None,
        turns=build_all(TurnPlan, data.get("turn", []), "turn"),
        nodes=build_all(NodePlan, data["node"], "node"),
    )
    for node in plan.nodes:
        places = WEIRS if node.device == "ultrasonic" else LEVELS if node.device == "loop" else ()
        if node.id not in places:
            raise ConfigError(f"{path}: node {node.id}: no {node.device} can stand there")
        if (node.id == "tank" and not plan.tank) or (node.id == "chamber" and not plan.chamber):
            raise ConfigError(f"{path}: node {node.id}: there is no [{node.id}]")
    return plan
