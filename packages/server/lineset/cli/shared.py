"""What all commands share: the application, how it speaks, where its settings come from."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from lineset.kit.errors import LinesetError
from lineset.kit.settings import Settings, from_environment

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Lineset: heating, cooling and hot water, watched and controlled from afar. Settings are LINESET_* variables (docs/guides).",
)

Data = Annotated[Path | None, typer.Option("--data", help="Data folder [LINESET_DATA; .lineset]")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def plainly(code: int = 1) -> Iterator[None]:
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


def settings_of(data: Path | None, **given: str | None) -> Settings:
    """Settings of the environment, over which options given on the command line win."""
    if data is not None:
        os.environ["LINESET_DATA"] = str(data)
    for name, value in given.items():
        if value is not None:
            os.environ[f"LINESET_{name.upper()}"] = value
    return from_environment()


@contextlib.contextmanager
def progress(what: str = "Reading", unit: str = "rows") -> Iterator[Callable[[float, int], None]]:
    """A bar; gives what to call with the part done (0 to 1) and how many of the unit so far."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - see the module

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn(f"{{task.fields[rows]:,}} {unit}"), TimeRemainingColumn()
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=1.0, rows=0)
        yield lambda done, rows: bar.update(task, completed=done, rows=rows)


def say(lines: Iterable[tuple[str, str]]) -> None:
    """Lines with a style each."""
    for style, line in lines:
        out.print(f"[{style}]{escape(line)}[/]" if style else escape(line))


def quieten() -> None:
    """Keep asyncio from warning of every TLS connection that its peer ends."""
    logging.getLogger("asyncio").setLevel(logging.ERROR)
