"""Model cards: what is learnt from the machines of households that say yes to it, how well it holds, and what it is for."""

import math
from typing import Any

import msgspec
from litestar import Response, get

from lineset import diagnostics

from ..common.ahead import amount, figure_of, part_word
from ..common.edge import Ask, edge, page, principal, reader_of
from ..common.evidence_words import evidence_name
from ..common.performance_words import figure_name, in_mode
from ..common.plate import type_name
from ..common.published import READ
from ..common.reader import Reader


class Card(msgspec.Struct, frozen=True):
    """A version of a model in words; `figures`: name, mean, spread and unit; `norms`: likewise, by how much its machines differ from what
    their kind should read; `lives`: of each part, what is learnt, and how well."""

    id: str
    name: str
    say: str
    withdrawn: bool
    figures: tuple[tuple[str, str, str, str], ...]
    held: str
    lives: tuple[tuple[str, str], ...]
    norms: tuple[tuple[str, str, str, str], ...] = ()


@get("/models")
async def models_page(request: Ask) -> Response[Any]:
    """The newest version of every model, those of single models after their makes."""
    who = await principal(request)
    reader = reader_of(request, who)
    async with edge(request).door.open(READ) as tx:
        found = await diagnostics.list_models(tx)
    return page(request, "public/models.html", reader, who, cards=[card_of(reader, model) for model in found])


def card_of(reader: Reader, model: diagnostics.FleetModel) -> Card:
    """A version of a model in words."""
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
        lives=tuple(_life(reader, part, life) for part, life in sorted(model.lives.items())),
        norms=tuple(_norm(reader, name, mean, spread) for name, (mean, spread) in sorted(model.norms.items())),
    )


def _life(reader: Reader, part: str, life: diagnostics.FleetLife) -> tuple[str, str]:
    half = reader.gettext(
        "%(part)s: in usual use half last longer than %(years)s years. "
        "At least %(machines)s machines of %(homes)s homes taught it, %(ends)s or more of them to their end.",
        part=part_word(reader, part),
        years=reader.number(life.median_years, 1),
        machines=reader.number(life.machines),
        homes=reader.number(life.households),
        ends=reader.number(life.ends),
    )
    used = reader.gettext("It is used: it told lives of homes that were left out in turn better than what it started from.")
    idle = reader.gettext("It is not used yet: it told lives of homes that were left out in turn no better than what it started from.")
    if life.brier is None or life.brier_published is None:
        return half, used if life.good else idle
    error = reader.gettext(
        "Mean squared error of the risk told for each of their years (Brier): %(mine)s, with published lives %(theirs)s.",
        mine=reader.number(life.brier, 3),
        theirs=reader.number(life.brier_published, 3),
    )
    return half, f"{used if life.good else idle} {error}"


def _figure(reader: Reader, name: str, mean: float, spread: float) -> tuple[str, str, str, str]:
    called, unit = figure_of(name)
    shown, symbol = amount(reader, mean, unit)
    return figure_name(reader, called), shown, amount(reader, spread, unit, mean)[0], symbol


def _norm(reader: Reader, name: str, mean: float, spread: float) -> tuple[str, str, str, str]:
    mode, _, channel = name.partition(".")
    called = in_mode(reader, figure_name(reader, channel) if channel == "carnot" else evidence_name(reader, channel), mode)
    if channel in diagnostics.RELATIVE:  # logarithms of shares
        return called, _signed(mean, reader.number(100.0 * math.expm1(mean))), reader.number(100.0 * math.expm1(spread)), "%"
    shown, symbol = amount(reader, mean, "K")
    return called, _signed(mean, shown), amount(reader, spread, "K")[0], symbol


def _signed(value: float, shown: str) -> str:
    return f"+{shown}" if value > 0.0 else shown


ROUTES = (models_page,)
