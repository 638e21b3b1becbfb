# SPDX-License-Identifier: MIT
"""Node-RED as a peer: MQTT in (QoS 1, kept session) → 5,000-point buffer → InfluxDB.

Line protocol made in one function and posted as it is: faster than its InfluxDB nodes. It
acknowledges to the broker on arrival, before anything is written: not the same promise as ours.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

from kahriz_sim.services import Child, Influx, find_program
from scripts.bench_rig import SITE, wait_until

VERSION = "4.1.15"
POINTS = 5000
BUFFER = """
const buf = context.get('buf') || [];
if (msg.topic !== 'flush') {
  const p = msg.topic.split('/');
  for (const r of msg.payload) {
    buf.push(`water,site=${p[2]},node=${p[3]} weir_distance_m=${r.weir_distance_m},` +
      `weir_spread_m=${r.weir_spread_m},weir_echoes=${r.weir_echoes},air_c=${r.air_c},` +
      `q=${r.q},n=${r.n} ${r.ts}`);
  }
}
if (buf.length < %d && !(msg.topic === 'flush' && buf.length)) { context.set('buf', buf); return; }
context.set('buf', []);
return { payload: buf.join('\\n'), headers: { authorization: '%s' } };
"""


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

    def __init__(self, home: Path, folder: Path, port: int, influx: Influx) -> None:
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
            json.dumps(_flow(port, BUFFER % (POINTS, f"Basic {key}"), url))
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
        found = self._influx.query('SELECT count("n") FROM "water"', "nodered")[0].get("series")
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
