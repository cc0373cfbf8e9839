"""Who may connect to the broker, as what: the answer to NATS' auth callout, and the cutting of connections that lost their right.

A device is let in as its gateway and gets exactly its own topics. Its MQTT client id must be the gateway's id: otherwise one device
could throw another off, and nobody could tell connections apart. That rule also makes cutting simple: the servers themselves list a
gateway's connections by client id, so no process has to remember whom it let in.
"""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import nkeys
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from nats.aio.msg import Msg

from lineset.gateways.connections import Way
from lineset.gateways.identity import Allowed, ByCertificate, ByToken, Refused, Shown
from lineset.kit.bus import Bus
from lineset.kit.errors import LinesetError
from lineset.kit.ids import parse_id

ACCOUNT = "APP"
SENDS = ("frames", "results", "reported", "events", "status")
HEARS = ("ack", "commands", "desired")

_MAX_AT_ONCE = 64
_MAX_WAITING = 2000  # more than the broker's patience could be served from
_SECOND_LOOK_S = 3.0  # a connection that was being admitted while its right ended is there by then
_SWEEP_S = 60.0
_PAGE = 1024

_log = structlog.get_logger(__name__)

_THEFT = Refused("client_id", "The MQTT client id must be the gateway's id.")
_NOTHING = Refused("nothing", "Show a certificate of this platform, or give the gateway's id as user name and a token as password.")
_SLOW_DOWN = Refused("slow_down", "Too many failed sign-ins. Wait a minute.")
_ONLY_MQTT = Refused("only_mqtt", "Devices connect by MQTT.")


class Identifies(Protocol):
    """Answers who a device is; `lineset.gateways.Identities` does."""

    async def identify(self, shown: Shown) -> Allowed | Refused:
        """Which gateway it is, or why it is not let in."""

    def forget(self, gateway: UUID) -> None:
        """Take nothing about this gateway from memory any more."""

    def forget_all(self) -> None:
        """Take nothing from memory any more."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A live connection of a device, as a server names it."""

    server: str
    cid: int
    client_id: str
    since: float  # seconds since 1970


@dataclass(slots=True)
class Throttle:
    """Counts failed sign-ins in windows of `window_s` seconds, by whatever key."""

    window_s: float = 60.0
    most_keys: int = 20_000
    _failures: dict[object, tuple[float, int]] = field(default_factory=dict)

    def count(self, key: object) -> int:
        """How many failures in the current window."""
        since, count = self._failures.get(key, (0.0, 0))
        return count if time.monotonic() - since < self.window_s else 0

    def failed(self, key: object) -> None:
        """Note one."""
        count = self.count(key)
        if count == 0:
            if len(self._failures) >= self.most_keys:
                self._failures.clear()
            self._failures[key] = (time.monotonic(), 1)
        else:
            self._failures[key] = (self._failures[key][0], count + 1)


class Notes(Protocol):
    """Keeps from where gateways connect; `lineset.gateways.Connections` does."""

    def note(self, gateway: UUID, address: str, way: Way) -> None:
        """A device of that gateway was let in from there."""


class Callout:
    """Answers the broker. Any number of processes may; each question goes to one of them."""

    FAILURES_PER_GATEWAY = 10  # a minute, from one address for one gateway
    FAILURES_PER_HOST = 300  # a minute, from one address by tokens; a site may have many gateways behind one address

    def __init__(
        self,
        bus: Bus,
        system: Bus,
        issuer: nkeys.KeyPair,
        identities: Identifies,
        live: Callable[[list[UUID]], Awaitable[set[UUID]]],
        notes: Notes | None = None,
    ) -> None:
        """`bus`: a service connection, `system`: one of the system account, `issuer`: `bus_key(settings, "issuer")`.

        `live` says which of the given gateways may be connected at all; `notes` is told from where each came.
        """
        self._bus = bus
        self._system = system
        self._issuer = issuer
        self._identities = identities
        self._live = live
        self._notes = notes
        self._throttle = Throttle()
        self._room = asyncio.Semaphore(_MAX_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Make the streams that must exist before a device connects, then answer.

        Raises:
            BusFault: the bus is away.
        """
        await self._bus.ensure_streams()
        await self._bus.subscribe("wake.revoke.*", self._on_revoke)
        self._bus.on_reconnect(self._catch_up)
        await self._bus.subscribe("$SYS.REQ.USER.AUTH", self._on_question, queue="callout")
        self._keep(self._sweep_for_ever())

    async def stop(self) -> None:
        """Stop the work in the background; the connections are the caller's to close."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def kick(self, gateway: UUID, before: float = float("inf")) -> int:
        """Cut the gateway's live connections, on all servers: those that began before that time. How many were cut.

        Raises:
            BusFault: the bus is away.
        """
        self._identities.forget(gateway)
        count = 0

        async def on_answer(message: Msg) -> None:
            nonlocal count
            for connection in _connections(message.data)[1]:
                if connection.since < before:
                    count += await self._cut(connection)

        question = json.dumps({"mqtt_client": str(gateway), "limit": _PAGE}).encode()
        await self._system.ask_all("$SYS.REQ.SERVER.PING.CONNZ", question, on_answer)
        return count

    async def sweep(self) -> int:
        """Cut every live connection whose gateway may not be connected any more. How many were cut.

        Raises:
            BusFault: the bus is away.
        """
        found = await self._all_connections()
        known = {id_ for connection in found if (id_ := parse_id(connection.client_id)) is not None}
        allowed = await self._live(sorted(known)) if known else set()
        gone = [connection for connection in found if parse_id(connection.client_id) not in allowed]
        return sum([await self._cut(connection) for connection in gone])

    async def _cut(self, connection: Connection) -> bool:
        answer = json.loads(
            await self._system.request(f"$SYS.REQ.SERVER.{connection.server}.KICK", json.dumps({"cid": connection.cid}).encode())
        )
        _log.info("connection cut", gateway=connection.client_id)
        return "error" not in answer  # it may have gone by itself

    async def _all_connections(self) -> list[Connection]:
        found: list[Connection] = []
        sizes: dict[str, int] = {}

        async def on_answer(message: Msg) -> None:
            server, page, total = _connections(message.data)
            found.extend(page)
            sizes[server] = total

        await self._system.ask_all("$SYS.REQ.SERVER.PING.CONNZ", json.dumps({"limit": _PAGE}).encode(), on_answer)
        for server, total in sizes.items():
            for offset in range(_PAGE, total, _PAGE):
                question = json.dumps({"limit": _PAGE, "offset": offset}).encode()
                found.extend(_connections(await self._system.request(f"$SYS.REQ.SERVER.{server}.CONNZ", question))[1])
        return found

    async def _on_revoke(self, message: Msg) -> None:
        gateway = parse_id(message.subject.rpartition(".")[2])
        if gateway is None:
            return
        revoked = time.time()
        self._keep(self._look_again(gateway, revoked))
        await self.kick(gateway)

    async def _look_again(self, gateway: UUID, revoked: float) -> None:
        """One that was being let in just then was on nobody's list yet. What connected since is judged by what holds since."""
        await asyncio.sleep(_SECOND_LOOK_S)
        try:
            await self.kick(gateway, before=revoked)
        except LinesetError as error:
            _log.warning("second look failed; the sweep will find what is left", error=error.say)

    async def _catch_up(self) -> None:
        self._identities.forget_all()
        self._keep(self._sweep_once())

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            await self._sweep_once()

    async def _sweep_once(self) -> None:
        try:
            await self.sweep()
        except Exception:  # noqa: BLE001 - the database or the bus is away; the next round comes
            _log.warning("sweep of connections failed", exc_info=True)

    async def _on_question(self, message: Msg) -> None:
        if len(self._tasks) < _MAX_WAITING:
            self._keep(self._answer(message))

    async def _answer(self, message: Msg) -> None:
        async with self._room:
            question = Question.read(message.data)
            try:
                decision = await self._decide(question)
            except Exception:  # noqa: BLE001 - the database is away: refuse now, the device tries again
                _log.exception("a sign-in could not be judged")
                decision = Refused("unavailable", "The platform can't look you up at this moment. Try again.")
            if isinstance(decision, Refused):
                _log.info("sign-in refused", code=decision.code, client_id=question.client_id, host=question.host)
            try:
                await message.respond(self._reply(question, decision).encode())
            except Exception:  # noqa: BLE001 - the broker has gone; whoever asked will ask again
                _log.debug("no way to answer the broker")

    async def _decide(self, question: "Question") -> Allowed | Refused:
        if question.kind != "mqtt":
            return _ONLY_MQTT
        if question.shown is None:
            return _NOTHING
        claimed, host = (question.host, question.client_id), question.host
        by_token = isinstance(question.shown, ByToken)
        too_many = self._throttle.count(claimed) >= self.FAILURES_PER_GATEWAY
        # a certificate of ours was verified by the broker, so only tokens can be guessed from an address
        if too_many or (by_token and self._throttle.count(host) >= self.FAILURES_PER_HOST):
            return _SLOW_DOWN
        decision = await self._identities.identify(question.shown)
        if isinstance(decision, Allowed) and question.client_id != str(decision.gateway):
            decision = _THEFT
        if isinstance(decision, Refused):
            self._throttle.failed(claimed)
            if by_token:
                self._throttle.failed(host)
        elif self._notes is not None:
            self._notes.note(decision.gateway, host, "token" if by_token else "certificate")
        return decision

    def _reply(self, question: "Question", decision: Allowed | Refused) -> str:
        told: dict[str, Any] = {"type": "authorization_response", "version": 2}
        if isinstance(decision, Refused):
            told["error"] = decision.code
        else:
            told["jwt"] = self._admission(question, str(decision.gateway))
        return self._signed(question.user, question.server, {"nats": told})

    def _admission(self, question: "Question", gateway: str) -> str:
        claims: dict[str, Any] = {
            "name": gateway,
            "nats": {
                "type": "user",
                "version": 2,
                "subs": 16,
                "data": -1,
                "payload": -1,
                "allowed_connection_types": ["MQTT"],
                "pub": {"allow": [f"lineset.v1.{gateway}.{topic}" for topic in SENDS]},
                "sub": {"allow": [f"lineset.v1.{gateway}.{topic}" for topic in HEARS]},
            },
        }
        if question.ends is not None:
            claims["exp"] = question.ends  # the broker cuts the connection when the certificate ends
        return self._signed(question.user, ACCOUNT, claims)

    def _signed(self, subject: str, audience: str, claims: dict[str, Any]) -> str:
        body = {
            "jti": secrets.token_hex(16),
            "iat": int(time.time()),
            "iss": self._issuer.public_key.decode(),
            "sub": subject,
            "aud": audience,
            **claims,
        }
        text = f"{_encode({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_encode(body)}"
        return f"{text}.{_base64(self._issuer.sign(text.encode()))}"

    def _keep(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass(frozen=True, slots=True)
class Question:
    """What the broker asks about one connection."""

    user: str
    server: str
    kind: str
    client_id: str
    host: str
    shown: Shown | None
    ends: int | None  # when the certificate ends, seconds since 1970

    @classmethod
    def read(cls, token: bytes) -> "Question":
        """The question in a server's request. Only servers and our own processes can put one on that subject, so its signature
        would tell nothing more."""
        body = json.loads(_decode(token.split(b".")[1]))["nats"]
        client, given = body["client_info"], body.get("connect_opts", {})
        chains = (body.get("client_tls") or {}).get("verified_chains") or []
        shown: Shown | None = None
        ends = None
        if chains:
            certificate = x509.load_pem_x509_certificate(chains[0][0].encode())
            shown = ByCertificate(certificate.fingerprint(hashes.SHA256()).hex())
            ends = int(certificate.not_valid_after_utc.timestamp())
        elif given.get("user") and given.get("pass"):
            shown = ByToken(given["user"], given["pass"])
        return cls(
            body["user_nkey"],
            body["server_id"]["id"],
            str(client.get("type", "")).lower(),
            client.get("mqtt_id", ""),
            client.get("host", ""),
            shown,
            ends,
        )


def _connections(answer: bytes) -> tuple[str, list[Connection], int]:
    """The server that answered, its MQTT connections on this page, and how many connections of all kinds it has."""
    body = json.loads(answer)
    server, data = body["server"]["id"], body.get("data") or {}
    mqtt = [
        Connection(server, found["cid"], found["mqtt_client"], datetime.fromisoformat(found["start"]).timestamp())
        for found in data.get("connections") or []
        if found.get("mqtt_client")
    ]
    return server, mqtt, int(data.get("total", 0))


def _encode(claims: dict[str, Any]) -> str:
    return _base64(json.dumps(claims, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
