# SPDX-License-Identifier: MIT
"""Node-RED as a peer: MQTT in (QoS 1, kept session) → 5,000-point buffer → InfluxDB.

Line protocol made in one function and posted as it is: faster than its InfluxDB nodes. Its lines
have the fields that ours have, a weir's stage, discharge and uncertainty among them, by the same
formula; zero and notch are fixed in the function and no flag is tested. It acknowledges to the
broker on arrival, before anything is written: not the same promise as ours.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

from kahriz_sim.services import Child, Influx, find_program
from kahriz_water.records import U_ZERO_M
from kahriz_water.sound import FIXED_MPS, U_AIR_K
from kahriz_water.structures.v_notch import VNotch
from scripts.bench_rig import wait_until
from scripts.bench_site import SITE, ZERO_M

VERSION = "4.1.15"
POINTS = 5000
NOTCH = VNotch(angle_deg=90)
BUFFER = """
const buf = context.get('buf') || [];
if (msg.topic !== 'flush') {
  const p = msg.topic.split('/');
  const series = `water,node=${p[3]},point=${p[3]},site=${p[2]} `;
  for (const r of msg.payload) {
    %s
    buf.push(`${series}${fields},q=${r.q} ${r.ts}`);
  }
}
if (buf.length < %d && !(msg.topic === 'flush' && buf.length)) { context.set('buf', buf); return; }
context.set('buf', []);
return { payload: buf.join('\\n'), headers: { authorization: '%s' } };
"""
# The formulas of kahriz_water: sound.py, interpret.py, structures/v_notch.py for 90 degrees.
WEIR = f"""
    const mps = 331.3 + 0.606 * r.air_c;
    const distance = r.weir_distance_m * mps / {FIXED_MPS};
    const stage = {ZERO_M} - distance, head = stage + {NOTCH.head_offset_m()!r};
    const lps = {1000 * NOTCH.free_flow_m3s(1.0 - NOTCH.head_offset_m())!r} * Math.pow(head, 2.5);
    const echo = r.weir_spread_m / Math.sqrt(Math.max(1, r.weir_echoes));
    const air = distance * 0.606 * {U_AIR_K} / mps;
    const u_m = Math.sqrt({U_ZERO_M**2} + air * air + echo * echo);
    const u_head = 2.5 / head * u_m;
    const u_notch = {NOTCH.u_coefficient**2 + NOTCH.u_shape() ** 2!r};
    const u = 2 * lps * Math.sqrt(u_notch + u_head * u_head), q = r.q;
    const fields = `stage_m=${{stage}},discharge_lps=${{lps}},discharge_u_lps=${{u}},` +
      `c=${{r.air_c}},stage_m_q=${{q}},discharge_lps_q=${{q}},c_q=${{q}},` +
      'discharge_lt_lps_q=9,discharge_gt_lps_q=9';
"""
PIPE = """
    const q = r.q;
    const fields = `pressure_bar=${r.pipe_pressure_bar},c=${r.pipe_c},us_cm=${r.pipe_us_cm},` +
      `flow_lps=${r.meter_flow_lps},pressure_bar_q=${q},c_q=${q},us_cm_q=${q},flow_lps_q=${q}`;
"""
FIELDS = {"weir": WEIR, "pressure": PIPE}


def install(home: Path) -> str | None:
    """Node-RED from npm into `home`; None when it stands there, else why it does not."""
    if (home / "node_modules" / "node-red" / "red.js").exists():
        return None
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "no node and npm on this machine"
    home.mkdir(parents=True, exist_ok=True)
    (home / "package.json").write_text('{"name":"bench","private":true}')
    argv = [npm, "install", "--no-audit", "--no-fund", "--omit=dev", f"node-red@{VERSION}"]
    try:
        done = subprocess.run(argv, cwd=home, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return "npm does not reach its registry"
    return None if done.returncode == 0 else f"npm: {done.stderr.strip()[-200:]}"


class NodeRed:
    """A running Node-RED; `pid` is its one process."""

    def __init__(self, home: Path, folder: Path, port: int, influx: Influx, kind: str) -> None:
        user = folder / "node-red"
        user.mkdir(parents=True, exist_ok=True)
        influx.query('CREATE DATABASE "nodered"', "")
        key = base64.b64encode(f"{influx.user}:{influx.password}".encode()).decode()
        (user / "settings.js").write_text(
            "module.exports = { httpAdminRoot: false, httpNodeRoot: false, uiHost: '127.0.0.1',"
            " credentialSecret: false, telemetry: { enabled: false },"
            " logging: { console: { level: 'info' } } };"
        )
        url = f"{influx.url}/api/v2/write?org=k&bucket=nodered&precision=ms"
        (user / "flows.json").write_text(
            json.dumps(_flow(port, BUFFER % (FIELDS[kind], POINTS, f"Basic {key}"), url))
        )
        node = find_program("node") or "node"
        red = home / "node_modules" / "node-red" / "red.js"
        argv = [
            node, str(red), "--userDir", str(user), "-s", str(user / "settings.js"),
            str(user / "flows.json"),
        ]  # fmt: skip
        env = {"HOME": str(user), "NODE_OPTIONS": "", "NODE_RED_HOME": str(red.parent)}
        self._influx = influx
        self.child = Child("Node-RED", argv, folder / "node-red.log", env=env, cwd=user)
        self.child.start()
        log = self.child.log
        wait_until(
            lambda: "Connected to broker" in log.read_text(errors="replace"), "Node-RED connects"
        )

    @property
    def pid(self) -> int:
        return self.child.pid

    def points(self) -> int:
        found = self._influx.query('SELECT count("q") FROM "water"', "nodered")[0].get("series")
        return int(found[0]["values"][0][1]) if found else 0

    def stop(self) -> None:
        self.child.stop()


def _flow(port: int, function: str, url: str) -> list[dict[str, object]]:
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        {
            "id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(port),
            "clientid": "bench-node-red", "autoConnect": True, "usetls": False,
            "protocolVersion": "4", "keepalive": "60", "cleansession": False,
        },
        {
            "id": "in", "type": "mqtt in", "z": "tab", "topic": f"kahriz/v1/{SITE}/+/up/+",
            "qos": "1", "datatype": "json", "broker": "broker", "wires": [["buffer"]],
        },
        {
            "id": "tick", "type": "inject", "z": "tab", "props": [{"p": "topic", "vt": "str"}],
            "topic": "flush", "repeat": "1", "once": False, "wires": [["buffer"]],
        },
        {
            "id": "buffer", "type": "function", "z": "tab", "func": function, "outputs": 1,
            "wires": [["post"]],
        },
        {
            "id": "post", "type": "http request", "z": "tab", "method": "POST", "ret": "txt",
            "url": url, "persist": True, "wires": [[]],
        },
    ]  # fmt: skip


def version() -> str:
    node = shutil.which("node")
    if node is None:
        return "no Node-RED: no node on this machine"
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return f"Node-RED {VERSION} on node {done.stdout.strip()}"
