# SPDX-License-Identifier: MIT
"""`socket` of the ESP32 port over real sockets, with every trap that hangs a chip and not a host.

1. setblocking(True) takes a timeout away: the next read waits for ever (ports/esp32/modsocket.c).
2. A blocking connect() ignores settimeout() and may take 10 s (micropython issue 8326).
3. The read timeout begins again with each byte (the XXX note in modsocket.c).
4. No recv_into, no shutdown, no getsockopt, no `with`; setsockopt knows two levels and three names.
5. A write takes what fits into TCP_SND_BUF; without blocking it is partial or None.
6. Nothing works while the station is not associated; error numbers are the chip's, not Linux's.
"""

import io as _io
import select as _select

import network as _network
import usocket as _usocket
from chip import clock as _clock
from chip import inner_line as _inner
from micropython import const as _const

AF_INET = 2
AF_INET6 = 10
SOCK_STREAM = 1
SOCK_DGRAM = 2
SOCK_RAW = 3
IPPROTO_IP = 0
IPPROTO_TCP = 6
IPPROTO_UDP = 17
SOL_SOCKET = 4095
SO_REUSEADDR = 4
SO_BROADCAST = 32
SO_BINDTODEVICE = 4107
TCP_NODELAY = 1
IP_ADD_MEMBERSHIP = 3
MSG_PEEK = 1
MSG_DONTWAIT = 8

_EAGAIN, _EINVAL, _ECONNRESET, _ECONNABORTED = _const(11), _const(22), _const(104), _const(113)
_ETIMEDOUT, _EHOSTUNREACH, _EINPROGRESS = _const(116), _const(118), _const(119)
_CHIP_ERRNO = {98: 112, 110: 116, 113: 118, 101: 118, 115: 119, 114: 120, 107: 128, 103: 113}
_CHIP_ERRNO.update(
    {32: 104, 111: 104, 106: 127}
)  # lwIP: a refused or reset connection is ECONNRESET
_EAI_FAIL = _const(-202)  # lwIP's getaddrinfo without a network or an answer
_SND_BUF = _const(5744)  # CONFIG_LWIP_TCP_SND_BUF_DEFAULT, 4 segments of 1436 bytes
_DNS_MS = _const(7000)  # lwIP dns.c: asks 4 times, after 1, 1, 2 and 3 s, and gives up
_CONNECT_MS = _const(10_000)  # issue 8326: about 10 s in spite of settimeout(2)
_PATIENCE_MS = _const(1000)  # wall time we give a silent host; the rest of the 10 s is charged
_SLICE_MS = _const(1000)  # the watchdog is looked at this often
_FILENO, _CLOSE, _POLL = _const(10), _const(4), _const(3)  # stream ioctl numbers
_RD, _WR = _select.POLLIN, _select.POLLOUT
_POLLNVAL = _const(0x20)

_alive = []  # sockets of this wake


def drop_all():
    """The wake is over: the chip forgets its connections."""
    while _alive:
        _alive[-1].close()


class socket(_io.IOBase):  # noqa: N801 - the name it has on the chip
    def __init__(self, af=AF_INET, type=SOCK_STREAM, proto=0):
        _clock.elapsed_us()
        if af != AF_INET or type not in (SOCK_STREAM, SOCK_DGRAM):
            raise OSError(_EINVAL)
        self._real = _inner.socket() if _inner.used else _usocket.socket(af, type)
        self._real.setblocking(False)
        self._poll = _inner.poll() if _inner.used else _select.poll()
        self._poll.register(self._real, _RD)
        self._timeout_ms = None  # for ever, the port's default
        _alive.append(self)
        _clock.now.open_sockets += not _inner.used

    def close(self):
        if self in _alive:
            _clock.peek_us()  # so far with the other end
            _alive.remove(self)
            _clock.now.open_sockets -= not _inner.used
            self._poll.unregister(self._real)
            self._real.close()

    def fileno(self):
        return self._real.fileno() if self in _alive else -1

    def settimeout(self, seconds):
        self._timeout_ms = None if seconds is None else int(seconds * 1000)

    def setblocking(self, flag):
        self._timeout_ms = None if flag else 0

    def setsockopt(self, level, option, value):
        _clock.elapsed_us()
        known = (SOL_SOCKET, SO_REUSEADDR), (SOL_SOCKET, SO_BROADCAST), (IPPROTO_TCP, TCP_NODELAY)
        if (level, option) not in known:
            # The port prints a warning and goes on; here nobody shall rely on an option it ignores.
            raise OSError(_EINVAL)

    def makefile(self, *ignored):
        return self

    def connect(self, address):
        self._up()
        sockaddr = _sockaddr(address)
        try:
            if _network.is_routed():
                self._real.connect(sockaddr)
            else:  # the packets of a wrong address come to nobody, and nothing comes back
                self._real.bind(_sockaddr(("127.0.0.1", 0)))
                self._real.listen(1)
        except OSError as error:
            if error.errno not in (115, 111):
                raise _chip_error(error) from None
        if self._timeout_ms == 0:
            raise OSError(_EINPROGRESS)
        self._poll.modify(self._real, _WR)
        seen = self._poll.poll(_clock.wdt_left_ms(_PATIENCE_MS))
        _clock.elapsed_us()
        if not seen:
            _clock.now.charged_us += (_CONNECT_MS - _PATIENCE_MS) * 1000
            _clock.elapsed_us()
            raise OSError(_ETIMEDOUT)
        if seen[0][1] & (_select.POLLERR | _select.POLLHUP):
            raise OSError(_ECONNRESET)

    def send(self, data):
        sent = self._send_some(data)
        while sent < len(data) and self._timeout_ms != 0:
            sent += self._send_some(memoryview(data)[sent:])
        return sent

    def sendall(self, data):
        if self.send(data) < len(data):
            raise OSError(_ETIMEDOUT)

    def write(self, data):
        try:
            return self.send(data)
        except OSError as error:
            if error.errno == _EAGAIN:
                return None
            raise

    def recv(self, size):
        self._ready(_RD)
        try:
            return self._real.recv(size)
        except OSError as error:
            raise _chip_error(error) from None

    def read(self, *size):
        limit = size[0] if size and size[0] is not None and size[0] >= 0 else None
        data = b""
        while limit is None or len(data) < limit:
            try:
                part = self.recv(512 if limit is None else limit - len(data))
            except OSError as error:
                if error.errno != _EAGAIN:
                    raise
                return data or None
            if not part:
                break
            data += part
        return data

    def readinto(self, buf, *size):
        data = self.read(min(size[0], len(buf)) if size else len(buf))
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def readline(self):
        line = b""
        while not line.endswith(b"\n"):
            byte = self.read(1)
            if not byte:
                break
            line += byte
        return line

    def sendto(self, data, address):
        self._ready(_WR)
        try:
            return self._real.sendto(data, _sockaddr(address))
        except OSError as error:
            raise _chip_error(error) from None

    def recvfrom(self, size):
        self._ready(_RD)
        data, sender = self._real.recvfrom(size)
        return data, _address(sender)

    def bind(self, address):
        self._up()
        self._real.bind(_sockaddr(address))

    def listen(self, backlog):
        self._real.listen(backlog)

    def accept(self):
        raise OSError(95)  # nobody can reach a node on this board

    def ioctl(self, request, arg):
        if request == _FILENO:
            return self.fileno()
        if request == _POLL:  # TLS asks for its line this way
            if self not in _alive:
                return _POLLNVAL
            self._poll.modify(self._real, arg)
            seen = self._poll.poll(0)
            return seen[0][1] if seen else 0
        if request == _CLOSE:
            self.close()
            return 0
        return -_EINVAL

    def _send_some(self, data):
        self._ready(_WR)
        try:
            return self._real.send(memoryview(data)[:_SND_BUF])
        except OSError as error:
            raise _chip_error(error) from None

    def _up(self):
        _clock.elapsed_us()
        if self not in _alive:
            raise OSError(9)
        if not _network.is_up():
            raise OSError(_EHOSTUNREACH)

    def _ready(self, flag):
        """Wait until the socket can be read or written; the timeout begins anew each time."""
        _clock.elapsed_us()
        if self not in _alive:
            raise OSError(9)
        if not _network.is_up():
            raise OSError(_ECONNABORTED)  # the interface went away under the connection
        self._poll.modify(self._real, flag)
        if self._poll.poll(0):
            return
        if self._timeout_ms == 0:
            raise OSError(_EAGAIN)
        since = _clock.elapsed_us()
        while True:
            wait_ms = _SLICE_MS
            if self._timeout_ms is not None:
                left_ms = self._timeout_ms - (_clock.elapsed_us() - since) // 1000
                if left_ms <= 0:
                    raise OSError(_ETIMEDOUT)
                wait_ms = min(left_ms, wait_ms)
            if self._poll.poll(_clock.wdt_left_ms(wait_ms)):
                return


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0):
    _clock.elapsed_us()
    if not _network.is_up():
        raise OSError(_EAI_FAIL)
    try:
        if not _is_number(host) and not _network.has_dns():
            raise OSError(_EAI_FAIL)
        found = _usocket.getaddrinfo(host, port, AF_INET, SOCK_STREAM)
    except OSError:
        _clock.charge_us(_DNS_MS * 1000)
        raise OSError(_EAI_FAIL) from None
    return [(AF_INET, SOCK_STREAM, IPPROTO_TCP, host, _address(one[-1])) for one in found[:1]]


def _is_number(host):
    return all(part.isdigit() for part in host.split("."))


def _sockaddr(address):
    if len(address) != 2:
        raise ValueError(f"requested length 2 but object has length {len(address)}")
    return _usocket.getaddrinfo(address[0], address[1], AF_INET, SOCK_STREAM)[0][-1]


def _address(sockaddr):
    _, ip, port = _usocket.sockaddr(sockaddr)[:3]
    return ".".join([str(byte) for byte in ip]), port


def _chip_error(error):
    return OSError(_CHIP_ERRNO.get(error.errno, error.errno))
