"""Sealed identity, with its keys on the real message bus."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lineset.kit.bus import Bus
from lineset.kit.ids import new_id
from lineset.kit.subject_keys import SubjectKeys
from lineset.privacy import Unsealable, Vault, fold_email

from tests.support.engines import Engines

pytestmark = pytest.mark.anyio
MASTER = b"m" * 32
TRIED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass
class Safe:
    """A key store with a vault on it."""

    store: SubjectKeys
    vault: Vault

    def another(self, master: bytes = MASTER) -> Vault:
        """A vault of another process: the same store, nothing at hand."""
        return Vault(self.store, master)


@pytest.fixture(scope="module")
async def safe(engines: Engines) -> AsyncIterator[Safe]:
    bus = await Bus.connect(engines.settings, "test")
    await bus.ensure_streams()
    store = SubjectKeys(bus)
    yield Safe(store, Vault(store, MASTER))
    await bus.close()


@TRIED
@given(text=st.text(max_size=200), subject=st.uuids(), other=st.uuids())
async def test_what_is_sealed_opens_for_its_subject_only(safe: Safe, text: str, subject: UUID, other: UUID) -> None:
    sealed = await safe.vault.seal(subject, text)
    assert await safe.vault.open(subject, sealed) == text
    assert await safe.another().open(subject, sealed) == text
    assert text.encode() not in sealed or len(text.encode()) < 3
    assert sealed != await safe.vault.seal(subject, text), "the same text is never sealed alike"
    if other != subject:
        await safe.vault.seal(other, "x")
        with pytest.raises(Unsealable):
            await safe.vault.open(other, sealed)


@TRIED
@given(data=st.data(), text=st.text(min_size=1, max_size=50))
async def test_every_changed_byte_is_noticed(safe: Safe, data: st.DataObject, text: str) -> None:
    subject = new_id()
    sealed = await safe.vault.seal(subject, text)
    place = data.draw(st.integers(0, len(sealed) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = sealed[:place] + bytes([sealed[place] ^ flip]) + sealed[place + 1 :]
    for wrong in (changed, sealed[:-1], sealed + b"\0", b""):
        with pytest.raises(Unsealable):
            await safe.vault.open(subject, wrong)


async def test_a_destroyed_key_opens_nothing_ever_again(safe: Safe, monkeypatch: pytest.MonkeyPatch) -> None:
    subject, elsewhere = new_id(), safe.another()
    sealed = await safe.vault.seal(subject, "Anna")
    assert await elsewhere.open(subject, sealed) == "Anna"
    await safe.vault.destroy(subject)
    assert await safe.vault.open(subject, sealed) is None
    assert await safe.another().open(subject, sealed) is None
    assert await safe.store.get(str(subject)) is None
    later = asyncio.get_running_loop().time() + 61
    monkeypatch.setattr("lineset.privacy.vault.time", SimpleNamespace(monotonic=lambda: later))
    assert await elsewhere.open(subject, sealed) is None, "within a minute no process has the key at hand any more"
    again = await safe.vault.seal(subject, "Anna")
    assert await safe.vault.open(subject, again) == "Anna"
    with pytest.raises(Unsealable):
        await safe.vault.open(subject, sealed)


async def test_processes_that_seal_first_at_the_same_time_agree_on_the_key(safe: Safe) -> None:
    subject = new_id()
    vaults = [safe.another() for _ in range(8)]
    sealed = await asyncio.gather(*(vault.seal(subject, str(n)) for n, vault in enumerate(vaults)))
    assert [await safe.vault.open(subject, value) for value in sealed] == [str(n) for n in range(8)]


async def test_another_master_key_opens_nothing(safe: Safe) -> None:
    subject = new_id()
    sealed = await safe.vault.seal(subject, "Anna")
    with pytest.raises(Unsealable, match="master key"):
        await safe.another(b"n" * 32).open(subject, sealed)
    wrapped = await safe.store.get(str(subject))
    assert wrapped is not None
    assert len(wrapped) == 12 + 32 + 16, "the store holds the key wrapped, with nonce and tag"


async def test_many_open_in_their_order(safe: Safe) -> None:
    subjects = [new_id() for _ in range(150)]
    sealed = [(subject, await safe.vault.seal(subject, str(n))) for n, subject in enumerate(subjects)]
    await safe.vault.destroy(subjects[7])
    opened = await safe.another().open_many([*sealed, (subjects[0], None)])
    assert opened == [None if n == 7 else str(n) for n in range(150)] + [None]


@given(address=st.emails())
async def test_addresses_of_one_mailbox_have_one_digest_that_others_can_not_make(safe: Safe, address: str) -> None:
    digest = safe.vault.email_digest(address)
    assert digest == safe.vault.email_digest(f"  {address.upper()} ") or fold_email(address) != fold_email(address.upper())
    assert digest == safe.another().email_digest(address)
    assert digest != safe.another(b"n" * 32).email_digest(address)
    assert digest != safe.vault.text_digest("session", address)
