# SPDX-License-Identifier: MIT
"""The heartbeat: what a gateway tells the office's server of itself, and how it is signed."""
