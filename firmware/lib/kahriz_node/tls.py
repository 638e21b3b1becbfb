# SPDX-License-Identifier: MIT
"""Mutual TLS: node and broker show each other certificates of the site's own authority.

`plan.tls` names the files: ca (DER; ca2 beside it while the site changes its authority), cert
(DER), key (SEC1 DER) and, where the broker is called by its address, name (what its certificate
says; else the host). mbedTLS takes its memory outside the GC heap: wrap before anything big is
made. It dates certificates by the chip's RTC, which the node has lifted before this (node.py).
Nothing waits here: the handshake happens inside the first write, non-blocking, under the session's
one deadline.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any

WORDS = (  # mbedTLS says it in a sentence (a ValueError); hello says it in a word
    ("expired", "tls-expired"),
    ("future", "tls-future"),
    ("trusted CA", "tls-ca"),
    ("(CN)", "tls-name"),
    ("invalid key", "tls-key"),
    ("invalid cert", "tls-cert"),
)
NUMBERS = {  # of mbedTLS, as the OSError carries them
    -0x7280: "closed",  # SSL_CONN_EOF
    -0x7780: "tls-alert",  # SSL_FATAL_ALERT_MESSAGE: the broker does not take our certificate
    -0x7F00: "tls-memory",  # SSL_ALLOC_FAILED
}


class TlsError(ValueError):
    """A certificate that is not there."""


def wrap(sock: "Any", plan: "Any") -> "Any":
    """The stream over a connected, non-blocking socket; the handshake is still to come."""
    import tls

    files = plan.tls
    context: Any = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)  # demands a certificate
    context.load_verify_locations(_read(files["ca"]))
    if "ca2" in files:
        context.load_verify_locations(_read(files["ca2"]))
    context.load_cert_chain(_read(files["cert"]), _read(files["key"]))
    name = files.get("name", plan.host)
    return context.wrap_socket(sock, do_handshake_on_connect=False, server_hostname=name)


def word(error: Exception) -> str:
    """What went wrong, in a word for hello; an OSError that is not TLS's own gives none."""
    if isinstance(error, OSError):
        number = error.errno or 0
        return NUMBERS.get(number, f"tls-{-number:x}") if number < 0 else ""
    if isinstance(error, TlsError):
        return "tls-file"
    text = str(error)
    for part, short in WORDS:
        if part in text:
            return short
    return "tls"


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data: bytes = file.read()
            return data
    except OSError:
        raise TlsError(path) from None
