# SPDX-License-Identifier: MIT
"""Root of the `kahriz` command: groups are imported only when they are called."""

import errno
import importlib
from collections.abc import Mapping
from typing import Any

import click

GROUPS: Mapping[str, tuple[str, str]] = {
    "alarm": (
        "kahriz_gateway.alarms.cli:alarm",
        "Who has which alarm; take it, end it, look back.",
    ),
    "demo": ("kahriz_sim.demo_cli:demo", "A whole kahriz on this machine: nodes, broker, gateway."),
    "doctor": ("kahriz_gateway.doctor_cli:doctor", "What ails this gateway, each with its mend."),
    "export": ("kahriz_gateway.export.cli:export", "CSV for an office: values, totals, visits."),
    "gateway": ("kahriz_gateway.cli:gateway", "The village: store, discharge, alarms, page."),
    "hardware": ("kahriz_hardware.cli:hardware", "What to build, and what would harm the water."),
    "node": ("kahriz_tools.cli:node", "The technician's laptop: put the program on a board."),
    "play": ("kahriz_sim.play_cli:play", "Send a recorded series through the whole chain."),
    "rating": ("kahriz_water.cli:rating", "Discharge of a structure, with its uncertainty."),
    "replay": ("kahriz_detect.replay.cli:replay_command", "The detectors over recorded readings."),
    "report": ("kahriz_gateway.report.cli:report", "A month on one page (PDF), to print and sign."),
    "server": ("kahriz_server.cli:server", "The office: dashboards and long memory."),
    "site": (
        "kahriz_gateway.authority.cli:site",
        "Certificates of a site; how its broker is made.",
    ),
}


# What a name that was given can be to the machine, whichever command was given it.
OF_A_NAME = (
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST),
    *(errno.ENAMETOOLONG, errno.EROFS, errno.ENOSPC, errno.ELOOP),
)


class LazyGroup(click.Group):
    """A group whose commands are named in GROUPS and imported on demand."""

    def invoke(self, ctx: click.Context) -> Any:
        """The outermost edge of all commands: names and numbers that no machine takes."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.filename is None or error.errno not in OF_A_NAME:
                raise
            name = str(error.filename)
            shown = name if len(name) < 80 else f"{name[:60]}…"
            raise click.ClickException(f"{shown}: {error.strerror}: give another") from error
        except OverflowError as error:
            if "SQLite INTEGER" not in str(error):
                raise
            raise click.ClickException(
                "a number that long is nobody's: look it up again"
            ) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in GROUPS:
            return None
        module_name, _, attribute = GROUPS[cmd_name][0].partition(":")
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"`kahriz {cmd_name}` needs the Python package {error.name!r}, which is not "
                "installed here: run `make setup`, or install kahriz-monitor with its extra."
            ) from error
        command = getattr(module, attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(GROUPS.items())])


@click.command(cls=LazyGroup)
@click.version_option(package_name="kahriz-monitor")
def main() -> None:
    """Watch a kahriz: measure, keep every reading, raise the alarm, prove the repair."""
