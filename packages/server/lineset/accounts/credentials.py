"""A signed-in person changes password or e-mail address. Both ask for the present password, whose guesses are throttled."""

from uuid import UUID

from sqlalchemy import select, update

from lineset.accounts.checks import clean_email
from lineset.accounts.entry import ACCOUNT, end_sessions
from lineset.accounts.links import end_links, find_link, make_link, use_link
from lineset.accounts.model import PersonRow
from lineset.accounts.notices import tell, write_to
from lineset.accounts.passwords import check_password, hash_password, verify_password
from lineset.accounts.throttle import SECURITY, Counter, admit, forgive
from lineset.kit.errors import Denied, Invalid
from lineset.privacy import Door
from lineset.privacy.changes import note_person


async def change_password(door: Door, person_id: UUID, current: str, new: str, *, keep_session: UUID | None = None) -> None:
    """Change a person's password; every other session ends, and the person is told by mail.

    Raises:
        Denied: the current password is wrong.
        Invalid: the new one is refused.
        TooMany: too many wrong tries.
    """
    email = await prove_password(door, person_id, current)
    check_password(new, email)
    if new == current:
        raise Invalid("same_password", "This is the password that you have already. Choose another.", "password")
    password_hash = await hash_password(new)
    async with door.open(SECURITY) as tx:
        await tx.session.execute(update(PersonRow).where(PersonRow.id == person_id).values(password_hash=password_hash))
        await end_sessions(tx, person_id, keep=keep_session)
        await end_links(tx, person_id, "reset", "email")
        await tell(tx, person_id, "password_changed")


async def change_email(door: Door, person_id: UUID, password: str, new_email: str) -> None:
    """Mail a link to the new address; it becomes the account's once `confirm_email` has been called with it.

    An address that belongs to another account gets a mail that says so instead; the answer here is the same.

    Raises:
        Denied: the password is wrong.
        Invalid: no e-mail address, or the one that the account has.
        TooMany: too many tries or mails.
    """
    new_email = clean_email(new_email)
    if await prove_password(door, person_id, password) == new_email:
        raise Invalid("same_email", "This is the address that your account has already.", "email")
    await admit(door, Counter("mail to", new_email, 5))
    async with door.open(ACCOUNT) as tx:
        digest = tx.vault.email_digest(new_email)
        other = (await tx.session.execute(select(PersonRow.id, PersonRow.status).where(PersonRow.email_digest == digest))).one_or_none()
        if other is not None and other.status != "unverified":
            await tell(tx, other.id, "email_taken")
            return
        token = await make_link(tx, "email", person_id=person_id, email=new_email)
        await write_to(tx, person_id, new_email, "email_confirm", token=token)


async def confirm_email(door: Door, person_id: UUID, token: str) -> None:
    """Use the new address, by the link that was mailed to it, opened by the same signed-in person; the old address is told.

    Raises:
        Invalid: the link is dead or another person's, or the address got an account in the meantime.
    """
    async with door.open(ACCOUNT) as tx:
        link = await find_link(tx, "email", token)
        address = await tx.vault.open(person_id, link.email_sealed) if link.person_id == person_id else None
        if address is None:
            raise Invalid("dead_link", "This link belongs to another account. Sign in with the one that asked for it.", "token")
        taken = await tx.session.scalar(select(PersonRow.id).where(PersonRow.email_digest == link.email_digest))
        if taken is not None:
            raise Invalid("dead_link", "This address can't be used for your account.", "token")
        await use_link(tx, link)
        before = await tx.session.scalar(select(PersonRow.email_sealed).where(PersonRow.id == person_id))
        await note_person(tx, person_id, {"person.email": (await tx.vault.open(person_id, before) or "", address)})
        await tell(tx, person_id, "email_changed")
        await tx.session.execute(
            update(PersonRow)
            .where(PersonRow.id == person_id)
            .values(email_digest=link.email_digest, email_sealed=await tx.vault.seal(person_id, address))
        )
        await end_links(tx, person_id, "reset")


async def prove_password(door: Door, person_id: UUID, password: str) -> str:
    """Check the present password, for what should not happen at a browser left open; the present e-mail address.

    Raises:
        Denied: it is wrong.
        TooMany: too many wrong tries.
    """
    counter = Counter("password of", str(person_id), 6)
    await admit(door, counter)
    async with door.open(SECURITY) as tx:
        row = await tx.session.get(PersonRow, person_id)
        email = await tx.vault.open(person_id, row.email_sealed) if row else None
        kept = row.password_hash if row else None
    if not await verify_password(kept, password):
        raise Denied("wrong_password", "This is not your present password.")
    async with door.open(SECURITY) as tx:
        await forgive(tx, counter)
    return email or ""
