"""Commands that copy everything and bring it back."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from lineset.cli.shared import Data, app, plainly, progress, quieten, say, settings_of


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; with --verify: the backup to check.", dir_okay=False)],
    keys: Annotated[Path | None, typer.Option(help="The copy of the keys [FILE.keys]. Keep it apart from FILE.", dir_okay=False)] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check a backup (with --keys: all that they open) and write nothing.")] = False,
    data: Data = None,
) -> None:
    """Write a backup of everything while the platform runs, and apart from it a copy of the keys that open it."""
    from lineset.backup import take  # noqa: PLC0415 - see the module
    from lineset.backup import verify as check  # noqa: PLC0415 - see the module

    quieten()
    with plainly():
        settings = settings_of(data)
        with progress("Checking" if verify else "Writing", "bytes") as show:
            if verify:
                told = check(settings, file, keys, show).lines()
            else:
                told = asyncio.run(take(settings, file, keys or file.with_name(f"{file.name}.keys"), show)).lines()
        say(told)


@app.command("backup-keys")
def backup_keys(file: Annotated[Path, typer.Argument(help="Where to write it.", dir_okay=False)], data: Data = None) -> None:
    """Write a copy of the keys alone, with the marks of what was erased. Do so often: what is erased later comes back with an old one."""
    from lineset.backup import take_keys  # noqa: PLC0415 - see the module

    quieten()
    with plainly():
        say(asyncio.run(take_keys(settings_of(data), file)).lines())


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.", dir_okay=False)],
    keys: Annotated[Path | None, typer.Option(help="The copy of the keys, where the key store itself is lost.", dir_okay=False)] = None,
    data: Data = None,
) -> None:
    """Restore a backup into an empty installation that has the folder `secrets`. What was erased since does not come back."""
    from lineset.backup import restore as work  # noqa: PLC0415 - see the module

    quieten()
    with plainly():
        settings = settings_of(data)
        with progress("Restoring", "chunks") as show:
            done = asyncio.run(work(settings, file, keys, show))
        say(done.lines())
