"""Where the keys of subjects are kept: in a stream of the message bus, apart from the database that holds what they seal."""

import json

import nats.errors
import nats.js.errors

from lineset.kit.bus import KEYS_PREFIX, KEYS_STREAM, Bus, BusFault

_NO_STREAM = 10059
_WRONG_LAST_SEQUENCE = 10071


class SubjectKeys:
    """The keys of subjects, kept on the bus and nowhere else. Implements `lineset.privacy.KeyStore`.

    Destroying a key overwrites its bytes in the server's file (and syncs it); a bucket's own delete and purge would leave them there.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def get(self, subject: str) -> bytes | None:
        """The wrapped key, or None when there is none.

        Raises:
            BusFault: the bus is away.
        """
        found = await self._last(subject)
        return None if found is None else found[1]

    async def create(self, subject: str, wrapped: bytes) -> bool:
        """Store it unless the subject has one already; whether it was stored. It is on disk when this returns.

        Raises:
            BusFault: the bus is away.
        """
        try:
            await self._bus.stream.publish(
                f"{KEYS_PREFIX}{_token(subject)}", wrapped, headers={"Nats-Expected-Last-Subject-Sequence": "0"}, timeout=5
            )
        except nats.js.errors.APIError as error:
            if error.err_code == _WRONG_LAST_SEQUENCE:
                return False
            raise BusFault("key_store", f"The key store refused: {error}") from error
        except (nats.errors.Error, TimeoutError) as error:
            raise BusFault("key_store", f"The key store does not answer: {error}") from error
        return True

    async def destroy(self, subject: str) -> None:
        """Remove it so that its bytes are gone.

        Raises:
            BusFault: the bus is away.
        """
        while (found := await self._last(subject)) is not None:
            try:
                await self._bus.stream.delete_msg(KEYS_STREAM, found[0])
            except nats.js.errors.NotFoundError:
                continue
            except (nats.errors.Error, TimeoutError) as error:
                raise BusFault("key_store", f"The key store did not erase: {error}") from error

    async def subjects(self) -> list[str]:
        """All subjects that have a key."""
        try:
            # the subjects of a large store come in pages
            named: dict[str, int] = {}
            while True:
                request = json.dumps({"subjects_filter": f"{KEYS_PREFIX}>", "offset": len(named)}).encode()
                answer = json.loads(await self._bus.request(f"$JS.API.STREAM.INFO.{KEYS_STREAM}", request, timeout_s=10))
                page = (answer.get("state") or {}).get("subjects") or {}
                named.update(page)
                if not page or len(named) >= answer["state"].get("num_subjects", 0):
                    return [subject.removeprefix(KEYS_PREFIX) for subject in named]
        except (KeyError, ValueError) as error:
            raise BusFault("key_store", "The key store gave an answer that can't be read.") from error

    async def _last(self, subject: str) -> tuple[int, bytes] | None:
        try:
            found = await self._bus.stream.get_last_msg(KEYS_STREAM, f"{KEYS_PREFIX}{_token(subject)}")
        except nats.js.errors.NotFoundError as error:
            if error.err_code == _NO_STREAM:  # which is no answer about a key
                raise BusFault("key_store", "The key store is missing. Restore it from a backup.") from error
            return None
        except (nats.errors.Error, TimeoutError) as error:
            raise BusFault("key_store", f"The key store does not answer: {error}") from error
        return int(found.seq or 0), found.data or b""


def _token(subject: str) -> str:
    if not subject or not subject.replace("-", "").isalnum():
        raise ValueError(f"{subject!r} can't name a key")
    return subject
