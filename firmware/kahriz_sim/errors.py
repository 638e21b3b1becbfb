# SPDX-License-Identifier: MIT
"""What the simulated world refuses, and why."""


class ConfigError(Exception):
    """A file of the simulated world is wrong: where, and what was expected."""
