# SPDX-License-Identifier: MIT
"""`tls` (and `ssl` over it) of the ESP32 port: the host's real mbedTLS with the chip's traps.

1. mbedTLS takes its memory outside the GC heap: when the program has let the GC heap grow first,
   the handshake finds none (micropython issues 6065, 16650).
2. Dates of certificates are compared with the chip's RTC, which begins at 2000 after power-on.
3. The chip's SSLSocket has no recv, send or settimeout; errors come as OSError with a negative
   number and as ValueError with a sentence.
The host's own clock is looked at too: certificates of a test are valid on both.
"""

import gc as _gc
import io as _io
import select as _select

import tls as _tls
import utime as _utime
from chip import clock as _clock

CERT_NONE = _tls.CERT_NONE
CERT_OPTIONAL = _tls.CERT_OPTIONAL
CERT_REQUIRED = _tls.CERT_REQUIRED
PROTOCOL_TLS_CLIENT = _tls.PROTOCOL_TLS_CLIENT
MBEDTLS_VERSION = _tls.MBEDTLS_VERSION

_LEAST_FREE = 32 * 1024  # of the program's 128 kB, which are about 64 kB of a chip
_ALLOC_FAILED = -0x7F00  # MBEDTLS_ERR_SSL_ALLOC_FAILED
_EPOCH_2000_S = 946_684_800
_VALIDITY = b"\x30\x1e\x17\x0d"  # SEQUENCE of two UTCTime: notBefore, notAfter
_PIECE = 512  # bytes read at once
_POLL = 3  # stream ioctl numbers
_CLOSE = 4
_EINVAL = 22


class SSLContext:
    def __init__(self, protocol):
        if protocol != PROTOCOL_TLS_CLIENT:
            raise NotImplementedError("this board is a client only")
        _clock.elapsed_us()
        self._real = _tls.SSLContext(protocol)
        self._real.verify_callback = _dated
        self.load_verify_locations = self._real.load_verify_locations
        self.load_cert_chain = self._real.load_cert_chain
        self.set_ciphers = self._real.set_ciphers
        self.get_ciphers = self._real.get_ciphers

    def wrap_socket(
        self, sock, *, server_side=False, do_handshake_on_connect=True, server_hostname=None
    ):
        _clock.elapsed_us()
        if server_side or do_handshake_on_connect:
            # The port's handshake waits in C without a limit: what needs it may hang a chip.
            raise NotImplementedError("only a handshake that the program can bound")
        _gc.collect()
        if _gc.mem_free() < _LEAST_FREE:
            raise OSError(_ALLOC_FAILED, "MBEDTLS_ERR_SSL_ALLOC_FAILED")
        real = self._real.wrap_socket(
            _Line(sock), do_handshake_on_connect=False, server_hostname=server_hostname
        )
        return _SSLSocket(real, sock)


class _Line(_io.IOBase):
    """The TCP socket as mbedTLS calls it: errors are numbers, not exceptions."""

    def __init__(self, sock):
        self._sock = sock

    def readinto(self, buf):
        try:
            return self._sock.readinto(memoryview(buf)[:_PIECE])  # lwIP copies without our heap
        except OSError as error:
            return -error.errno

    def write(self, buf):
        try:
            return self._sock.write(buf)
        except OSError as error:
            return -error.errno

    def ioctl(self, request, arg):
        return self._sock.ioctl(request, arg)


class _SSLSocket(_io.IOBase):
    def __init__(self, real, sock):
        self._real = real
        self._sock = sock
        self._poll = _select.poll()
        self._poll.register(real, _select.POLLIN)

    def read(self, *size):
        _clock.elapsed_us()
        return self._real.read(*size)

    def readinto(self, buf, *size):
        _clock.elapsed_us()
        return self._real.readinto(buf, *size)

    def write(self, data):
        _clock.elapsed_us()
        return self._real.write(data)

    def setblocking(self, flag):
        self._sock.setblocking(flag)

    def cipher(self):
        return self._real.cipher()

    def close(self):
        self._real.close()
        self._sock.close()

    def ioctl(self, request, arg):
        if request == _POLL:
            self._poll.modify(self._real, arg)
            seen = self._poll.poll(0)
            return seen[0][1] if seen else 0
        if request == _CLOSE:
            self.close()
            return 0
        return -_EINVAL


def _dated(certificate, depth):
    """Called by mbedTLS for each certificate of the chain."""
    der = bytes(certificate)
    at = der.find(_VALIDITY) + len(_VALIDITY)
    now_s = _clock.rtc_us() // 1_000_000 + _EPOCH_2000_S
    if now_s < _utc_s(der[at : at + 12]):
        raise ValueError("\nThe certificate validity starts in the future\n")
    if now_s > _utc_s(der[at + 15 : at + 27]):
        raise ValueError("\nThe certificate validity has expired\n")
    return 0


def _utc_s(digits):
    """Seconds since 1970 of YYMMDDHHMMSS."""
    y, mo, d, h, mi, s = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    return int(_utime.mktime((2000 + y, mo, d, h, mi, s, 0, 0, 0)))
