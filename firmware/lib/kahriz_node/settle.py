# SPDX-License-Identifier: MIT
"""Under which settings and which program a wake runs, and whether they are kept."""

import binascii
import json
import os

from kahriz_node import configs, slots, stamp
from kahriz_node.node import short
from kahriz_node.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node


def configure(node: "Node") -> None:
    """The settings to run with; what was checked once is not checked in every wake."""
    for name, data in configs.candidates(node.root):
        node.config_crc = binascii.crc32(data, binascii.crc32(stamp.VERSION.encode()))
        try:
            body = json.loads(data)
            if node.state.get("config") != node.config_crc:
                from kahriz_node import config

                config.check(body)
                node.state["config"] = node.config_crc
                del config
                node.clear()
            node.config = Settings(body)
        except Exception as error:
            if name == configs.CABLE:
                raise
            node.state["error"] = short("config", error)
            configs.remove(node.root, configs.TRIAL)
            continue
        node.trying = name == configs.TRIAL
        if not node.trying or try_once(node):
            return


def try_once(node: "Node") -> bool:
    """Count a wake under a configuration on trial; False when it has had its chances."""
    node.tries = configs.marks(node.root)[configs.TRIED]
    if node.tries >= configs.TRIES:
        node.state["error"] = f"config {node.config.rev}: no gateway, gone back"
        configs.mark(node.root, configs.REFUSED, node.config.rev)
        node.state.setdefault("uplink", {}).update({"fails": 0, "rows": 10000})  # at once
        configs.remove(node.root, configs.TRIAL)
        return False
    configs.mark(node.root, configs.TRIED, node.tries + 1)  # one that never ends counts too
    return True


def count_boot(node: "Node") -> int:
    """The number of this power-on, on flash because RTC memory is gone."""
    path = node.root + "/boots"
    try:
        with open(path) as file:
            boots = int(file.read())
    except (OSError, ValueError):
        boots = 0
    with open(path + ".new", "w") as file:
        file.write(str(boots + 1))
    os.rename(path + ".new", path)
    return boots + 1


def prove(node: "Node") -> None:
    """A configuration or a program on trial is kept when a receipt came under it."""
    if node.trying:
        if node.answered:
            configs.keep_trial(node.root)
        if not node.asked:
            configs.mark(node.root, configs.TRIED, node.tries)
    if node.answered or ("ota" in node.state and not node.asked):
        if node.answered:
            slots.good(node.root)
            node.state.pop("ota", None)
        else:
            slots.healthy(node.root)


def own_up(node: "Node") -> None:
    """Say that a release went back: boot.py did it, without a word."""
    failed = slots.failed(node.root)
    if failed:
        node.state["error"] = f"release {failed}: no receipt, gone back"
        node.state.pop("ota")
