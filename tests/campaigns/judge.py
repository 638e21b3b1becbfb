# SPDX-License-Identifier: MIT
"""The verdict over a life: what became of every reading, and how true its time is."""

from dataclasses import asdict, dataclass, field

from .intake import LoneIntake
from .life import CODES, LEAST_MA, NEAREST_MM, STEP_MA, NodeLife, Wake

FRESH_MS = 2000  # the promise for a synced stamp
DAY_MS = 86_400_000
LONGEST_MS = 20 * DAY_MS  # of an outage
EST_MS_A_DAY = 60_000  # the promise for an estimated one, once the drift is known
RAW_SHARE = 0.08  # an RTC of 5 % whose drift nobody knows yet, read forwards and back


@dataclass
class Verdict:
    """Counts; what must be empty or 0 is in `faults`."""

    node: str
    wakes: int = 0
    written: int = 0  # readings whose wake went on after writing them down
    stored: int = 0
    cut_short: int = 0
    power_ons: int = 0
    mid_write_cuts: int = 0
    restores: int = 0
    sessions: int = 0
    redelivered: int = 0
    lost: list[int] = field(default_factory=list)  # wakes
    twice: int = 0  # numbers given to two readings, wakes with two rows
    open: list[list[int]] = field(default_factory=list)
    closed: dict[str, int] = field(default_factory=dict)
    undated: int = 0
    worst_ms: dict[str, int] = field(default_factory=dict)
    late_stamps: list[list[object]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    tls: bool = False
    programs: list[str] = field(default_factory=list)  # that said hello
    configs: list[int] = field(default_factory=list)

    def faults(self) -> dict[str, object]:
        """What breaks a promise."""
        words = {
            "lost": self.lost,
            "twice": self.twice,
            "open": self.open,
            "late_stamps": self.late_stamps[:5],
            "complaints": self.complaints[:5],
        }
        return {key: value for key, value in words.items() if value}

    def as_dict(self) -> dict[str, object]:
        """For the report."""
        return asdict(self)


def judge(node: str, life: NodeLife, intake: LoneIntake, said: str) -> Verdict:
    """Hold what the gateway has against what is true."""
    verdict = Verdict(node, wakes=life.number, power_ons=life.power_ons)
    verdict.mid_write_cuts, verdict.restores = life.mid_write_cuts, life.restores
    verdict.complaints = [line for line in said.splitlines() if line.strip()]
    verdict.open = intake.missing()
    conflict = "SELECT count(*) FROM quarantine WHERE reason LIKE '%conflict%'"
    verdict.twice = intake.count(conflict)
    verdict.complaints += [
        f"quarantine: {reason}"
        for (reason,) in intake.conn.execute("SELECT reason FROM quarantine")
        if "conflict" not in reason
    ]
    verdict.redelivered = intake.count("SELECT coalesce(sum(times - 1), 0) FROM reading")
    for _, a, b, reason in intake.closed():
        verdict.closed[reason] = verdict.closed.get(reason, 0) + b - a + 1
    hellos = "SELECT DISTINCT json_extract(body, '$.{}') FROM hello ORDER BY 1"
    verdict.programs = [fw for (fw,) in intake.conn.execute(hellos.format("fw"))]
    verdict.configs = [cfg for (cfg,) in intake.conn.execute(hellos.format("cfg"))]
    _match(verdict, life, intake)
    return verdict


def _match(verdict: Verdict, life: NodeLife, intake: LoneIntake) -> None:
    """Rows come in the order of the wakes; a wake that is passed over has no row."""
    rows = intake.rows()
    if len({row[0] for row in rows}) > 1:
        verdict.complaints.append("the journal changed its name")
    at = 0
    without: list[Wake] = []
    before: Wake | None = None
    for _, n, ts, tq, values, received in rows:
        code = _code(values)
        ahead = at
        while ahead < len(life.wakes) and life.wakes[ahead].number % CODES != code:
            ahead += 1
        if ahead - at > CODES // 2 or ahead == len(life.wakes):
            verdict.twice += 1
            verdict.complaints.append(f"row {n}: no wake of its own (code {code})")
            continue
        without += life.wakes[at:ahead]
        wake = life.wakes[ahead]
        at = ahead + 1
        verdict.stored += 1
        if tq == "dated" and received is not None:
            received = max(received, _dated_at(intake, n) or received)
        _look_at_time(verdict, wake, before, n, ts, tq, received)
        before = wake
    without += life.wakes[at:]
    verdict.written = sum(wake.on_flash for wake in life.wakes)
    verdict.lost = [wake.number for wake in without if wake.on_flash]
    verdict.cut_short = sum(not wake.on_flash for wake in without)


def _dated_at(intake: LoneIntake, n: int) -> int | None:
    """When the hello came by which a row was dated: the drift since then counts."""
    found = intake.conn.execute(
        "SELECT max(h.received) FROM reading r JOIN hello h ON h.node=r.node"
        " AND json_extract(h.body, '$.boot')=r.boot"
        " AND h.received - 1000 * json_extract(h.body, '$.up_s') = r.ts - 1000 * r.up_s"
        " WHERE r.n=?",
        (n,),
    ).fetchone()
    return None if found[0] is None else int(found[0])


def _code(values: dict[str, float]) -> int:
    if "loop_current_ma" in values:
        return round((values["loop_current_ma"] - LEAST_MA) / STEP_MA)
    if "weir_distance_m" in values:
        return round(values["weir_distance_m"] * 1000) - NEAREST_MM
    return -1


def _look_at_time(
    verdict: Verdict,
    wake: Wake,
    before: Wake | None,
    n: int,
    ts: int | None,
    tq: str | None,
    received: int | None,
) -> None:
    if ts is None:
        verdict.undated += 1
        return
    error = ts - wake.measured_ms
    kind = tq or "synced"
    if kind == "dated" and received is None:
        kind = "dated, came while the gateway had no time"
    if kind == "est" and not wake.learned:
        kind = "est, drift unknown"
    if abs(error) > abs(verdict.worst_ms.get(kind, 0)):
        verdict.worst_ms[kind] = error
    if kind == "synced":
        most = float(FRESH_MS)
    elif kind.startswith("dated,"):
        most = RAW_SHARE * LONGEST_MS  # nobody knows how long it waited
    elif kind == "dated" and received is not None:
        most = FRESH_MS + RAW_SHARE * abs(received - wake.measured_ms)
    else:
        most = _most_of_estimate(wake)
        if before is not None:  # a clock set back: stamps of a journal go on by a second a row
            most = max(most, _most_of_estimate(before))
    if abs(error) > most:
        verdict.late_stamps.append([wake.number, n, kind, error, round(most)])


def _most_of_estimate(wake: Wake) -> float:
    """How far off an estimate may be in this wake."""
    if wake.learned:
        age_ms = wake.measured_ms - (wake.synced_ms or 0)
        return max(EST_MS_A_DAY, EST_MS_A_DAY * age_ms / DAY_MS)
    age_ms = wake.measured_ms - (wake.synced_ms or wake.measured_ms)
    return EST_MS_A_DAY + RAW_SHARE * age_ms
