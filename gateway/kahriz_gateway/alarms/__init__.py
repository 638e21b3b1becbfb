# SPDX-License-Identifier: MIT
"""The village's side of the alarm loop: proof, storms, charts, links. The loop is below, shared
with the office: its book and its post are known here by their own names.
"""

from kahriz_alarms.loop import book as book
from kahriz_alarms.loop import clock as clock
from kahriz_alarms.loop import post as post
from kahriz_alarms.loop import weekly_test as weekly_test
