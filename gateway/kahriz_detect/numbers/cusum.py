# SPDX-License-Identifier: MIT
"""One-sided cumulative sum: how much, and since when, a series stands above its normal."""

from __future__ import annotations

from typing import Any


class Cusum:
    """S = max(0, S + x - drift); rings when S exceeds the threshold for `persist` steps.

    Parameters
    ----------
    drift : what counts as nothing, in the unit of x.
    threshold : the sum that rings.
    persist : and how many steps in a row x must stand above the drift.

    Examples
    --------
    >>> cusum = Cusum(drift=1.0, threshold=4.0, persist=2)
    >>> [cusum.update(x, i) for i, x in enumerate([0.1, 0.3, 5.0, 5.0])]
    [False, False, False, True]
    >>> cusum.since
    2

    References
    ----------
    Page, E. S. (1954). Continuous inspection schemes. Biometrika 41.
    """

    def __init__(self, drift: float, threshold: float, persist: int) -> None:
        if drift <= 0 or threshold <= 0 or persist < 1:
            raise ValueError("drift and threshold must be positive, persist at least 1")
        self.drift = drift
        self.threshold = threshold
        self.persist = persist
        self.sum = 0.0
        self.run = 0
        self.since: int | None = None

    @property
    def suspicious(self) -> bool:
        """From half of the threshold on, whoever learns should stop learning."""
        return self.sum > self.threshold / 2.0

    def update(self, x: float, step: int) -> bool:
        self.sum = max(0.0, self.sum + x - self.drift)
        self.run = self.run + 1 if x > self.drift else 0
        if self.sum == 0.0:
            self.since = None
        elif self.since is None:
            self.since = step
        return self.sum > self.threshold and self.run >= self.persist

    def reset(self) -> None:
        self.sum, self.run, self.since = 0.0, 0, None

    def dump(self) -> Any:
        return [self.sum, self.run, self.since]

    def load(self, state: Any) -> None:
        self.sum, self.run, self.since = state
