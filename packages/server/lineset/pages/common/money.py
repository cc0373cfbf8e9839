"""Money as pages say it."""

from babel.numbers import format_currency

from .reader import MINUS, Reader

CURRENCY = "USD"
"""The installation's currency: that of the prices which diagnosis reckons with."""
ROUND_FROM = 100.0


def money(reader: Reader, amount: float) -> str:
    """An amount; from 100 on without cents, in the way of the reader's language."""
    locale = "en_US" if reader.language == "en" else "es_US" if reader.units == "us" else "es_ES"
    whole = abs(amount) >= ROUND_FROM
    text: str = format_currency(
        round(amount) if whole else amount, CURRENCY, format="¤#,##0" if whole else "¤#,##0.00", locale=locale, currency_digits=False
    )
    return text.replace("-", MINUS).replace("US$", "$")
