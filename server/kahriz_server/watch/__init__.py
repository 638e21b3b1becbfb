# SPDX-License-Identifier: MIT
"""The office's watch over its gateways: heartbeats, readings, judgement, the alarm loop."""
