"""Commands that start things, bring data in, and say what runs."""

import asyncio
import contextlib
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from lineset.cli.shared import Data, app, out, plainly, progress, quieten, settings_of
from lineset.kit.settings import Settings

if TYPE_CHECKING:
    from lineset.importing import Report

_STYLE = {"good": "bold green", "warning": "yellow", "error": "bold red", "critical": "bold red"}


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo", help="Run a fleet of simulated homes with people and contractors.")] = False,
    port: Annotated[int | None, typer.Option("--port", help="Port of the web pages [LINESET_PORT; 8000]")] = None,
    data: Data = None,
    ingest: Annotated[int, typer.Option(min=1, max=16, help="How many ingest processes.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=16, help="How many worker processes.")] = 1,
) -> None:
    """Start everything on this machine: database, broker, web pages, ingestion, jobs. Ctrl-C stops it."""
    from lineset.embedded.supervisor import Plan, Supervisor  # noqa: PLC0415 - see the module

    quieten()
    with plainly():
        settings = settings_of(data, port=None if port is None else str(port), demo="1" if demo else None)
        code = Supervisor(settings, Plan(ingest, workers, settings.demo), _tell).run()
        raise typer.Exit(code)


def _tell(level: str, who: str, text: str) -> None:
    style = _STYLE.get(level, "")
    shown = f"[{style}]{escape(text)}[/]" if style else escape(text)
    # a terminal that has gone must not end what runs
    with contextlib.suppress(OSError, ValueError):
        out.print(f"[dim]{datetime.now():%H:%M:%S}[/] [cyan]{who:<10}[/] {shown}")  # noqa: DTZ005 - a person's wall clock


@app.command()
def web(data: Data = None) -> None:
    """Serve the web pages and the REST API in this process and its children."""
    with plainly():
        settings = _role("web", data)
        from lineset.serving import serve  # noqa: PLC0415 - see the module

        serve(settings)


@app.command()
def ingest(data: Data = None) -> None:
    """Take in what devices send. Any number of these may run."""
    with plainly():
        settings = _role("ingest", data)
        from lineset.ingest import serve  # noqa: PLC0415 - see the module

        serve(settings)


@app.command()
def worker(data: Data = None) -> None:
    """Do the jobs that wait. Any number of these may run."""
    with plainly():
        settings = _role("worker", data)
        from lineset.worker import serve  # noqa: PLC0415 - see the module

        serve(settings)


@app.command(hidden=True)
def demo(data: Data = None) -> None:
    """Run the simulated homes of the demo; `lineset up --demo` does it."""
    with plainly():
        settings = _role("demo", data)
        from lineset.demo import serve  # noqa: PLC0415 - see the module

        serve(settings)


def _role(name: str, data: Path | None) -> Settings:
    from lineset.kit.logs import configure  # noqa: PLC0415 - see the module

    configure(name)
    return settings_of(data)


@app.command()
def migrate(data: Data = None) -> None:
    """Bring the database to this version of Lineset."""
    with plainly():
        settings = settings_of(data)
        with out.status("Migrating the database"):
            from lineset.migrating import migrate_here  # noqa: PLC0415 - see the module

            changed = migrate_here(settings)
        out.print("The database was brought to this version." if changed else "The database is at this version already.")


@app.command()
def prepare(data: Data = None) -> None:
    """Migrate, and print the operator's one-time link where nobody is the operator yet; `up` does it."""
    with plainly():
        settings = _role("prepare", data)
        from lineset.preparing import prepare as work  # noqa: PLC0415 - see the module

        for line in work(settings):
            typer.echo(line)


@app.command("nats-config")
def nats_config(
    folder: Annotated[Path, typer.Argument(help="Where to write configurations, certificate and key.", file_okay=False)],
    host: Annotated[list[str], typer.Option(help="Name or address by which others reach this machine. Repeat for several.")],
    name: Annotated[str, typer.Option(help="Name of this server, different on each machine.")] = "hub",
    listen: Annotated[str, typer.Option(help="Address to listen on.")] = "0.0.0.0",  # noqa: S104 - a server of one's own serves others
    client_port: Annotated[int, typer.Option(help="Port for Lineset's own processes.")] = 4222,
    leaf_port: Annotated[int, typer.Option(help="Port for the token server, on loopback.")] = 7422,
    cluster_port: Annotated[int, typer.Option(help="Port for the other servers of a cluster.")] = 6222,
    route: Annotated[list[str] | None, typer.Option(help="host:port of another server of the cluster. Repeat for each.")] = None,
    data: Data = None,
) -> None:
    """Write what a NATS server of your own needs to serve this installation (LINESET_NATS_URL)."""
    with plainly():
        settings = settings_of(data)
        from lineset.embedded.nats_config import Layout, write_files  # noqa: PLC0415 - see the module

        here = folder.absolute()
        layout = Layout(
            folder=here,
            store=here / "store",
            mqtt=settings.mqtt_port,
            token=settings.mqtt_token_port,
            client=client_port,
            leaf=leaf_port,
            name=name,
            bind=listen,
            inner=listen,
            known=host[0],
            cluster_port=cluster_port,
            routes=tuple(route or ()),
        )
        for path in write_files(settings, here, layout, host):
            out.print(f"wrote {escape(str(path))}")
        out.print(f"Run [bold]nats-server -c {here}/hub.conf[/] and [bold]nats-server -c {here}/token.conf[/] there.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV file: a time column, one column a point.", exists=True, dir_okay=False, readable=True)],
    site: Annotated[str, typer.Option(help="Name or id of the site; made if it is not there.")],
    equipment: Annotated[str, typer.Option(help="Type of the machine (heat_pump_air_air …), or name or id of one at the site.")],
    meta: Annotated[Path | None, typer.Option(help="JSON file that says what the columns hold.", exists=True, dir_okay=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be loaded.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out rows that can't be used, and load the rest.")] = False,
    data: Data = None,
) -> None:
    """Load recorded history from a CSV file."""
    with plainly():
        settings = settings_of(data)
        from lineset.importing import Report, Request, import_csv  # noqa: PLC0415 - see the module
        from lineset.platform import open_platform  # noqa: PLC0415
        from lineset.telemetry.recorded import FileMapping, read_mapping  # noqa: PLC0415

        request = Request(file, site, equipment, read_mapping(meta) if meta else FileMapping(), dry_run, skip_bad)

        quieten()

        async def work() -> Report:
            with progress() as show:
                async with open_platform(settings, "import") as platform:
                    return await import_csv(platform, request, show)

        _show_import(asyncio.run(work()), dry_run)


def _show_import(report: "Report", dry_run: bool) -> None:
    for head, point in report.columns.items():
        out.print(f"  {escape(head)} [dim]is[/] {escape(point)}")
    for head in report.left_out:
        out.print(f"  [yellow]{escape(head)} is left out[/]")
    for row in report.bad[:20]:
        out.print(f"[yellow]line {row.line}: {escape(row.why)}[/]")
    if len(report.bad) > 20:
        out.print(f"[yellow]… and {len(report.bad) - 20:,} more rows that can't be used[/]")
    for made in report.made:
        out.print(f"made {escape(made)}")
    span = f" from {report.first:%Y-%m-%d %H:%M} to {report.last:%Y-%m-%d %H:%M} UTC" if report.first and report.last else ""
    out.print(f"[bold]{report.rows:,} rows {'would be' if dry_run else 'were'} loaded[/]{span}")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data: Data = None,
) -> None:
    """Say what runs. Exit code 0 when everything does, 1 otherwise."""
    from lineset.embedded.report import report  # noqa: PLC0415 - see the module

    with plainly():
        told = report(settings_of(data))
        if as_json:
            typer.echo(json.dumps(told, indent=2))
        else:
            _show(told)
        raise typer.Exit(0 if told["ready"] else 1)


def _show(told: dict[str, Any]) -> None:
    from rich.table import Table  # noqa: PLC0415 - see the module

    if not told["running"]:
        out.print(f"Lineset does not run on {told['data']}. Start it with [bold]lineset up[/].")
        return
    out.print(f"{told['web']}  [bold]{told['state']}[/]  [dim]{told['data']}, process {told['pid']}[/]")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("process", "state", "pid", "memory", "restarts"):
        table.add_column(head, justify="left" if head in ("process", "state") else "right")
    for role in told["roles"]:
        memory = "" if role["memory_mb"] is None else f"{role['memory_mb']} MB"
        table.add_row(role["name"], role["state"], str(role["pid"] or ""), memory, str(role["restarts"]))
    out.print(table)
    for part, said in told["parts"].items():
        if not said.startswith(("ok", "{")):
            out.print(f"[bold red]{part}[/] {escape(said)}")
