# SPDX-License-Identifier: MIT
"""A configuration that was fetched: completed, checked key by key, put on trial; else refused."""

import json
import os

from kahriz_node import config, configs, memory
from kahriz_node.settings import Settings
from kahriz_wire import WireError

KEPT = ("wifi", "broker")  # not sent as a rule: the node's own stay


def consider(root: str, rev: int, runs: Settings) -> None:
    """Put /config.new on trial, or raise WireError; it is gone afterwards."""
    try:
        with open(root + configs.FETCHED, "rb") as file:
            body = json.loads(file.read())
        now = json.loads(next(configs.candidates(root))[1])
        for key in KEPT:
            if key not in body:
                body[key] = now[key]
        config.check(body)
        if body["rev"] != rev:
            raise WireError("config.rev", "not the one that was named")
        if body["site"] != runs.site or body["node"] != runs.node:
            raise WireError("config.node: this board is " + runs.site + "/" + runs.node)
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise WireError("config: not JSON " + str(error)) from None
    finally:
        configs.remove(root, configs.FETCHED)
    with open(root + configs.CABLE, "rb") as file:
        mark = memory.crc(file.read())
    text = json.dumps(body).encode()
    with open(root + configs.FETCHED, "wb") as out:
        out.write(mark + memory.crc(text) + text)
    os.rename(root + configs.FETCHED, root + configs.TRIAL)
