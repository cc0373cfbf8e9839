"""The command `lineset`. What a command needs is imported when it runs, so that each process holds only its own."""

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from lineset.kit.errors import Invalid, LinesetError
from lineset.kit.ids import parse_id
from lineset.kit.settings import Settings, from_environment

if TYPE_CHECKING:
    from lineset.importing import Report

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Lineset: heating, cooling and hot water, watched and controlled from afar. Settings are LINESET_* variables (docs/guides).",
)

Data = Annotated[Path | None, typer.Option("--data", help="Data folder [LINESET_DATA; .lineset]")]
_STYLE = {"good": "bold green", "warning": "yellow", "error": "bold red", "critical": "bold red"}

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def _plainly(code: int = 1) -> Iterator[None]:
    """What went wrong as one clear message and this exit code; the trace only on demand."""
    try:
        yield
    except LinesetError as error:
        err.print(f"[bold red]error[/] {escape(error.say)}")
        raise typer.Exit(code) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except typer.Exit:
        raise
    except Exception as error:
        if os.environ.get("LINESET_DEBUG"):
            raise
        said = str(error).strip().splitlines() or [""]
        err.print(f"[bold red]error[/] {type(error).__name__}: {escape(said[0])} [dim](LINESET_DEBUG=1 shows the trace)[/]")
        raise typer.Exit(code) from None


def _settings(data: Path | None, **given: str | None) -> Settings:
    """Settings of the environment, over which options given on the command line win."""
    if data is not None:
        os.environ["LINESET_DATA"] = str(data)
    for name, value in given.items():
        if value is not None:
            os.environ[f"LINESET_{name.upper()}"] = value
    return from_environment()


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

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of every TLS connection that its peer ends
    with _plainly():
        settings = _settings(data, port=None if port is None else str(port), demo="1" if demo else None)
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
    with _plainly():
        settings = _role("web", data)
        from lineset.serving import serve  # noqa: PLC0415 - see the module

        serve(settings)


@app.command()
def ingest(data: Data = None) -> None:
    """Take in what devices send. Any number of these may run."""
    with _plainly():
        settings = _role("ingest", data)
        from lineset.ingest import serve  # noqa: PLC0415 - see the module

        serve(settings)


@app.command()
def worker(data: Data = None) -> None:
    """Do the jobs that wait. Any number of these may run."""
    with _plainly():
        settings = _role("worker", data)
        from lineset.worker import serve  # noqa: PLC0415 - see the module

        serve(settings)


@app.command(hidden=True)
def demo(data: Data = None) -> None:
    """Run the simulated homes of the demo; `lineset up --demo` does it."""
    with _plainly():
        settings = _role("demo", data)
        from lineset.demo import serve  # noqa: PLC0415 - see the module

        serve(settings)


def _role(name: str, data: Path | None) -> Settings:
    from lineset.kit.logs import configure  # noqa: PLC0415 - see the module

    configure(name)
    return _settings(data)


@app.command()
def migrate(data: Data = None) -> None:
    """Bring the database to this version of Lineset."""
    with _plainly():
        settings = _settings(data)
        with out.status("Migrating the database"):
            from lineset.migrating import migrate_here  # noqa: PLC0415 - see the module

            changed = migrate_here(settings)
        out.print("The database was brought to this version." if changed else "The database is at this version already.")


@app.command()
def prepare(data: Data = None) -> None:
    """Migrate, and print the operator's one-time link where nobody is the operator yet; `up` does it."""
    with _plainly():
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
    with _plainly():
        settings = _settings(data)
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
    with _plainly():
        settings = _settings(data)
        from lineset.importing import Report, Request, import_csv  # noqa: PLC0415 - see the module
        from lineset.platform import open_platform  # noqa: PLC0415
        from lineset.telemetry.recorded import FileMapping, read_mapping  # noqa: PLC0415

        request = Request(file, site, equipment, read_mapping(meta) if meta else FileMapping(), dry_run, skip_bad)

        logging.getLogger("asyncio").setLevel(logging.ERROR)  # as in `up`

        async def work() -> Report:
            with _progress() as show:
                async with open_platform(settings, "import") as platform:
                    return await import_csv(platform, request, show)

        _show_import(asyncio.run(work()), dry_run)


@contextlib.contextmanager
def _progress(what: str = "Reading", unit: str = "rows") -> Iterator[Callable[[float, int], None]]:
    """A bar; gives what to call with the part done (0 to 1) and how many of the unit so far."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - see the module

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn(f"{{task.fields[rows]:,}} {unit}"), TimeRemainingColumn()
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=1.0, rows=0)
        yield lambda done, rows: bar.update(task, completed=done, rows=rows)


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


policy_app = typer.Typer(no_args_is_help=True, help="The privacy policy and the terms of service, as the declarations make them.")
app.add_typer(policy_app, name="policy")


@policy_app.command("publish")
def publish(
    kind: Annotated[str, typer.Argument(help="policy or terms.")] = "policy",
    effective: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day (UTC) on which it takes effect.")] = None,
    data: Data = None,
) -> None:
    """Publish the text of this build. Refused while it is blank who runs this installation."""
    from lineset.pages.common.published import KINDS, publish_here  # noqa: PLC0415 - see the module
    from lineset.platform import open_platform  # noqa: PLC0415
    from lineset.privacy import Context, Purpose, System, policy  # noqa: PLC0415

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # as in `up`
    with _plainly():
        wanted = next((k for k in KINDS if k == kind), None)
        if wanted is None:
            raise Invalid("which", "Say policy or terms.")
        settings = _settings(data)

        day = effective.replace(tzinfo=UTC) if effective else None
        context = Context(System("setup"), Purpose.ADMINISTER)

        async def work() -> policy.Version:
            async with open_platform(settings, "policy") as platform, platform.door.open(context) as tx:
                return await publish_here(tx, platform.register, settings, wanted, day)

        version = asyncio.run(work())
        out.print(f"Published: {settings.url}/{kind}/versions/{version.digest[:12]} [dim]from {version.effective_at:%Y-%m-%d %H:%M} UTC[/]")
        for change in version.changes:
            out.print(f"  {escape(change.said('en'))}")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data: Data = None,
) -> None:
    """Say what runs. Exit code 0 when everything does, 1 otherwise."""
    from lineset.embedded.report import report  # noqa: PLC0415 - see the module

    with _plainly():
        told = report(_settings(data))
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


@app.command()
def review(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep it as evidence, for the console.")] = True,
    data: Data = None,
) -> None:
    """Print the dated review: access, retention, keys, dependencies, and the measures that the operator states."""
    from lineset import reviewing  # noqa: PLC0415 - see the module

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # as in `up`
    styles = {"head": "bold", "attention": "yellow"}
    with _plainly():
        made = reviewing.run(_settings(data), keep=keep)
        if as_json:
            typer.echo(msgspec.json.encode(made).decode())
            return
        for style, line in reviewing.told(made):
            out.print(f"[{styles[style]}]{escape(line)}[/]" if style in styles else escape(line))


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

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # as in `up`
    with _plainly():
        settings = _settings(data)
        with _progress("Checking" if verify else "Writing", "bytes") as show:
            if verify:
                told = check(settings, file, keys, show).lines()
            else:
                told = asyncio.run(take(settings, file, keys or file.with_name(f"{file.name}.keys"), show)).lines()
        _say(told)


@app.command("backup-keys")
def backup_keys(file: Annotated[Path, typer.Argument(help="Where to write it.", dir_okay=False)], data: Data = None) -> None:
    """Write a copy of the keys alone, with the marks of what was erased. Do so often: what is erased later comes back with an old one."""
    from lineset.backup import take_keys  # noqa: PLC0415 - see the module

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # as in `up`
    with _plainly():
        _say(asyncio.run(take_keys(_settings(data), file)).lines())


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.", dir_okay=False)],
    keys: Annotated[Path | None, typer.Option(help="The copy of the keys, where the key store itself is lost.", dir_okay=False)] = None,
    data: Data = None,
) -> None:
    """Restore a backup into an empty installation that has the folder `secrets`. What was erased since does not come back."""
    from lineset.backup import restore as work  # noqa: PLC0415 - see the module

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # as in `up`
    with _plainly():
        settings = _settings(data)
        with _progress("Restoring", "chunks") as show:
            done = asyncio.run(work(settings, file, keys, show))
        _say(done.lines())


def _say(lines: Iterable[tuple[str, str]]) -> None:
    """Lines with a style each."""
    for style, line in lines:
        out.print(f"[{style}]{escape(line)}[/]" if style else escape(line))


@app.command("verify-erasure")
def verify_erasure(
    record: Annotated[Path | None, typer.Option(help="Before the erasure: write what is found to this file.", dir_okay=False)] = None,
    against: Annotated[Path | None, typer.Option(help="After it: search again for what this record names.", dir_okay=False)] = None,
    canary: Annotated[list[str] | None, typer.Option(help="A text or number that stands in what is to be erased.")] = None,
    canaries: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="More canaries.")] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(help="A tier on which each must be found (broker, hot, history, exports, logs, rest). Repeat for several."),
    ] = None,
    data: Data = None,
) -> None:
    """Prove that erased bytes are gone: search every tier before an erasure and after it.

    Exit codes: 0 proven; 1 something is still found; 2 it had not been found before, so nothing is proven; 3 something can't be searched.
    """
    from lineset import probing  # noqa: PLC0415 - see the module

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # as in `up`
    texts = [*(canary or ()), *(canaries or ())]
    with _plainly(3):
        if (record is None) == (against is None):
            raise Invalid("which", "Give --record FILE before an erasure, or --against FILE after it.")
        settings = _settings(data)
        with _progress("Searching", "bytes") as show:
            if record is not None:
                outcome = probing.record(settings, record, texts, expect or (), show)
            elif against is not None:
                outcome = probing.verify(settings, against, texts, show)
    _say(outcome.lines())
    raise typer.Exit(outcome.code)


audit_app = typer.Typer(no_args_is_help=True, help="The access log: who of the others saw or changed a home.")
app.add_typer(audit_app, name="audit")


@audit_app.command("export")
def audit_export(file: Annotated[Path, typer.Argument(help="Where to write it.", dir_okay=False)], data: Data = None) -> None:
    """Write the whole log into a file that anybody can check."""
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # as in `up`
    with _plainly():
        from lineset import auditing  # noqa: PLC0415 - see the module

        out.print(f"{auditing.export(_settings(data), file):,} entries in {escape(str(file))}")


@audit_app.command("verify")
def audit_verify(
    file: Annotated[Path, typer.Argument(help="What `lineset audit export` wrote.", exists=True, dir_okay=False)],
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint kept from before.", exists=True, dir_okay=False)] = None,
    key: Annotated[str, typer.Option(help="The platform's public key (/.well-known/lineset-audit.json); else the file's own.")] = "",
) -> None:
    """Check such a file; needs no database. Exit codes: 0 nothing was changed; 1 something was; 2 it can't be read."""
    with _plainly(2):
        from lineset import auditing  # noqa: PLC0415 - see the module

        verdict, known = auditing.check(file, key, checkpoint)
    for fault in verdict.faults:
        out.print(f"[bold red]{escape(fault)}[/]")
    if not known:
        out.print("[yellow]checked with the key in the file itself; give --key to know whose log it is[/]")
    said = "nothing was changed" if verdict.good else "the log was changed"
    out.print(f"[bold]{verdict.leaves:,} places, {verdict.entries:,} entries, {verdict.checkpoints:,} checkpoints: {said}[/]")
    raise typer.Exit(0 if verdict.good else 1)


@audit_app.command("prove")
def audit_prove(
    entry: Annotated[str | None, typer.Option(help="The id of an entry: prove that it is in the log.")] = None,
    since: Annotated[int | None, typer.Option(min=1, help="The size of an old checkpoint: prove that its log only grew.")] = None,
    data: Data = None,
) -> None:
    """Print a proof as JSON; without an option the newest checkpoint."""
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # as in `up`
    with _plainly():
        from lineset import auditing  # noqa: PLC0415 - see the module

        wanted = parse_id(entry) if entry else None
        if entry and wanted is None:
            raise Invalid("bad_id", f"{entry!r} is no id of an entry.", "entry")
        typer.echo(auditing.prove(_settings(data), wanted, since))


if __name__ == "__main__":
    sys.exit(app())
