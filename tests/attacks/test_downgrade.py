# SPDX-License-Identifier: MIT
"""Somebody in between talks either side down to a TLS that can be broken: both hang up."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_gateway.broker.tls import context
from kahriz_gateway.config import Options, read_plan
from tests.gateway.conftest import PATIENCE_S
from tests.gateway.site_broker import Site

OLD = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
pytestmark = [
    pytest.mark.needs("mosquitto"),
    pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site")).start()
    yield made
    made.stop()


def talks(made: ssl.SSLContext, cert: tuple[Path, Path], version: ssl.TLSVersion) -> ssl.SSLContext:
    """This version alone, with whatever ciphers it needs."""
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.minimum_version = ssl.TLSVersion.TLSv1
    made.maximum_version = version
    made.load_cert_chain(*cert)
    return made


@pytest.mark.parametrize("version", [*OLD, ssl.TLSVersion.TLSv1_2])
def test_the_broker_speaks_no_old_tls(site: Site, version: ssl.TLSVersion) -> None:
    own = talks(
        ssl.create_default_context(cafile=site.gateway / "ca.pem"), site.pem_of("outlet"), version
    )
    own.check_hostname = False
    with socket.create_connection(("127.0.0.1", site.port), PATIENCE_S) as plain:
        if version not in OLD:
            assert own.wrap_socket(plain).version() == "TLSv1.2"
            return
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):  # the broker says it
            own.wrap_socket(plain)


@pytest.mark.parametrize("version", [*OLD, ssl.TLSVersion.TLSv1_2])
def test_intake_speaks_no_old_tls_with_a_broker(site: Site, version: ssl.TLSVersion) -> None:
    other = talks(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), site.service("broker"), version)
    ours = context(read_plan(Options(site.plan(), site.folder)).broker, "intake")
    assert ours is not None
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(PATIENCE_S)
        there.settimeout(PATIENCE_S)
        thread = threading.Thread(target=_serve, args=(other, there))
        thread.start()
        try:
            if version in OLD:
                with pytest.raises(ssl.SSLError, match="PROTOCOL"):
                    ours.wrap_socket(here, server_hostname="127.0.0.1")
            else:
                assert ours.wrap_socket(here, server_hostname="127.0.0.1").version() == "TLSv1.2"
        finally:
            thread.join()


def _serve(made: ssl.SSLContext, plain: socket.socket) -> None:
    try:
        made.wrap_socket(plain, server_side=True)
    except OSError:
        return
