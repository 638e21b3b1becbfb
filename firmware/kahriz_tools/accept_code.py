# SPDX-License-Identifier: MIT
"""What `kahriz node accept` lets a board run: states to be held, and times that it tells itself.

HOLD_S stands for the seconds to hold. The pieces go through the REPL after PRELUDE and use the
node's own modules, so what is timed is what will run.
"""

PRELUDE = """
import sys
if "/lib" in sys.path:
    sys.path.remove("/lib")
sys.path.insert(0, "/lib")
import json, machine, network, time
from kahriz_node import sensors as _s, wifi as _wifi
from kahriz_node.board_esp32 import Board as _B
_b = _B()
machine.WDT(timeout=3600000)
_c = json.load(open("/config.json"))
_w = network.WLAN(network.STA_IF)
def _left(t, s):
    return time.ticks_diff(time.ticks_ms(), t) < s * 1000
def _since(t):
    return time.ticks_diff(time.ticks_ms(), t)
"""  # this WDT replaces the node's, whose 90 s would end a hold (micropython#7770)

LED_GREEN_PIN = 18  # as kahriz_node/board_esp32.py, whose constants are not on the chip
IDLE = "time.sleep(HOLD_S)"
LIGHT = "machine.lightsleep(HOLD_S * 1000)"
SEARCH = """
_w.active(True)
_t = time.ticks_ms()
while _left(_t, HOLD_S):
    _ = _w.scan()
    time.sleep_ms(10)
_w.active(False)
"""
RADIO = """
import socket
_o = _c["broker"]
_k = {}
_told = 0
_t = time.ticks_ms()
while _left(_t, HOLD_S):
    if not _wifi.join(_w, time, _c["wifi"]["ssid"], _c["wifi"]["password"], 15000, _k):
        break
    _told += 1
    _l = socket.socket()
    try:
        _l.settimeout(4)
        _p = _o.get("port", 8883 if "tls" in _o else 1883)
        _l.connect(socket.getaddrinfo(_o["host"], _p, 0, socket.SOCK_STREAM)[0][-1])
    except OSError:
        pass
    _l.close()
    _w.disconnect()
    time.sleep_ms(10)
_w.active(False)
"""  # _told: how often it joined; 0: the access point did not take it, and nothing was measured
POWER = """
_p = machine.Pin(PIN, machine.Pin.OUT, value=1)
time.sleep(HOLD_S)
_p.value(0)
"""
AIR = """
_told = []
_t = time.ticks_ms()
while _left(_t, HOLD_S):
    _a = time.ticks_ms()
    _ = _s.module("ds18b20").start(_b, _c["channels"][NAME]).read(0)
    _told.append(_since(_a))
    if len(_told) > 99:
        _told.pop(0)
"""
SENSORS = """
_told = {}
for _n in _c["channels"]:
    _t = time.ticks_ms()
    try:
        _ = _s.module(_c["channels"][_n]["driver"]).start(_b, _c["channels"][_n]).read(0)
    except Exception:
        continue
    _told[_n] = _since(_t)
"""
LOOP_MA = """
_r = _s.module("loop_ads1115").start(_b, _c["channels"][NAME]).read(0)
"""
JOIN = """
_k = {}
_told = []
def _took(known):
    _w.active(True)
    if "lease" not in known:
        _w.ifconfig("dhcp")
    before = len(known)
    t = time.ticks_ms()
    up = _wifi.join(_w, time, _c["wifi"]["ssid"], _c["wifi"]["password"], 15000, known)
    ms = _since(t)
    _w.disconnect()
    _w.active(False)
    return ms if up and len(known) == before else None
_ = _took(_k)
if "ap" in _k:
    for _ in range(RUNS):
        _told.append((_took({"ap": _k["ap"]}), _took(dict(_k))))
"""  # pairs: asking for an address, with the kept one; None: it had to search
LINK = r"""
import errno, select, socket, tls as _tls
machine.RTC().datetime(NOW)
_o = _c["broker"]
_cert = _o.get("tls")
def _bytes(path):
    with open(path, "rb") as file:
        return file.read()
def _field(text):
    data = text.encode()
    return bytes((len(data) >> 8, len(data) & 255)) + data
def _until(line, event, what):
    poll = select.poll()
    poll.register(line, event)
    if not poll.poll(8000):
        raise OSError(errno.ETIMEDOUT, what)
def _once():
    port = _o.get("port", 8883 if _cert else 1883)
    address = socket.getaddrinfo(_o["host"], port, 0, socket.SOCK_STREAM)[0][-1]
    line = stream = socket.socket()
    try:
        t = time.ticks_ms()
        line.setblocking(False)
        try:
            line.connect(address)
        except OSError as error:
            if error.errno not in (errno.EINPROGRESS, errno.EAGAIN, 119):  # the chip's number
                raise
        _until(line, select.POLLOUT, "TCP")
        reached = _since(t)
        if _cert:
            context = _tls.SSLContext(_tls.PROTOCOL_TLS_CLIENT)
            for name in ("ca", "ca2"):
                if name in _cert:
                    context.load_verify_locations(_bytes(_cert[name]))
            context.load_cert_chain(_bytes(_cert["cert"]), _bytes(_cert["key"]))
            stream = context.wrap_socket(line, do_handshake_on_connect=False,
                server_hostname=_cert.get("name", _o["host"]))
        body = b"\x00\x04MQTT\x04"
        client = _field("kahriz-" + _c["site"] + "-" + _c["node"])
        flags = 2
        if "user" in _o:
            flags |= 0x80
            client += _field(_o["user"])
            if "password" in _o:
                flags |= 0x40
                client += _field(_o["password"])
        body += bytes((flags, 0, 60)) + client
        if len(body) > 127:
            raise ValueError("names too long")
        say = bytes((0x10, len(body))) + body
        t = time.ticks_ms()
        at = 0
        while at < len(say):
            if _since(t) > 20000:
                raise OSError(errno.ETIMEDOUT, "TLS")
            _until(stream, select.POLLOUT | select.POLLIN, "TLS")
            at += stream.write(say[at:]) or 0
        shook = _since(t)
        t = time.ticks_ms()
        heard = b""
        while len(heard) < 4:
            _until(stream, select.POLLIN, "CONNACK")
            more = stream.read(4 - len(heard))
            if more == b"":
                raise OSError(errno.ECONNRESET, "closed")
            heard += more or b""
        if heard[3]:
            raise OSError(heard[3], "the broker refuses the node")
        answered = _since(t)
        stream.write(b"\xe0\x00")
        return (reached + answered, shook) if _cert else (reached + shook + answered, None)
    finally:
        if stream is not line:
            stream.close()
        line.close()
def _link(runs):
    if not _wifi.join(_w, time, _c["wifi"]["ssid"], _c["wifi"]["password"], 15000, {}):
        return "no Wi-Fi"
    rows = []
    try:
        for _ in range(runs):
            rows.append(_once())
    except Exception as error:
        return type(error).__name__ + " " + str(error)
    finally:
        _w.disconnect()
        _w.active(False)
    return rows
def _shake(s):
    if not _wifi.join(_w, time, _c["wifi"]["ssid"], _c["wifi"]["password"], 15000, {}):
        return "no Wi-Fi"
    took = []
    t = time.ticks_ms()
    try:
        while _left(t, s):
            took.append(_once()[1])
            if len(took) > 99:
                took.pop(0)
    except Exception as error:
        return type(error).__name__ + " " + str(error)
    finally:
        _w.disconnect()
        _w.active(False)
    return took
"""  # a session that says who it is and goes: no will, nothing published
BENCH = """
import binascii, json, time
def _bench(n):
    t = time.ticks_ms()
    crc = 0
    for k in range(n):
        row = {"ts": 1790000000 + k, "n": k, "q": 1}
        for key, unit in (("distance_m", 10000), ("spread_m", 1000), ("air_c", 100)):
            row[key] = "%d.%0*d" % (k // unit, 4, k % unit)
        text = json.dumps(row)
        crc = binascii.crc32(text.encode(), crc)
        if json.loads(text)["n"] != k:
            raise ValueError
    return time.ticks_diff(time.ticks_ms(), t)
"""  # text, numbers, sums and JSON as a wake makes them; `make energy` runs the very same here
BENCH_ROWS = 2000
