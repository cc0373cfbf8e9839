"""lineset-agent: enrol a gateway, run it, see what its buffer holds."""

import asyncio
import json
import logging
import signal
import sqlite3
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from lineset_agent import __version__, crash
from lineset_agent.config import STORE_FILE, AgentConfig, ConfigError, load_identity, load_settings
from lineset_agent.drivers import CommandDriver
from lineset_agent.enrol import EnrolError, enrol, keep_token
from lineset_agent.runtime import Agent
from lineset_agent.store import StoreError

app = typer.Typer(help="The on-site gateway of Lineset.", no_args_is_help=True, pretty_exceptions_enable=False)

T = TypeVar("T")
Data = Annotated[Path, typer.Option("--data", help="Folder for identity and buffer.", envvar="LINESET_AGENT_DATA")]
DEFAULT_DATA = Path("lineset-agent")


@app.command("enrol")
def enrol_command(
    server: Annotated[str, typer.Option(help="Address of the cloud, for example https://lineset.example.org.")],
    code: Annotated[str, typer.Option(help="The claim code shown on the site's page.")],
    data: Data = DEFAULT_DATA,
    ca: Annotated[Path | None, typer.Option(help="Certificate of a private authority to trust for the cloud.")] = None,
) -> None:
    """Turn a claim code into this gateway's identity."""
    identity = _or_fail(enrol(server, code, data, ca))
    typer.echo(f"Enrolled as {identity.gateway}. Start it with: lineset-agent run --data {data}")


@app.command("use-token")
def use_token(
    gateway: Annotated[str, typer.Option(help="The gateway's id.")],
    host: Annotated[str, typer.Option(help="Host of the cloud's MQTT over TLS.")],
    port: Annotated[int, typer.Option(help="Its port for tokens.")] = 8884,
    server: Annotated[str, typer.Option(help="Address of the cloud.")] = "",
    data: Data = DEFAULT_DATA,
    ca: Annotated[Path | None, typer.Option(help="Certificate of a private authority to trust for the cloud.")] = None,
) -> None:
    """Use a token instead of a certificate. The token is read from standard input, so that no list of processes shows it."""
    token = sys.stdin.readline().strip()
    if not token:
        _fail("No token came on standard input. Try: lineset-agent use-token ... < token.txt")
    try:
        keep_token(server, gateway, token, host, port, data, ca)
    except EnrolError as error:
        _fail(str(error))
    typer.echo(f"Kept. Start it with: lineset-agent run --data {data}")


@app.command()
def run(data: Data = DEFAULT_DATA, verbose: Annotated[bool, typer.Option(help="Say more.")] = False) -> None:
    """Read the machines and keep them joined to the cloud, until interrupted."""
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        identity, settings = load_identity(data), load_settings(data)
        if settings.driver is None:
            _fail(f'{data / "agent.toml"} names no driver. Put in it:\n[driver]\ncommand = ["/path/to/program"]')
    except ConfigError as error:
        _fail(str(error))
    config = AgentConfig(
        identity,
        data,
        poll_interval=settings.poll_interval,
        read_timeout=settings.driver.timeout + 5,
        buffer_bytes=settings.buffer_megabytes << 20,
        limits=settings.limits,
        servers=settings.servers,
    )
    recent = crash.Recent()
    logging.getLogger("lineset_agent").addHandler(recent)
    agent = Agent(config, CommandDriver(settings.driver.command, settings.driver.timeout), recent=recent.lines)
    try:
        _or_fail(_until_told(agent))
    except Exception as error:
        logging.getLogger(__name__).exception("the agent failed")
        say = f"The agent stopped by a fault of its own ({type(error).__name__}). A report is kept in {data / crash.FILE}"
        typer.secho(f"{say} and is sent at the next start: lineset-agent run --data {data}", err=True, fg=typer.colors.RED)
        raise typer.Exit(70) from error  # EX_SOFTWARE: a supervisor starts it again


@app.command()
def status(data: Data = DEFAULT_DATA, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """What the buffer holds, also while the agent runs."""
    path = data / STORE_FILE
    if not path.exists():
        _fail(f"{path} does not exist: the agent has not run with this folder yet.")
    try:
        found = _status(path)
    except sqlite3.Error as error:
        _fail(f"{path} cannot be read ({error}).")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, value in found.items():
        shown = datetime.fromtimestamp(value, UTC).isoformat(" ", "seconds") if name in {"oldest", "newest"} and value else value
        typer.echo(f"{name.replace('_', ' '):<16} {'none' if shown is None else shown}")


@app.command()
def version() -> None:
    """The agent's version."""
    typer.echo(__version__)


def _status(path: Path) -> dict[str, Any]:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    try:
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        held = connection.execute(
            "SELECT count(*), coalesce(sum(frames), 0), coalesce(sum(length(payload)), 0), min(oldest), max(newest) FROM messages"
        ).fetchone()
        parcels = connection.execute("SELECT count(*) FROM outbox").fetchone()
    finally:
        connection.close()
    return {
        "epoch": meta.get("epoch"),
        "messages": held[0],
        "frames": held[1],
        "bytes": held[2],
        "oldest": held[3],
        "newest": held[4],
        "parcels": parcels[0],
        "dropped_frames": int(meta.get("dropped_frames", "0")),
        "refused": int(meta.get("refused_total", "0")),
    }


async def _until_told(agent: Agent) -> None:
    running = asyncio.create_task(agent.run())
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        logging.getLogger(__name__).info("stopped in order")


def _or_fail(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except (EnrolError, ConfigError, StoreError) as error:
        _fail(str(error))


def _fail(say: str) -> NoReturn:
    typer.secho(say, err=True, fg=typer.colors.RED)
    raise typer.Exit(1)
