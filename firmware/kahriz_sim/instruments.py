# SPDX-License-Identifier: MIT
"""From the truth to what a sensor's own electronics report, with all its faults."""

from kahriz_sim.chance import Ar1, gauss, generator, key_of, uniform
from kahriz_sim.noise import USUAL, Noise
from kahriz_sim.plan import NodePlan, SitePlan
from kahriz_sim.scenario import Event, SensorFault, Wifi, hours_to_ms
from kahriz_sim.water import Water
from kahriz_sim.weather import DAY_MS, Weather

SLOT_MS = 60_000  # noise is drawn once a minute: a wake a few milliseconds later sees the same
GALLERY_AIR_C = 13.0  # between gallery air (8-10 degC in summer) and ground


class Instruments:
    """Everything the nodes of one site can ask their hardware."""

    def __init__(
        self,
        plan: SitePlan,
        water: Water,
        weather: Weather,
        events: tuple[Event, ...],
        origin_ms: int,
        seed: int,
        noise: Noise = USUAL,
    ) -> None:
        self.plan = plan
        self._water = water
        self._weather = weather
        self._noise = noise
        self._origin_ms = origin_ms
        self._faults = [e for e in events if isinstance(e, SensorFault)]
        self._wifi = [e for e in events if isinstance(e, Wifi)]
        self._key = {
            (node.id, what): key_of(seed, node.id, what)
            for node in plan.nodes
            for what in ("echo", "lost", "air", "loop", "offset", "battery", "radio", "drift")
        }
        step_ms = noise.stage_step_s * 1000
        self._ripple = {
            node.id: Ar1(key_of(seed, node.id, "ripple"), 1.0, noise.stage_phi, step_ms)
            for node in plan.nodes
        }
        self.stuck_mm: dict[str, int] = {}  # the last good echo of each node

    def path_air_c(self, node: NodePlan, t_ms: int) -> float:
        """True temperature of the air the sound runs through."""
        return GALLERY_AIR_C + node.air_share * (self._weather.air_c(t_ms) - GALLERY_AIR_C)

    def stage_m(self, node: NodePlan, t_ms: int) -> float:
        """True stage over the crest, without ripples."""
        return self._water.stage_m(node.id, t_ms)

    def echoes_mm(self, node: NodePlan, t_ms: int, count: int) -> list[int | None]:
        """`count` echoes; None where none came back."""
        noise, slot = self._noise, _slot(t_ms)
        if self._fault(node, "stuck", t_ms) and node.id in self.stuck_mm:
            return [self.stuck_mm[node.id]] * count
        if uniform(self._key[node.id, "lost"], slot) < noise.wake_lost:
            return [None] * count
        stage_mm = self.stage_m(node, t_ms) * 1000.0
        if stage_mm > 0.0:
            stage_mm += noise.stage_mm * self._ripple[node.id].at(t_ms)
        true_mm = node.zero_m * 1000.0 + self._drift_mm(node, t_ms) - stage_mm
        speed = 331.3 + 0.606 * self.path_air_c(node, t_ms)
        seen_mm = true_mm * noise.fixed_speed_m_s / speed
        lost = max(noise.echo_lost, self._fault(node, "dropouts", t_ms))
        false = max(noise.echo_outlier, self._fault(node, "spikes", t_ms))
        draw = generator(self._key[node.id, "echo"], slot)
        echoes: list[int | None] = []
        for _ in range(count):
            kind = draw.random()
            if kind < lost:
                echoes.append(None)
            elif kind < lost + false:
                echoes.append(draw.randint(noise.outlier_low_mm, noise.outlier_high_mm))
            else:
                mm = seen_mm + noise.echo_mm * draw.gauss(0.0, 1.0)
                echoes.append(int(mm / noise.echo_resolution_mm + 0.5))
        if count and echoes[0] is not None:
            self.stuck_mm[node.id] = echoes[0]
        return echoes

    def air_c(self, node: NodePlan, t_ms: int) -> float | None:
        """What the DS18B20 says; None without a presence pulse, 85.0 after a bad power-up."""
        noise, slot = self._noise, _slot(t_ms)
        luck = uniform(self._key[node.id, "lost"], slot ^ 0x5A5A)
        if luck < noise.air_lost:
            return None
        if luck < noise.air_lost + noise.air_power_up:
            return 85.0
        c = self.path_air_c(node, t_ms) + node.sun_c * self._weather.sun(t_ms)
        c += noise.air_offset_c * (2.0 * uniform(self._key[node.id, "offset"], 0) - 1.0)
        c += noise.air_c * gauss(self._key[node.id, "air"], slot)
        return round(c / noise.air_resolution_c) * noise.air_resolution_c

    def loop_ma(self, node: NodePlan, t_ms: int) -> float:
        noise, slot = self._noise, _slot(t_ms)
        level_m = self._water.level_m(node.id)
        level_m += noise.loop_level_mm / 1000.0 * self._ripple[node.id].at(t_ms)
        offset = noise.loop_offset_share * (2.0 * uniform(self._key[node.id, "offset"], 0) - 1.0)
        ma = 4.0 + 16.0 * (level_m / node.span_m + offset)
        ma += noise.loop_ma * gauss(self._key[node.id, "loop"], slot)
        return round(min(20.8, max(3.6, ma)), 4)  # NAMUR NE 43: 3.6-21 mA

    def battery_v(self, node: NodePlan, t_ms: int) -> float:
        v = node.battery_v + 0.08 * self._weather.sun(t_ms)
        v += self._noise.battery_v * gauss(self._key[node.id, "battery"], _slot(t_ms))
        return round(v, 3)

    def radio(self, node: NodePlan, t_ms: int) -> tuple[int | None, int]:
        """(rssi or None when there is no association, association time in ms)."""
        noise, slot, key = self._noise, _slot(t_ms), self._key[node.id, "radio"]
        away = any(
            node.id in e.nodes and self._during(e, t_ms) for e in self._wifi
        )  # the access point has no mains
        if away or uniform(key, 2 * slot) < noise.radio_lost:
            return None, noise.assoc_failed_ms
        swing = gauss(key, 2 * slot + 1)
        rssi = round(node.rssi_dbm + noise.rssi_db * swing)
        return rssi, max(300, round(noise.assoc_usual_ms - noise.assoc_ms * swing))

    def _drift_mm(self, node: NodePlan, t_ms: int) -> float:
        """Zero drift: a slow wave between two draws half a period apart."""
        half_ms = self._noise.zero_drift_days * DAY_MS / 2.0
        k, part = divmod(t_ms / half_ms, 1.0)
        key = self._key[node.id, "drift"]
        a, b = 2.0 * uniform(key, int(k)) - 1.0, 2.0 * uniform(key, int(k) + 1) - 1.0
        return self._noise.zero_drift_mm * (a + (b - a) * part)

    def _fault(self, node: NodePlan, fault: str, t_ms: int) -> float:
        for e in self._faults:
            if e.node == node.id and e.fault == fault and self._during(e, t_ms):
                return e.share
        return 0.0

    def _during(self, event: Event, t_ms: int) -> bool:
        since_ms = t_ms - self._origin_ms
        return hours_to_ms(event.at_h) <= since_ms < hours_to_ms(event.to_h)


def _slot(t_ms: int) -> int:
    return (t_ms + SLOT_MS // 2) // SLOT_MS
