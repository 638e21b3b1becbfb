# SPDX-License-Identifier: MIT
"""Runs on MicroPython: a node's TLS session with the files it would carry. Prints how it ended.

micropython micropython_tls.py FOLDER PORT SITE NODE NAME
"""

import socket
import sys

import tls


def part(data):
    return bytes((len(data) >> 8, len(data) & 0xFF)) + data


def packet(kind, body):
    assert len(body) < 128
    return bytes((kind, len(body))) + body


def read(path):
    with open(path, "rb") as file:
        return file.read()


def run(folder, port, site, node, name):
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    for file in ("ca.der", "ca2.der"):
        try:
            context.load_verify_locations(read(folder + "/" + file))
        except OSError:
            if file == "ca.der":
                raise
    context.load_cert_chain(read(folder + "/cert.der"), read(folder + "/key.der"))
    sock = socket.socket()
    sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    wire = context.wrap_socket(sock, server_hostname=name)
    topic = ("kahriz/v1/" + site + "/" + node).encode()
    hello = b'{"s":"5be1c07a","journal":"9f3a01c2","first":1,"next":1}'
    wire.write(
        packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x3c" + part(b"anything"))
        + packet(0x82, b"\x00\x01" + part(topic + b"/receipt") + b"\x00")
    )
    assert wire.read(4) == b"\x20\x02\x00\x00", "no CONNACK"
    assert wire.read(5) == b"\x90\x03\x00\x01\x00", "no SUBACK"
    body = part(topic + b"/hello") + hello
    size = len(body)
    head = bytes((0x30, size & 0x7F | 0x80, size >> 7)) if size > 127 else bytes((0x30, size))
    wire.write(head + body)
    first = wire.read(1)
    assert first == b"\x30", first
    size = shift = 0
    while True:
        byte = wire.read(1)[0]
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    print("receipt", wire.read(size)[2 + len(topic) + 8 :].decode())
    wire.write(b"\xe0\x00")
    wire.close()


try:
    run(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
except (OSError, ValueError, AssertionError) as error:
    print("refused", repr(error))
