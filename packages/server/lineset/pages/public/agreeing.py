"""What is shown before an account is made: the terms to accept, and what will be collected."""

from typing import Any
from uuid import UUID

from litestar.datastructures import FormMultiDict

from lineset.kit.errors import Invalid
from lineset.privacy import policy

from ..common.edge import Ask, edge, form_text, reader_of
from ..common.published import READ, own_grids, state_of


async def told_before(request: Ask) -> dict[str, Any]:
    """What the templates need: the newest terms, if any are published, and the table of what is collected."""
    here = edge(request)
    async with here.door.open(READ) as tx:
        state = await state_of(tx, here.settings, "terms")
    return {"terms": state.coming or state.version, "categories": own_grids(here.register, reader_of(request, None).language)["categories"]}


async def agreed(request: Ask, form: FormMultiDict) -> dict[UUID, policy.Act]:
    """The texts that were shown, and what was done with each.

    Raises:
        Invalid: terms are published, and the ones that hold now were not accepted.
    """
    here = edge(request)
    async with here.door.open(READ) as tx:
        states = {kind: await state_of(tx, here.settings, kind) for kind in ("terms", "policy")}
    newest = {kind: state.coming or state.version for kind, state in states.items()}
    terms, shown = newest["terms"], newest["policy"]
    if terms is not None and form_text(form, "terms") != terms.digest:
        raise Invalid("terms_needed", "Accept the terms of service to make an account.", "terms")
    return {**({terms.id: "accepted"} if terms else {}), **({shown.id: "noticed"} if shown else {})}
