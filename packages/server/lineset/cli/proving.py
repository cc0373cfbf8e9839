"""Commands for whoever answers for privacy: texts, reviews, proofs."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from lineset.cli.shared import Data, app, out, plainly, progress, quieten, say, settings_of
from lineset.kit.errors import Invalid
from lineset.kit.ids import parse_id

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

    quieten()
    with plainly():
        wanted = next((k for k in KINDS if k == kind), None)
        if wanted is None:
            raise Invalid("which", "Say policy or terms.")
        settings = settings_of(data)

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
def review(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep it as evidence, for the console.")] = True,
    data: Data = None,
) -> None:
    """Print the dated review: access, retention, keys, dependencies, and the measures that the operator states."""
    from lineset import reviewing  # noqa: PLC0415 - see the module

    quieten()
    styles = {"head": "bold", "attention": "yellow"}
    with plainly():
        made = reviewing.run(settings_of(data), keep=keep)
        if as_json:
            typer.echo(msgspec.json.encode(made).decode())
            return
        for style, line in reviewing.told(made):
            out.print(f"[{styles[style]}]{escape(line)}[/]" if style in styles else escape(line))


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

    quieten()
    texts = [*(canary or ()), *(canaries or ())]
    with plainly(3):
        if (record is None) == (against is None):
            raise Invalid("which", "Give --record FILE before an erasure, or --against FILE after it.")
        settings = settings_of(data)
        with progress("Searching", "bytes") as show:
            if record is not None:
                outcome = probing.record(settings, record, texts, expect or (), show)
            elif against is not None:
                outcome = probing.verify(settings, against, texts, show)
    say(outcome.lines())
    raise typer.Exit(outcome.code)


audit_app = typer.Typer(no_args_is_help=True, help="The access log: who of the others saw or changed a home.")
app.add_typer(audit_app, name="audit")


@audit_app.command("export")
def audit_export(file: Annotated[Path, typer.Argument(help="Where to write it.", dir_okay=False)], data: Data = None) -> None:
    """Write the whole log into a file that anybody can check."""
    quieten()
    with plainly():
        from lineset import auditing  # noqa: PLC0415 - see the module

        out.print(f"{auditing.export(settings_of(data), file):,} entries in {escape(str(file))}")


@audit_app.command("verify")
def audit_verify(
    file: Annotated[Path, typer.Argument(help="What `lineset audit export` wrote.", exists=True, dir_okay=False)],
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint kept from before.", exists=True, dir_okay=False)] = None,
    key: Annotated[str, typer.Option(help="The platform's public key (/.well-known/lineset-audit.json); else the file's own.")] = "",
) -> None:
    """Check such a file; needs no database. Exit codes: 0 nothing was changed; 1 something was; 2 it can't be read."""
    with plainly(2):
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
    quieten()
    with plainly():
        from lineset import auditing  # noqa: PLC0415 - see the module

        wanted = parse_id(entry) if entry else None
        if entry and wanted is None:
            raise Invalid("bad_id", f"{entry!r} is no id of an entry.", "entry")
        typer.echo(auditing.prove(settings_of(data), wanted, since))
