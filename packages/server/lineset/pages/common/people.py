"""Who did it, in a word that the reader may see: a name of one's own household or company, else the company's."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from lineset import accounts, control
from lineset.accounts import Grant, Principal
from lineset.kit.errors import NotFound
from lineset.privacy import Purpose

from .edge import Ask, edge
from .reader import Reader


class Names(msgspec.Struct, frozen=True):
    """Names that one page may need: people by id, companies by id, and the grants of the household."""

    me: UUID
    people: Mapping[UUID, str]
    companies: Mapping[UUID, str]
    grants: Sequence[Grant] = ()

    def sender(self, reader: Reader, view: control.CommandView) -> str:
        """Who sent a command."""
        if view.sender == self.me:
            return reader.gettext("You")
        if view.sender is not None and self.people.get(view.sender):
            return self.people[view.sender]
        if view.sender_company is not None:
            return self.companies.get(view.sender_company, reader.gettext("A contractor"))
        return reader.gettext("The household") if view.sender is not None else reader.gettext("Automatic")


async def names_of(request: Ask, who: Principal, household: UUID) -> Names:
    """Names for a page of one's own household."""
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        members = await accounts.list_members(tx, household)
        grants = await accounts.list_grants(tx, household, ended=True)
    people = {m.person_id: m.name for m in members}
    companies = {g.company_id: g.company for g in grants}
    return Names(who.person_id, people, companies, [g for g in grants if g.revoked_at is None])


async def colleagues_of(request: Ask, who: Principal) -> Names:
    """Names for a page of a contractor: one's own company's people; a household's people stay its own."""
    people: dict[UUID, str] = {}
    async with edge(request).door.open(who.acts(Purpose.ACCOUNT)) as tx:
        for company in who.companies:
            try:
                people |= {m.person_id: m.name for m in await accounts.list_staff(tx, company.id)}
            except NotFound:
                continue
    return Names(who.person_id, people, {c.id: c.name for c in who.companies})
