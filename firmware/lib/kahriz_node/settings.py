# SPDX-License-Identifier: MIT
"""The node's settings as the program uses them, from a configuration that was checked."""

DEADLINE_MS = 8000  # an upload takes 1-3 s; beyond this the battery matters more
RADIO_ABOVE_MV = 3000  # below it the radio's current would pull the supply down
BROKER_PORT = 1883


class Settings:
    """`channels` is a list of (name, spec) in the order of the names."""

    def __init__(self, body):
        self.rev = body["rev"]
        self.site = body["site"]
        self.node = body["node"]
        self.dt_s = body["dt_s"]
        self.batch = body["batch"]
        self.phase_s = body.get("phase_s", 0)
        self.deadline_ms = body.get("deadline_ms", DEADLINE_MS)
        self.radio_above_mv = body.get("radio_above_mv", RADIO_ABOVE_MV)
        self.ssid = body["wifi"]["ssid"]
        self.wifi_password = body["wifi"]["password"]
        broker = body["broker"]
        self.host = broker["host"]
        self.port = broker.get("port", BROKER_PORT)
        self.user = broker.get("user")
        self.password = broker.get("password")
        self.channels = [(name, body["channels"][name]) for name in sorted(body["channels"])]
