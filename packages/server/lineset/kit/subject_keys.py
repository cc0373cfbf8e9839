"""Where the keys of subjects are kept: in a stream of the message bus, apart from the database that holds what they seal."""

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import nats.errors
import nats.js.errors

from lineset.kit.bus import KEYS_PREFIX, KEYS_STREAM, Bus, BusFault

_NO_STREAM = 10059
_WRONG_LAST_SEQUENCE = 10071
_PATIENCE_S = 12.0  # a restart of the bus takes less, and so does a cluster's choice of another leader (4 to 9 s)
_TRY_S = 2.0
_PAUSE_S = 0.25

T = TypeVar("T")


class SubjectKeys:
    """The keys of subjects, kept on the bus and nowhere else. Implements `lineset.privacy.KeyStore`.

    Destroying a key overwrites its bytes in the server's file (and syncs it); a bucket's own delete and purge would leave them there.
    A restart of the bus is waited out: what is asked here may be asked twice without harm.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def get(self, subject: str) -> bytes | None:
        """The wrapped key, or None when there is none. While the servers of a cluster choose a leader, any of them may answer, and it may
        not have heard yet of what happened in the second before.

        Raises:
            BusFault: the bus is away.
        """
        found = await self._last(subject, leader_only=False)
        return None if found is None else found[1]

    async def create(self, subject: str, wrapped: bytes) -> bool:
        """Store it unless the subject has one already; whether it was stored. It is on disk when this returns.

        After a restart of the bus during the call, False may mean that it was this call that stored it: ask what is stored.

        Raises:
            BusFault: the bus is away.
        """
        only_first = {"Nats-Expected-Last-Subject-Sequence": "0"}
        try:
            await patiently(lambda: self._bus.stream.publish(f"{KEYS_PREFIX}{_token(subject)}", wrapped, headers=only_first, timeout=2))
        except nats.js.errors.APIError as error:
            if error.err_code == _WRONG_LAST_SEQUENCE:
                return False
            raise BusFault("key_store", f"The key store refused: {error}") from error
        return True

    async def destroy(self, subject: str) -> None:
        """Remove it so that its bytes are gone.

        Raises:
            BusFault: the bus is away.
        """
        while (found := await self._last(subject, leader_only=True)) is not None:
            sequence = found[0]
            try:
                await patiently(lambda sequence=sequence: self._bus.stream.delete_msg(KEYS_STREAM, sequence))  # type: ignore[misc]
            except nats.js.errors.NotFoundError:
                continue
            except nats.js.errors.APIError as error:
                raise BusFault("key_store", f"The key store did not erase: {error}") from error

    async def subjects(self) -> list[str]:
        """All subjects that have a key.

        Raises:
            BusFault: the bus is away.
        """
        named: dict[str, int] = {}
        while True:  # the subjects of a large store come in pages
            request = json.dumps({"subjects_filter": f"{KEYS_PREFIX}>", "offset": len(named)}).encode()
            state = json.loads(await self._bus.request(f"$JS.API.STREAM.INFO.{KEYS_STREAM}", request, timeout_s=5)).get("state")
            if state is None:
                raise BusFault("key_store", "The key store is missing. Restore it from a backup.")
            page = state.get("subjects") or {}
            named.update(page)
            if not page or len(named) >= state.get("num_subjects", 0):
                return [subject.removeprefix(KEYS_PREFIX) for subject in named]

    async def everything(self) -> dict[str, bytes]:
        """Every subject with its wrapped key, for copies: about 300 bytes of memory a subject.

        Raises:
            BusFault: the bus is away.
        """
        return await contents(self._bus, KEYS_STREAM, KEYS_PREFIX)

    async def _last(self, subject: str, *, leader_only: bool) -> tuple[int, bytes] | None:
        name = f"{KEYS_PREFIX}{_token(subject)}"
        asking = itertools.cycle((False,) if leader_only else (False, True))
        try:
            found = await patiently(lambda: self._bus.stream.get_last_msg(KEYS_STREAM, name, direct=next(asking)))
        except nats.js.errors.NotFoundError as error:
            if error.err_code == _NO_STREAM:  # which is no answer about a key
                raise BusFault("key_store", "The key store is missing. Restore it from a backup.") from error
            return None
        except nats.js.errors.APIError as error:
            raise BusFault("key_store", f"The key store refused: {error}") from error
        return int(found.seq or 0), found.data or b""


async def contents(bus: Bus, stream: str, prefix: str) -> dict[str, bytes]:
    """Every message of a stream by its subject without the prefix; of several of one subject the last one. Nothing where there is none.

    Raises:
        BusFault: the bus is away, or stopped answering on the way.
    """
    found: dict[str, bytes] = {}
    try:
        expected = (await patiently(lambda: bus.stream.stream_info(stream))).state.messages
    except nats.js.errors.NotFoundError:
        return found
    if not expected:
        return found
    reading = await bus.stream.subscribe(f"{prefix}>", stream=stream, ordered_consumer=True)
    try:
        while True:
            message = await reading.next_msg(timeout=_PATIENCE_S)
            found[message.subject.removeprefix(prefix)] = message.data
            if message.metadata.num_pending == 0:
                return found
    except (nats.errors.Error, TimeoutError) as error:
        raise BusFault("key_store", f"The key store stopped answering while it was copied: {error}") from error
    finally:
        await reading.unsubscribe()


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while nobody answers."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            async with asyncio.timeout(_TRY_S):
                return await ask()
        except nats.js.errors.APIError as error:
            if not isinstance(error, nats.js.errors.ServiceUnavailableError):
                raise
            last: Exception = error
        except (nats.errors.Error, TimeoutError) as error:
            last = error
        if time.monotonic() >= end:
            raise BusFault("key_store", f"The key store does not answer: {last}") from last
        await asyncio.sleep(_PAUSE_S)


def _token(subject: str) -> str:
    if not subject or not subject.replace("-", "").isalnum():
        raise ValueError(f"{subject!r} can't name a key")
    return subject
