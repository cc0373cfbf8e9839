"""What tests of people do again and again: sign somebody up, read their mail, act as them."""

import contextlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from lineset import accounts, messaging
from lineset.accounts import Browser, Principal
from lineset.kit.database import driver_url
from lineset.kit.ids import new_id
from lineset.privacy import Context, Door, Purpose, System, Vault
from sqlalchemy import Connection, NullPool, create_engine, text

PASSWORD = "three hundred lemon trees"
FIREFOX = Browser("203.0.113.7", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
MAIL = Context(System("mail"), Purpose.COMMUNICATE)
_numbers = itertools.count(1)


@dataclass
class Somebody:
    """A confirmed person with an open session."""

    name: str
    email: str
    token: str
    principal: Principal

    @property
    def household(self) -> UUID:
        return self.principal.households[0].id

    def acts(self, purpose: Purpose) -> Context:
        return self.principal.acts(purpose)


@dataclass
class World:
    door: Door
    vault: Vault
    database: str
    authenticator: accounts.Authenticator = field(init=False)

    def __post_init__(self) -> None:
        self.authenticator = accounts.Authenticator(self.door)

    def fresh(self) -> accounts.Authenticator:
        """One that remembers nothing yet."""
        return accounts.Authenticator(self.door)

    @contextlib.contextmanager
    def owner(self) -> Iterator[Connection]:
        """The database as whoever took its disk sees it: everything, whatever row-level security says."""
        engine = create_engine(driver_url(self.database), poolclass=NullPool)
        with engine.begin() as connection:
            tables = [name for (name,) in connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))]
            for table in tables:
                connection.execute(text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
            yield connection
            for table in tables:
                connection.execute(text(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))
        engine.dispose()

    def browser(self, agent: str = FIREFOX.agent) -> Browser:
        """A browser from a network of its own, so that tests do not throttle each other."""
        number = next(_numbers)
        return Browser(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", agent)

    def address(self, name: str = "anna") -> str:
        return f"{name}.{next(_numbers)}@example.com"

    async def mails(self, address: str, kind: str | None = None) -> list[messaging.Mail]:
        """Mails to that address, oldest first."""
        async with self.door.open(MAIL) as tx:
            mails = await messaging.list_mails(tx, "http://localhost:8000", limit=1000)
        return [m for m in reversed(mails) if m.to == address and kind in (None, m.kind)]

    async def link(self, address: str, kind: str) -> str:
        """The token in the newest mail of that kind to that address."""
        found = re.search(r"token=([\w-]+)", (await self.mails(address, kind))[-1].body)
        assert found, f"no link in the mail {kind}"
        return found[1]

    async def sign_up(self, name: str = "Anna Kowalska", browser: Browser | None = None) -> Somebody:
        """Sign up, confirm, sign in."""
        email, browser = self.address(name.split(maxsplit=1)[0].lower()), browser or self.browser()
        await accounts.sign_up(self.door, name=name, email=email, password=PASSWORD, browser=browser)
        signed_in = await accounts.verify(self.door, await self.link(email, "verify"), PASSWORD, browser)
        return await self.somebody(name, email, signed_in.token)

    async def made(self, name: str) -> Somebody:
        """A confirmed person with a household, without the mails of signing up."""
        email, browser = self.address(name.lower()), self.browser()
        await accounts.make_account(self.door, name=name, email=email, password=PASSWORD, household=name)
        return await self.somebody(name, email, (await accounts.sign_in(self.door, email, PASSWORD, browser)).token)

    async def staff(self, role: str) -> Somebody:
        """A confirmed person who works at the operator in that role."""
        person = await self.made(f"{role}{next(_numbers)}")
        with self.owner() as owner:
            operator = owner.scalar(text("SELECT id FROM organisations WHERE kind = 'operator'")) or new_id()
            values = {"o": operator, "p": person.principal.person_id, "role": role}
            owner.execute(
                text("INSERT INTO organisations (id, kind, name, created_at) VALUES (:o, 'operator', 'Op', now()) ON CONFLICT DO NOTHING"),
                values,
            )
            owner.execute(
                text("INSERT INTO memberships (person_id, organisation_id, role, started_at) VALUES (:p, :o, :role, now())"), values
            )
        return await self.somebody(person.name, person.email, person.token)

    async def somebody(self, name: str, email: str, token: str) -> Somebody:
        principal = await self.authenticator.session(token)
        assert principal is not None
        return Somebody(name, email, token, principal)
