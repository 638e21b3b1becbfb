# SPDX-License-Identifier: MIT
"""The node's settings as the program uses them, from a configuration that was checked."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Spec

DEADLINE_MS = 8000  # an upload takes 1-3 s; beyond this the battery matters more
RADIO_ABOVE_MV = 3000  # below it the radio's current would pull the supply down
RADIO_J_PER_DAY = 60  # hourly uploads of 2 s take about 20; a dead access point shall not take all
BROKER_PORT = 1883
BROKER_TLS_PORT = 8883


class Settings:
    """`channels` is a list of (name, spec) in the order of the names."""

    def __init__(self, body: "Spec") -> None:
        self.rev: int = body["rev"]
        self.site: str = body["site"]
        self.node: str = body["node"]
        self.dt_s: int = body["dt_s"]
        self.batch: int = body["batch"]
        self.phase_s: int = body.get("phase_s", 0)
        self.deadline_ms: int = body.get("deadline_ms", DEADLINE_MS)
        self.radio_above_mv: int = body.get("radio_above_mv", RADIO_ABOVE_MV)
        self.radio_j_per_day: int = body.get("radio_j_per_day", RADIO_J_PER_DAY)
        self.powered: bool = body.get("powered", False)
        self.ssid: str = body["wifi"]["ssid"]
        self.wifi_password: str = body["wifi"]["password"]
        broker = body["broker"]
        self.host: str = broker["host"]
        self.tls: dict[str, str] | None = broker.get("tls")
        self.port: int = broker.get("port", BROKER_TLS_PORT if self.tls else BROKER_PORT)
        self.user: str | None = broker.get("user")
        self.password: str | None = broker.get("password")
        self.channels = [(name, body["channels"][name]) for name in sorted(body["channels"])]

    def forget_sensors(self) -> None:
        """They are measured: all that is asked of them from now on is their drivers' names."""
        self.channels = [(name, {"driver": spec["driver"]}) for name, spec in self.channels]
