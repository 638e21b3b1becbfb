# SPDX-License-Identifier: MIT
"""`kahriz node release`: make the signing key, sign a program for the way over the air."""

from pathlib import Path
from typing import NoReturn

import rich_click as click

from kahriz_tools.errors import BenchError

FILE = click.Path(dir_okay=False, path_type=Path)
HERE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def release() -> None:
    """The node's program, signed, for `kahriz gateway ota offer`."""


@release.command("key")
@click.argument("file", type=FILE)
@click.option("--public", type=FILE, help="Write the public half here too.")
def key(file: Path, public: Path | None) -> None:
    """Make a private key in FILE (once; keep it off the gateway, keep a copy)."""
    from kahriz_tools import release as work

    try:
        work.make_key(file)
        if public is not None:
            public.write_bytes(work.public_pem(file))
    except BenchError as error:
        _end(error)
    click.echo(f"{file}: keep it; nodes take its half by `kahriz node flash --release-key {file}`")


@release.command("sign")
@click.option("--key", "key_file", type=HERE, required=True, help="The private key.")
@click.option("--out", type=FILE, required=True, help="The release, for the gateway.")
@click.option("--version", help="Such as 0.1.1; without it the program's own. It must grow.")
@click.option("--driver", "drivers", multiple=True, help="Only these sensor drivers; else all.")
@click.option("--bundle", type=HERE, help="Sign what lies in this file; nothing is compiled.")
def sign(
    key_file: Path,
    out: Path,
    version: str | None,
    drivers: tuple[str, ...],
    bundle: Path | None,
) -> None:
    """Compile the program, or take it out of a bundle, and sign it."""
    from kahriz_tools import bundle as bundles
    from kahriz_tools import release as work

    if bundle is not None and (version or drivers):
        raise click.UsageError("a bundle has its version and drivers: leave them out")
    try:
        key = work.load_key(key_file)
        if bundle is None:
            made = work.make(key, version, drivers or None)
        else:
            its_version, files = bundles.read(bundle)
            made = work.pack(key, files, its_version)
    except BenchError as error:
        _end(error)
    out.write_bytes(made.data)
    click.echo(
        f"{out}: {made.version} (number {made.number}), {made.files} files, {len(made.data)} bytes"
    )


@release.command("bundle")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder or a file.")
@click.option("--version", help="Such as 0.1.1; without it the program's own.")
@click.option("--driver", "drivers", multiple=True, help="Only these sensor drivers; else all.")
def bundle_(out: Path, version: str | None, drivers: tuple[str, ...]) -> None:
    """Compile the program into one file with its sums and its list of parts, unsigned."""
    from kahriz_node import stamp
    from kahriz_tools import bundle as bundles

    try:
        data = bundles.make(version, drivers or None)
    except BenchError as error:
        _end(error)
    if out.is_dir():
        out /= f"kahriz-node-{version or stamp.VERSION}.zip"
    out.write_bytes(data)
    click.echo(f"{out}: {len(data)} bytes")


def _end(error: BenchError) -> NoReturn:
    click.echo(f"kahriz node: {error}", err=True)
    raise SystemExit(error.code)
