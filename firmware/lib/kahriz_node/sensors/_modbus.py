# SPDX-License-Identifier: MIT
"""Modbus RTU master: one holding register a question, function 3, half duplex by a DE pin.

Source: Modbus over serial line V1.02 (framing, CRC 6.2.2), application protocol V1.1b3 (6.3, 7).
"""

from kahriz_node.sensors import SensorError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Pin, Sleep, Uart

READ_HOLDING = 3  # application protocol, 6.3
ERROR = 0x80  # application protocol, 7: added to the function of a refusal
BUSY = (5, 6)  # application protocol, 7: acknowledged, but not done; busy
DEVICE_FAILURE = 4
ANSWER = 7  # address, function, byte count, two bytes, CRC
REFUSAL = 5  # address, function, code, CRC
QUIET_MS = 5  # 3.5 characters at 9600 baud are 4 ms (serial line, 2.5.1.1)
POLL_MS = 5
ANSWER_MS = 300  # ours: probes answer within 100 ms
TRIES = 2  # ours: a disturbed frame is asked again


class Line:
    """Takes a UART, the DE pin (1 sends) and a sleep."""

    def __init__(self, uart: "Uart", de: "Pin", sleep_ms: "Sleep") -> None:
        self._uart = uart
        self._de = de
        self._sleep_ms = sleep_ms

    def register(self, address: int, number: int) -> int:
        """The 16 bits of a holding register, or SensorError."""
        question = bytes((address, READ_HOLDING, number >> 8, number & 0xFF, 0, 1))
        fault = ""
        for _ in range(TRIES):
            try:
                return word(self._ask(question + crc(question)), address)
            except SensorError as error:
                fault = error.fault
                if fault not in ("timeout", "crc"):
                    break
        raise SensorError(fault)

    def _ask(self, frame: bytes) -> bytes:
        self._sleep_ms(QUIET_MS)
        self._uart.read()  # noise while nobody spoke
        self._de.value(1)
        try:
            self._uart.write(frame)
            self._uart.flush()  # the last stop bit: before it DE would cut the frame
        finally:
            self._de.value(0)
        heard = b""
        waited = 0
        while len(heard) < expected(heard) and waited < ANSWER_MS:
            self._sleep_ms(POLL_MS)
            waited += POLL_MS
            heard += self._uart.read() or b""
        return heard


def expected(heard: bytes) -> int:
    """Length of the answer that has begun."""
    return REFUSAL if len(heard) > 1 and heard[1] & ERROR else ANSWER


def word(heard: bytes, address: int) -> int:
    """The register in an answer; anything else is a fault by name."""
    if not heard:
        raise SensorError("timeout")
    size = expected(heard)
    frame = heard[:size]
    if len(frame) < size or crc(frame[:-2]) != frame[-2:] or frame[0] != address:
        raise SensorError("crc")
    if frame[1] & ERROR:
        code = frame[2]
        if code in BUSY:
            raise SensorError("not_ready")
        raise SensorError("fault" if code == DEVICE_FAILURE else "driver")
    if frame[1] != READ_HOLDING or frame[2] != 2:
        raise SensorError("crc")
    return frame[3] << 8 | frame[4]


def crc(data: bytes) -> bytes:
    """CRC-16 of Modbus, low byte first (serial line, 6.2.2)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return bytes((value & 0xFF, value >> 8))
