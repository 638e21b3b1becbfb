# SPDX-License-Identifier: MIT
"""Chance from (seed, name, time) only: whoever asks, in whatever order, gets the same."""

from random import Random
from statistics import NormalDist
from zlib import crc32

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15  # the odd constant of splitmix64 (Steele, Lea, Flood 2014)
AR_TERMS = 24  # 0.7^24 = 2e-4: what is cut off is far below the sensor's millimetre
_NORMAL = NormalDist()


def mix(key: int, number: int) -> int:
    """One splitmix64 step over key and number."""
    z = (key + (number + 1) * GOLDEN) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def key_of(seed: int, *names: str) -> int:
    """A stable key of a named series."""
    key = mix(0, seed)
    for name in names:
        key = mix(key, crc32(name.encode()))
    return key


def uniform(key: int, number: int) -> float:
    """In (0, 1)."""
    return ((mix(key, number) >> 11) + 0.5) / 9007199254740992.0


def gauss(key: int, number: int) -> float:
    """Standard normal."""
    return _NORMAL.inv_cdf(uniform(key, number))


def generator(key: int, number: int) -> Random:
    """For many draws at one moment."""
    return Random(mix(key, number))


class Ar1:
    """Autocorrelated noise x(k) = phi x(k-1) + e(k), as a sum of its last innovations.

    A sum and not a recursion, so that the value at k does not depend on what was asked before.
    """

    def __init__(self, key: int, sigma: float, phi: float, step_ms: int) -> None:
        self.key = key
        self.step_ms = step_ms
        scale = sigma * (1.0 - phi * phi) ** 0.5
        self._weights = [scale * phi**j for j in range(AR_TERMS)]
        self._innovations: dict[int, float] = {}

    def at(self, t_ms: int) -> float:
        k = (t_ms + self.step_ms // 2) // self.step_ms
        known = self._innovations
        total = 0.0
        for weight in self._weights:
            e = known.get(k)
            if e is None:
                e = known[k] = gauss(self.key, k)
            total += weight * e
            k -= 1
        if len(known) > 4096:
            known.clear()
        return total
