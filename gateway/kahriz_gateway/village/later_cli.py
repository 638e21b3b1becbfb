# SPDX-License-Identifier: MIT
"""Commands of `kahriz gateway` that are imported only when they are called: intake stays small."""

from __future__ import annotations

import importlib

import rich_click as click

from kahriz_gateway.cli_net import NetGroup

LATER = {
    "about": "kahriz_gateway.committee.cli",
    "approve": "kahriz_gateway.records.approve_cli",
    "deliver": "kahriz_gateway.intake.by_hand_cli",
    "forget": "kahriz_gateway.committee.cli",
    "gauging": "kahriz_gateway.records.gauging_cli",
    "heartbeat": "kahriz_gateway.heartbeat.cli",
    "pin": "kahriz_gateway.committee.cli",
    "pressure": "kahriz_gateway.records.pressure_cli",
    "rating": "kahriz_gateway.records.rating_cli",
    "reading": "kahriz_gateway.records.water_cli",
    "recompute": "kahriz_gateway.records.water_cli",
    "total": "kahriz_gateway.records.water_cli",
    "turns": "kahriz_gateway.committee.turns_cli",
    "zero": "kahriz_gateway.records.zero_cli",
}


class LaterGroup(NetGroup):
    """A group that knows the names of what it has not imported yet."""

    group_class = click.RichGroup  # a group inside knows its own commands alone

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *LATER])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in LATER:
            return super().get_command(ctx, cmd_name)
        found = getattr(importlib.import_module(LATER[cmd_name]), cmd_name)
        assert isinstance(found, click.Command)
        return found
