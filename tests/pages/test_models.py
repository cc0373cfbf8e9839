"""What a model's card says."""

from datetime import UTC, datetime
from typing import Literal

from lineset.diagnostics import FleetLife, FleetModel
from lineset.kit.ids import new_id
from lineset.pages.common.reader import Reader
from lineset.pages.public.models import card_of


def test_DIA_07_a_card_says_how_long_parts_last_how_well_that_holds_and_whether_it_is_used() -> None:
    def said(*, good: bool, language: str = "en") -> tuple[str, str]:
        correlation = tuple(tuple(float(a == b) for a in range(5)) for b in range(5))
        life = FleetLife((2.8, -0.4, -0.1, -0.3, -1.0), (0.1,) * 5, correlation, 120, 150, 40, 0.2, 0.05, 0.061, 0.074, good)
        about = (new_id(), "furnace_gas", "Arbelo", "", 3, "published", datetime(2026, 1, 5, tzinfo=UTC), 120)
        return card_of(Reader(language, "metric", "UTC"), FleetModel(*about, {}, None, {"heat_exchanger": life})).lives[0]

    half, error = said(good=True)
    assert half.startswith("Heat exchanger: in usual use half last longer than 14.4 years.")
    assert "At least 150 machines of 120 homes taught it, 40 or more of them to their end." in half
    assert error.startswith("It is used:")
    assert "0.061, with published lives 0.074" in error
    assert said(good=False)[1].startswith("It is not used yet:")
    assert said(good=True, language="es")[0].startswith("Intercambiador")


def test_DIA_07_a_card_says_how_machines_differ_from_their_kind() -> None:
    def said(language: str, units: Literal["metric", "us"]) -> tuple[tuple[str, str, str, str], ...]:
        norms = {"heating.condensing": (1.5, 0.9), "heating.carnot": (-0.07, 0.05), "cooling.power": (0.02, 0.05)}
        about = (new_id(), "heat_pump_air_air", "Arbelo", "", 3, "published", datetime(2026, 1, 5, tzinfo=UTC), 20)
        return card_of(Reader(language, units, "UTC"), FleetModel(*about, {}, None, {}, norms)).norms

    known = said("en", "metric")
    assert known == (
        ("Power, cooling", "+2", "5", "%"),
        ("Per cent of Carnot, heating", "−7", "5", "%"),
        ("Condensing temperature, heating", "+1.5", "0.9", "K"),
    )
    assert said("es", "us")[2][1:3] == ("+2.7", "1.6")
