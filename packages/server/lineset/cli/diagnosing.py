"""Commands that find faults, in stored history or in files."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
import typer
from rich.markup import escape

from lineset.cli.shared import Data, app, out, plainly, progress, quieten, settings_of
from lineset.kit.errors import Invalid
from lineset.kit.settings import Settings

if TYPE_CHECKING:
    from lineset.diagnostics.recorded import Said

AsJson = Annotated[bool, typer.Option("--json", help="For programs: one object a line.")]


@app.command()
def diagnose(
    parquet: Annotated[
        Path | None, typer.Option(help="A recording of many machines: columns machine, t and points.", exists=True, dir_okay=False)
    ] = None,
    machines: Annotated[Path | None, typer.Option(help="JSON list of the machines of --parquet.", exists=True, dir_okay=False)] = None,
    norms: Annotated[
        Path | None, typer.Option(help="With --parquet: what `lineset learn` wrote of these makes.", exists=True, dir_okay=False)
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="A recording of one machine.", exists=True, dir_okay=False)] = None,
    equipment: Annotated[str, typer.Option(help="With --csv: its type (heat_pump_air_air …).")] = "",
    meta: Annotated[
        Path | None, typer.Option(help="With --csv: JSON file that says what its columns hold.", exists=True, dir_okay=False)
    ] = None,
    site: Annotated[str, typer.Option(help="Id of a site: diagnose its stored history and store what is found.")] = "",
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="With --site: from this day (UTC) on [all]")] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Find faults: at a site, or in recorded files, of which nothing is stored."""
    with plainly():
        if site:
            lines = asyncio.run(_of_site(settings_of(data), _site(site), since))
        elif parquet is not None:
            lines = _of_fleet(parquet, machines, norms)
        elif csv is not None:
            lines = _of_machine(csv, equipment, meta)
        else:
            raise Invalid("which", "Say what to diagnose: --site ID, --parquet FILE --machines FILE, or --csv FILE --equipment TYPE.")
        show(lines, as_json)


@app.command()
def learn(
    parquet: Annotated[Path, typer.Argument(help="A recording of many sites: columns machine, t and points.", exists=True, dir_okay=False)],
    machines: Annotated[Path, typer.Argument(help="JSON list of its machines.", exists=True, dir_okay=False)],
) -> None:
    """Learn from a recorded fleet how its makes differ from their kinds, for `lineset diagnose --norms`. Prints JSON; stores nothing.

    Of the platform's own fleet the same is learnt each week, from households that say yes."""
    from lineset.diagnostics import recorded  # noqa: PLC0415 - each process holds only its own

    with plainly(), progress() as tell:
        typer.echo(recorded.write_norms(recorded.learn_parquet(parquet, recorded.read_machines(machines), tell)), nl=False)


@app.command()
def findings(
    site: Annotated[str, typer.Option(help="Id of a site; without it all sites.")] = "",
    still: Annotated[bool, typer.Option("--open", help="Only those that are not closed.")] = False,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """List the faults that were found."""
    with plainly():
        show(asyncio.run(_stored(settings_of(data), _site(site) if site else None, open_only=still)), as_json)


@app.command()
def backtest(
    detector: Annotated[str, typer.Argument(help="Name of the detector that was changed.")],
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day (UTC) on [all]")] = None,
    data: Data = None,
) -> None:
    """Say what a changed detector would open and close over stored history, one JSON object a line. Nothing is stored."""
    with plainly():
        asyncio.run(_backtest(settings_of(data), detector, since))


async def _backtest(settings: Settings, detector: str, since: datetime | None) -> None:
    from lineset import diagnostics  # noqa: PLC0415 - as below
    from lineset.platform import open_platform  # noqa: PLC0415 - as below

    quieten()
    async with open_platform(settings, "backtest") as platform:
        async for line in diagnostics.backtest(platform.door, detector, since.replace(tzinfo=UTC) if since else None):
            typer.echo(msgspec.json.encode(line).decode())


def _site(text: str) -> UUID:
    from lineset.kit.ids import parse_id  # noqa: PLC0415 - each process holds only its own

    found = parse_id(text)
    if found is None:
        raise Invalid("bad_id", f"{text} is not the id of a site.")
    return found


async def _of_site(settings: Settings, site: UUID, since: datetime | None) -> list[dict[str, Any]]:
    from lineset import diagnostics  # noqa: PLC0415 - as above
    from lineset.platform import open_platform  # noqa: PLC0415 - as above

    quieten()
    async with open_platform(settings, "diagnose") as platform:
        await diagnostics.look_at_site(platform.door, site, since.replace(tzinfo=UTC) if since else None)
    return await _stored(settings, site, open_only=False)


async def _stored(settings: Settings, site: UUID | None, *, open_only: bool) -> list[dict[str, Any]]:
    from lineset import diagnostics  # noqa: PLC0415 - as above
    from lineset.platform import open_platform  # noqa: PLC0415 - as above

    quieten()
    async with open_platform(settings, "findings") as platform, platform.door.open(diagnostics.DIAGNOSE) as tx:
        return diagnostics.findings_said(await diagnostics.list_findings(tx, site=site, open_only=open_only))


def _of_fleet(path: Path, machines: Path | None, norms: Path | None) -> list[dict[str, Any]]:
    from lineset.diagnostics import recorded  # noqa: PLC0415 - each process holds only its own

    if machines is None:
        raise Invalid("which", "Say with --machines which machines the recording is of.")
    with progress() as tell:
        known = None if norms is None else recorded.read_norms(norms)
        return _lines(recorded.diagnose_parquet(path, recorded.read_machines(machines), progress=tell, known=known))


def _of_machine(path: Path, kind: str, meta: Path | None) -> list[dict[str, Any]]:
    from lineset_contract.profiles import PROFILES  # noqa: PLC0415 - each process holds only its own

    from lineset.diagnostics import recorded  # noqa: PLC0415 - as above
    from lineset.diagnostics.machine import Machine  # noqa: PLC0415 - as above
    from lineset.telemetry.recorded import FileMapping, read_mapping  # noqa: PLC0415 - as above

    if kind not in PROFILES:
        raise Invalid("unknown_type", f"Say with --equipment what it is: {', '.join(sorted(PROFILES))}.")
    mapping = read_mapping(meta) if meta else FileMapping()
    machine = Machine(
        mapping.name or path.stem,
        kind,
        make=mapping.make,
        model=mapping.model,
        capacity_w=mapping.capacity_w or 0.0,
        time_zone=mapping.time_zone or "UTC",
    )
    return _lines(recorded.diagnose_csv(path, machine, mapping))


def _lines(said: "Iterable[Said]") -> list[dict[str, Any]]:
    from lineset.diagnostics.recorded import line  # noqa: PLC0415 - as above

    return [line(each.machine.site, each.machine.id, each.found) for each in said]


def show(lines: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Findings, one a line."""
    for each in lines:
        if as_json:
            typer.echo(msgspec.json.encode(each).decode())
            continue
        others = [c["fault"] for c in each["candidates"] if c["fault"] != each["fault"]]
        or_else = f" [dim]or {escape(', '.join(others))}[/]" if others else ""
        until = f" to {each['closed']}" if each["closed"] else ""
        out.print(
            f"{escape(each['equipment'])}  [bold]{each['fault']}[/]{or_else}  {each['confidence']:.0%}  [dim]{each['opened']}{until}[/]"
        )
    if not as_json and not lines:
        out.print("Nothing was found.")
