"""`python -m deploy`: write the files of a cluster, or run a whole one on this machine's loopback."""

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from lineset.kit.errors import LinesetError
from rich.console import Console
from rich.markup import escape

from deploy.loopback import Loopback
from deploy.plan import read_plan
from deploy.writing import write as write_files

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Lineset on several machines.")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except LinesetError as error:
        err.print(f"[bold red]error[/] {escape(error.say)}")
        raise typer.Exit(1) from None


@app.command()
def write(
    plan: Annotated[Path, typer.Argument(help="The plan, such as deploy/cluster.toml.", exists=True, dir_okay=False)],
    folder: Annotated[Path, typer.Argument(help="Where to write: one folder for each machine, and one for the database.", file_okay=False)],
    data: Annotated[Path, typer.Option(help="Data folder whose secrets the cluster uses; made at first.")] = Path(".lineset"),
) -> None:
    """Write what each machine of a cluster needs. Run it again for new certificates: they last 90 days."""
    with _plainly():
        for made in write_files(read_plan(plan), data.absolute(), folder.absolute()):
            out.print(f"wrote {escape(str(made))}")
        out.print("These folders hold secrets. Copy them as docs/guides/cluster.md says, then delete them here.")


@app.command()
def loopback(
    keep: Annotated[Path | None, typer.Option(help="An empty folder for all files, to look at afterwards. Else they are deleted.")] = None,
) -> None:
    """Run a whole cluster on this machine's loopback until Ctrl-C. It forgets everything when it stops."""
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    with _plainly(), tempfile.TemporaryDirectory(prefix="lineset-cluster-", ignore_cleanup_errors=True) as passing:
        folder = (keep or Path(passing)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise LinesetError("folder_in_use", f"{folder} is not empty. Name a new folder.")
        folder.chmod(0o755)  # PostgreSQL runs as another user when we are root; what is secret has folders of mode 700
        cluster = Loopback(folder, tell=lambda text: out.print(f"[dim]{escape(text)}[/]"))
        try:
            said = cluster.up()
            _show(cluster, said)
            while not stop.wait(1.0):
                cluster.tend()
        finally:
            out.print("[dim]stopping[/]")
            cluster.down()


def _show(cluster: Loopback, said: list[str]) -> None:
    for name, url in cluster.web.items():
        out.print(f"{name:<12} [bold]{url}[/]")
    for machine in cluster.plan.machine:
        out.print(
            f"{machine.name + '/nats':<12} {machine.host}:{machine.mqtt_port} certificates, {machine.host}:{machine.mqtt_token_port} tokens"
        )
    out.print(f"{'postgres':<12} {cluster.plan.database.host}:{cluster.plan.database.port}, TLS only")
    out.print(f"{'s3':<12} {cluster.plan.history.endpoint} {cluster.plan.history.url}")
    out.print(f"{'processes':<12} " + ", ".join(f"{name} {process.pid}" for name, process in sorted(cluster.processes.items())))
    for line in said:
        out.print(escape(line))
    out.print("[bold green]ready[/]; kill what you like, it is started again. Ctrl-C stops all.")


if __name__ == "__main__":
    app()
