"""What energy costs where nobody said it: averages of a country, until a site has prices of its own."""

from collections.abc import Mapping

CURRENCY = "USD"
PRICES: Mapping[str, float] = {"kwh.electric": 0.160, "kwh.gas": 0.050}
"""Per kWh. Electricity: 16.00 cents, average of US homes in 2023 (EIA, Electric Power Annual 2023, table 2.4). Gas: 15.19 dollars per
thousand cubic feet, average of US homes in 2023 (EIA, Natural Gas Prices), at 1,036 Btu per cubic foot of gross heat, 303.6 kWh."""


def cost_a_day(kwh_a_day: Mapping[str, float], loss: float) -> float | None:
    """What a waste of the share `loss` (0 to 1) of these energies costs a day, in `CURRENCY`; None where no energy is known."""
    known = {name: kwh for name, kwh in kwh_a_day.items() if name in PRICES}
    return sum(kwh * PRICES[name] for name, kwh in known.items()) * loss if known else None
