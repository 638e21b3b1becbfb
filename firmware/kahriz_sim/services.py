# SPDX-License-Identifier: MIT
"""Real services as child processes, for the demo and the tests: broker and InfluxDB."""

from kahriz_sim.services_broker import Broker, answers_mqtt, start_broker
from kahriz_sim.services_influx import Influx, start_influx
from kahriz_sim.services_process import (
    Child,
    ServiceError,
    claim_page,
    claim_port,
    find_program,
    free_port,
)

__all__ = [
    "Broker",
    "Child",
    "Influx",
    "ServiceError",
    "answers_mqtt",
    "claim_page",
    "claim_port",
    "find_program",
    "free_port",
    "start_broker",
    "start_influx",
]
