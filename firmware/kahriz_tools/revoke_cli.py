# SPDX-License-Identifier: MIT
"""`kahriz node revoke`: a lost node is out, in the authority's register and at the broker."""

import shlex
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path

import rich_click as click

from kahriz_tools.errors import BenchError
from kahriz_tools.neighbours import AUTHORITY, GATEWAY, LONGEST_S, Authority
from kahriz_tools.talk import EXIT_CODES, Talk, json_option

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
TRY_S = 10.0
WRONG_USE = 2


@click.command(epilog=EXIT_CODES)
@click.argument("node")
@click.option("--ca", type=FOLDER, default=Path("ca"), show_default=True, help="The authority.")
@click.option("--passphrase-file", type=FILE, help="Of the authority's key.")
@click.option("--why", default="lost", show_default=True, help="For the register.")
@click.option("--shell", default="", help="'ssh pi@kahriz-gateway sudo'; else this machine.")
@click.option("--tls", default="/etc/mosquitto/kahriz", show_default=True, help="At the broker.")
@click.option(
    "--restart",
    default="systemctl restart mosquitto",
    show_default=True,
    help="How the broker is made to read the new list.",
)
@click.option("--broker", metavar="HOST:PORT", help="Prove it: the broker must refuse the node.")
@click.option("--old", is_flag=True, help="All but the newest certificate: after `replace`.")
@click.option("--register-only", is_flag=True, help="The broker is told later, by hand.")
@json_option
def revoke(
    node: str, ca: Path, passphrase_file: Path | None, why: str, shell: str, tls: str,
    restart: str, broker: str | None, old: bool, register_only: bool, as_json: bool,
) -> None:  # fmt: skip
    """Shut a lost node out: revoked in the register, told to the broker, proved by trying."""
    talk = Talk(as_json)
    with talk.mending():
        first, again = _words("--shell", shell), _words("--restart", restart)
        if not again:
            raise _unclear("--restart", restart, "no command")
        authority = Authority(ca, passphrase_file)
        rows = [row for row in authority.register() if row["name"] == node]
        if not rows:
            raise BenchError(f"{node} never had a certificate", "`kahriz site ca show`", AUTHORITY)
        if old and broker:
            raise click.UsageError("--broker comes with the newest certificate: not with --old")
        newest = authority.standing(node) if old else None
        doomed = [row["serial"] for row in rows if row["trusted"] and row["serial"] != newest]
        for serial in doomed:
            talk.say(authority.revoke(node, why, serial).splitlines()[0])
        if not doomed:
            talk.say(f"{node} was revoked before")
        if register_only:
            talk.say(f"the broker does not know yet: bring {ca}/gateway/crl.pem, restart it")
        else:
            for name in ("ca.pem", "crl.pem"):
                data = (ca / "gateway" / name).read_bytes()
                _run([*first, "tee", f"{tls.rstrip('/')}/{name}"], data)
            _run([*first, *again], b"")
            talk.say(f"the broker has the list, and began anew: `{restart}`")
        proved = broker is not None and not register_only
        if proved and broker is not None:
            _refused(authority, node, broker)
            talk.say(f"proved: {broker} refuses {node}")
        talk.result({"ok": True, "node": node, "broker": not register_only, "proved": proved})


def _words(option: str, text: str) -> list[str]:
    """The words of a command, before anything is done: half a quote must not leave it half done."""
    if "\0" in text:
        raise _unclear(option, text, "a NUL byte")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise _unclear(option, text, str(error)) from error


def _unclear(option: str, text: str, why: str) -> BenchError:
    return BenchError(f"{option} {text!r}: {why}", "nothing was done; mend that", WRONG_USE)


def _run(command: list[str], given: bytes) -> None:
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, timeout=LONGEST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _half(f"`{shlex.join(command)}` does not run ({error})") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _half(f"`{shlex.join(command)}`: {said[-1] if said else done.returncode}")


def _half(what: str) -> BenchError:
    return BenchError(
        f"revoked in the register, but the broker was not told: {what}",
        "mend that and repeat: until then the lost node is still let in",
        GATEWAY,
    )


def _refused(authority: Authority, node: str, broker: str) -> None:
    """Come as the lost node; a broker that lets us in has not heard."""
    host, _, port = broker.rpartition(":")
    papers = authority.papers(node)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the name does not matter here: we want to be refused
    context.load_verify_locations(authority.folder / "gateway" / "ca.pem")
    with tempfile.TemporaryDirectory() as folder:
        cert, key = Path(folder) / "cert.pem", Path(folder) / "key.pem"
        cert.write_text(ssl.DER_cert_to_PEM_cert(papers["cert.der"]))
        body = ssl.DER_cert_to_PEM_cert(papers["key.der"])
        key.touch(0o600)
        key.write_text(body.replace("CERTIFICATE", "EC PRIVATE KEY"))
        context.load_cert_chain(cert, key)
    mqtt = bytes([0x10, 12 + len(node), 0, 4]) + b"MQTT" + bytes([4, 2, 0, 5, 0, len(node)])
    try:
        plain = socket.create_connection((host, int(port)), TRY_S)
    except (OSError, ValueError) as error:
        raise _half(f"nobody at {broker} ({error})") from error
    with plain:
        try:
            with context.wrap_socket(plain) as line:
                line.sendall(mqtt + node.encode())
                answer = line.recv(4)
        except (ssl.SSLError, ConnectionError):
            return  # refused, which is what we want
    if len(answer) == 4 and answer[3] == 0:
        raise _half(f"{broker} still lets {node} in")
