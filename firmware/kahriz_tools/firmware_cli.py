# SPDX-License-Identifier: MIT
"""`kahriz node firmware`: the official MicroPython, kept for a site, pinned for everybody."""

import datetime
from pathlib import Path

import rich_click as click

from kahriz_tools import node_config
from kahriz_tools.talk import EXIT_CODES, Talk, json_option

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def firmware() -> None:
    """The official MicroPython for this site's boards."""


@firmware.command(epilog=EXIT_CODES)
@click.option("--from", "source", help="A file or https address; without it: where it is.")
@click.option("--sha256", help="The sum that it must have, from somebody whom you trust.")
@click.option("--unpinned", is_flag=True, help="Believe a file whose sum nobody has compared.")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder; else here.")
@json_option
def fetch(
    source: str | None, sha256: str | None, unpinned: bool, site: Path, as_json: bool
) -> None:
    """Keep a MicroPython image in the site's folder, with its sum; nothing else is flashed.

    Refused where its sum is not pinned, unless --sha256 gives one or --unpinned says that you know.
    """
    from kahriz_tools import micropython, pins

    talk = Talk(as_json)
    with talk.mending():
        folder = node_config.site_folder(str(site))
        known = pins.load()
        if source is None:
            talk.say(f"official images: {micropython.PAGE} (ESP32, the newest .bin)")
            for pin in known:
                says = f"sha256 {pin.sha256}, {pin.words}" if pin.sha256 else "not pinned yet"
                talk.say(f"  {pin.url}: {says}")
            talk.say("then: kahriz node firmware fetch --from FILE-OR-ADDRESS [--sha256 SUM]")
            found = micropython.load(folder)
        else:
            found = micropython.keep(folder, source, sha256, unpinned)
        talk.say(f"{found.name}: sha256 {found.sha256}, {len(found.data)} bytes, whole")
        said = pins.banner(found.data)
        if said is not None:
            talk.say(f"it calls itself MicroPython {said[0]} of {said[1]}, {said[2]}")
        talk.say(found.trust)
        told = {"ok": True, "file": found.name, "sha256": found.sha256, "page": micropython.PAGE}
        talk.result(told | {"trust": found.trust, "pinned": found.pinned})


@firmware.command(epilog=EXIT_CODES)
@click.option(
    "--from",
    "sources",
    multiple=True,
    required=True,
    help="Twice: the official address, and a copy from another host or network.",
)
@click.option("--who", required=True, help="Who compares; it is written down.")
@click.option(
    "--pins", "path", type=click.Path(path_type=Path, dir_okay=False), help="Another pin file."
)
@json_option
def pin(sources: tuple[str, ...], who: str, path: Path | None, as_json: bool) -> None:
    """Write an official image's sum into the pin file: once, by a maintainer with Internet.

    Both copies must be the same bytes, whole, and call themselves the release of their name.
    """
    from kahriz_tools import pins

    talk = Talk(as_json)
    with talk.mending():
        if not who.strip():
            raise click.BadParameter("--who: a name")
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        found = pins.compare(sources, who.strip(), today)
        where = path or pins.FILE
        pins.save(found, where)
        talk.say(f"{found.name}: sha256 {found.sha256}, in {where}: commit it")
        talk.result({"ok": True, "file": found.name, "sha256": found.sha256, "pins": str(where)})
