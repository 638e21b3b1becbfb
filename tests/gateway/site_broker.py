# SPDX-License-Identifier: MIT
"""A site with its own authority and the real mosquitto in the configuration that we ship."""

import os
import queue
import re
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from kahriz_gateway.authority.files import replace
from kahriz_gateway.authority.site import SiteCa, found, open_ca
from kahriz_gateway.broker import conf as broker_conf
from kahriz_sim.services_process import Child, find_program, free_port

from .conftest import PATIENCE_S, SITE, SITE_TOML

NODES = ("outlet", "middle")
HERE = f"kahriz/v1/{SITE}"


class Site:
    """An authority in a folder, its broker, and clients that come with what they have."""

    def __init__(self, folder: Path, nodes: tuple[str, ...] = NODES) -> None:
        self.folder = folder
        self.ca = folder / "ca"
        self.gateway = self.ca / "gateway"
        self.port = free_port()
        found(self.ca, SITE, ())
        with open_ca(self.ca) as ca:
            for node in nodes:
                ca.issue(node)
        self.configure(broker_conf.access(SITE, nodes, ["lamp"]))

    def configure(self, acl: str | None, change: Callable[[str], str] = str) -> None:
        """Write our configuration, or one that differs; None leaves the access list out."""
        here = self.folder / "broker"
        here.mkdir(exist_ok=True)
        path = here / "kahriz.acl"
        text = broker_conf.configuration(SITE, self.gateway, path, here, self.port, "127.0.0.1")
        if acl is None:
            text = text.replace(f"acl_file {path}\n", "")
        else:
            replace(path, acl.encode())
        if os.geteuid() == 0:  # mosquitto would drop to its own user, who may not read our files
            text += "user root\n"
        replace(here / "mosquitto.conf", change(text).encode())

    def start(self) -> "Site":
        program = find_program("mosquitto")
        assert program is not None
        here = self.folder / "broker"
        argv = [program, "-c", str(here / "mosquitto.conf")]
        self.child = Child("broker", argv, here / "broker.log", cwd=here)
        self.child.start()
        self.child.wait_until(self._listens)
        return self

    def restart(self) -> None:
        self.child.stop()
        self.start()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self.child.stop()

    def log(self) -> str:
        path = self.folder / "broker" / "broker.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def plan(self) -> Path:
        """A site.toml that speaks TLS to this broker."""
        path = self.folder / "site.toml"
        rest = re.sub(r"\[broker\]\n([^\[]*\n)?", "", SITE_TOML.read_text())
        path.write_text(
            f'{rest}\n[broker]\nhost = "127.0.0.1"\nport = {self.port}\n'
            '[broker.tls]\nca = "ca/gateway/ca.pem"\ncert = "ca/gateway/gateway.{service}.pem"\n'
            'key = "ca/gateway/gateway.{service}.key"\n'
        )
        return path

    def edit(self, change: Callable[[SiteCa], object]) -> None:
        with open_ca(self.ca) as ca:
            change(ca)

    def pem_of(self, node: str, folder: Path | None = None) -> tuple[Path, Path]:
        """A node's certificate and key for paho, which wants PEM."""
        source = folder or self.ca / "nodes" / node
        out = self.folder / "pem"
        out.mkdir(exist_ok=True)
        mark = f"{len(list(out.iterdir())):03}"
        cert, key = out / f"{mark}.pem", out / f"{mark}.key"
        cert.write_text(ssl.DER_cert_to_PEM_cert((source / "cert.der").read_bytes()))
        body = ssl.DER_cert_to_PEM_cert((source / "key.der").read_bytes())
        key.write_text(body.replace("CERTIFICATE", "EC PRIVATE KEY"))
        return cert, key

    def service(self, name: str) -> tuple[Path, Path]:
        return self.gateway / f"{name}.pem", self.gateway / f"{name}.key"

    def client(self, own: tuple[Path, Path] | None, client_id: str = "whoever") -> "Visitor":
        return Visitor(self, own, client_id)


class Visitor:
    """A paho client and what became of it."""

    def __init__(self, site: Site, own: tuple[Path, Path] | None, client_id: str) -> None:
        self.heard = queue.Queue[tuple[str, bytes]]()
        self._answers = queue.Queue[str]()
        self._standing = queue.Queue[bool]()
        self.lost = queue.Queue[str]()
        self._client = client = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(site.gateway / "ca.pem")
        if own is not None:
            context.load_cert_chain(*own)
        client.tls_set_context(context)
        client.on_connect = lambda c, u, f, reason, p: self._answers.put(str(reason))
        client.on_disconnect = self._gone
        client.on_subscribe = lambda *_: self._standing.put(True)
        client.on_message = self._message
        self._site = site

    def connect(self) -> str:
        """'Success', or in which words the broker or TLS refuses."""
        try:
            self._client.connect("127.0.0.1", self._site.port)
        except (ssl.SSLError, ConnectionError) as error:
            return f"refused: {error}"
        self._client.loop_start()
        return self._answers.get(timeout=PATIENCE_S)

    def subscribe(self, *filters: str) -> None:
        self._client.subscribe([(each, 1) for each in filters])
        self._standing.get(timeout=PATIENCE_S)

    def publish(self, topic: str, payload: bytes = b"x", retain: bool = False) -> None:
        """Publish and wait for the broker's PUBACK, which proves nothing."""
        self._client.publish(topic, payload, 1, retain).wait_for_publish(PATIENCE_S)

    def hears(self) -> tuple[str, bytes]:
        return self.heard.get(timeout=PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _gone(self, *words: object) -> None:
        self._answers.put(f"refused: {words[3]}")
        self.lost.put(str(words[3]))

    def _message(self, client: object, userdata: object, message: MQTTMessage) -> None:
        self.heard.put((message.topic, bytes(message.payload)))
