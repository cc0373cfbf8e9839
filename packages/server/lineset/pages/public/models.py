"""Model cards: what is learnt from the machines of households that say yes to it, how well it holds, and what it is for."""

from typing import Any

import msgspec
from litestar import Response, get

from lineset import diagnostics

from ..common.ahead import amount, figure_of
from ..common.edge import Ask, edge, page, principal, reader_of
from ..common.performance_words import figure_name
from ..common.plate import type_name
from ..common.published import READ
from ..common.reader import Reader


class Card(msgspec.Struct, frozen=True):
    """A version of a model in words; `figures`: name, mean, spread and unit."""

    id: str
    name: str
    say: str
    withdrawn: bool
    figures: tuple[tuple[str, str, str, str], ...]
    held: str


@get("/models")
async def models_page(request: Ask) -> Response[Any]:
    """The newest version of every model, those of single models after their makes."""
    who = await principal(request)
    reader = reader_of(request, who)
    async with edge(request).door.open(READ) as tx:
        found = await diagnostics.list_models(tx)
    return page(request, "public/models.html", reader, who, cards=[_card(reader, model) for model in found])


def _card(reader: Reader, model: diagnostics.FleetModel) -> Card:
    kind = type_name(reader, model.type)
    plate = " ".join(part for part in (model.make, model.model) if part)
    taught = reader.gettext("%(count)s homes or more taught it", count=reader.number(model.households or 11))
    when = reader.gettext("version %(version)s of %(day)s", version=str(model.version), day=reader.date(model.trained_at))
    held = "" if model.covered is None else reader.gettext(
        "Of homes that were left out in turn, %(share)s %% lay where four in five were expected.", share=reader.number(model.covered * 100)
    )  # fmt: skip
    return Card(
        id=str(model.id),
        name=f"{kind}: {plate}" if plate else reader.gettext("%(kind)s, all makes", kind=kind),
        say=when if model.state == "withdrawn" else f"{when}, {taught}",
        withdrawn=model.state == "withdrawn",
        figures=tuple(_figure(reader, name, mean, spread) for name, (mean, spread) in sorted(model.figures.items())),
        held=held,
    )


def _figure(reader: Reader, name: str, mean: float, spread: float) -> tuple[str, str, str, str]:
    called, unit = figure_of(name)
    shown, symbol = amount(reader, mean, unit)
    return figure_name(reader, called), shown, amount(reader, spread, unit)[0], symbol


ROUTES = (models_page,)
