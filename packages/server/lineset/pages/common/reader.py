"""How one person reads: language, units, time zone, clock. All numbers and times on a page go through here."""

import math
from datetime import date as Date  # noqa: N812  the method of that name says a date
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from babel.support import NullTranslations

from .words import catalogue

Units = Literal["metric", "us"]
NBSP = "\u00a0"
MINUS = "\u2212"
_AGES = ((60.0, 1), (3600.0, 60), (48 * 3600.0, 3600), (math.inf, 86400))  # s below which a unit is used, s of the unit


class Shown(msgspec.Struct, frozen=True):
    """A quantity ready to print: digits and unit apart, since the unit is set smaller."""

    digits: str
    unit: str

    def __str__(self) -> str:
        return f"{self.digits}{NBSP}{self.unit}" if self.unit else self.digits


class Reader:
    """One person's way of reading; immutable, cheap to make for each request."""

    def __init__(self, language: str = "en", units: Units = "us", zone: str = "UTC", *, clock24: bool = True) -> None:
        self.language = language
        self.units: Units = units
        self.zone = ZoneInfo(zone)
        self.clock24 = clock24
        self._locale = Locale("es", "US" if units == "us" else "ES") if language == "es" else Locale("en", "US")
        self._words = _catalogues[language] if language in _catalogues else _remember(language)

    # -- words -------------------------------------------------------------------------------------------------------

    def gettext(self, message: str, **values: object) -> str:
        """`message` in the reader's language, with ``%(name)s`` filled in."""
        text = self._words.gettext(message)
        return text % values if values else text

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        """`one` or `many` by the count `n`, with ``%(name)s`` filled in; ``%(n)s`` is the count."""
        return self._words.ngettext(one, many, n) % {"n": self.number(n), **values}

    # -- numbers -----------------------------------------------------------------------------------------------------

    def number(self, value: float, digits: int = 0) -> str:
        """`value` with a fixed count of decimals, grouped, with a true minus."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        text = format_decimal(value, format=pattern, locale=self._locale)
        if text.strip("-0.,") == "":
            text = text.lstrip("-")
        return text.replace("-", MINUS)

    # -- times -------------------------------------------------------------------------------------------------------

    def local(self, moment: datetime) -> datetime:
        """`moment` in the reader's zone."""
        return moment.astimezone(self.zone)

    def clock(self, moment: datetime, *, seconds: bool = False) -> str:
        """Time of day: 24 h or the reader's 12 h style."""
        local = self.local(moment)
        if self.clock24:
            return local.strftime("%H:%M:%S" if seconds else "%H:%M")
        text = local.strftime("%I:%M:%S" if seconds else "%I:%M").lstrip("0")
        return f"{text}{NBSP}{'am' if local.hour < 12 else 'pm'}"

    def when(self, moment: datetime, now: datetime) -> str:
        """Time of day when `moment` is today, else weekday or date with the time."""
        local, today = self.local(moment), self.local(now).date()
        days = (today - local.date()).days
        if days == 0:
            return self.clock(moment)
        if 0 < days < 7:
            return f"{format_date(local.date(), 'EEE', locale=self._locale)} {self.clock(moment)}"
        return f"{self.date(moment)}, {self.clock(moment)}"

    def date(self, moment: datetime) -> str:
        """Day, month and year in words, in the reader's zone."""
        return self.day(self.local(moment).date())

    def weekday(self, moment: datetime, *, year: bool = True) -> str:
        """Weekday, day and month in short words, in the reader's zone, and the year unless it is understood."""
        return format_date(self.local(moment).date(), "EEE d MMM y" if year else "EEE d", locale=self._locale)

    def short_day(self, moment: datetime) -> str:
        """Day and month in short words, in the reader's zone."""
        return format_date(self.local(moment).date(), "d MMM", locale=self._locale)

    def month(self, moment: datetime) -> str:
        """The month in short words; in January the year."""
        local = self.local(moment)
        return format_date(local.date(), "MMM" if local.month > 1 else "y", locale=self._locale)

    def short_date(self, when: Date) -> str:
        """Day and month in short words."""
        return format_date(when, "d MMM", locale=self._locale)

    def month_year(self, when: Date) -> str:
        """Month and year in words."""
        return format_date(when, "MMMM y" if self.language == "en" else "MMMM 'de' y", locale=self._locale)

    def short_month(self, when: Date) -> str:
        """Month and year in short words."""
        return format_date(when, "MMM y", locale=self._locale)

    def day(self, when: Date) -> str:
        """Day, month and year in words."""
        return format_date(when, "d MMM y", locale=self._locale)

    def age(self, seconds: float) -> str:
        """How long ago, in the largest unit that says enough."""
        seconds = max(0.0, seconds)
        step = next(index for index, (limit, _) in enumerate(_AGES) if seconds < limit)
        return self.age_words()[step].replace("{n}", self.number(seconds // _AGES[step][1]))

    def age_words(self) -> list[str]:
        """Words for ages in seconds, minutes, hours and days, with ``{n}`` for the number; scripts use them too."""
        return [self.gettext("{n} s ago"), self.gettext("{n} min ago"), self.gettext("{n} h ago"), self.gettext("{n} days ago")]


_catalogues: dict[str, NullTranslations] = {}


def _remember(language: str) -> NullTranslations:
    return _catalogues.setdefault(language, catalogue(language))
