"""How reports speak to a reader of the pages: the same words, units and numbers."""

from datetime import date

from litestar import Response

from lineset import reports
from lineset.kit.errors import NotFound

from .money import money
from .plate import type_name
from .quantity import Scale, scale, word
from .reader import Reader

MONTH_LENGTH = 7


class ReaderVoice:
    """A reader as reports know one."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.language = reader.language

    def gettext(self, message: str, **values: object) -> str:
        """As of the reader."""
        return self._reader.gettext(message, **values)

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        """As of the reader."""
        return self._reader.ngettext(one, many, n, **values)

    def number(self, value: float, digits: int = 0) -> str:
        """As of the reader."""
        return self._reader.number(value, digits)

    def money(self, amount: float) -> str:
        """As on all pages."""
        return money(self._reader, amount)

    def day(self, when: date) -> str:
        """As of the reader."""
        return self._reader.day(when)

    def short_date(self, when: date) -> str:
        """Day and month in short words."""
        return self._reader.short_date(when)

    def month_of(self, when: date) -> str:
        """Month and year in words, the first letter large as at the head of a page."""
        text = self._reader.month_year(when)
        return text[:1].upper() + text[1:]

    def word(self, code: str) -> str:
        """What a code's word is called."""
        return word(self._reader, code)

    def ruler(self, unit: str) -> Scale:
        """The reader's scale of a unit."""
        return scale(self._reader, unit)

    def type_name(self, type_: str) -> str:
        """What a type of equipment is called."""
        return type_name(self._reader, type_)


def month_of(text: str) -> date:
    """The month that an address spells as 2026-10.

    Raises:
        NotFound: it spells no month.
    """
    try:
        return date.fromisoformat(f"{text}-01") if len(text) == MONTH_LENGTH else date.fromisoformat("")
    except ValueError:
        raise NotFound("page") from None


async def pdf_response(document: reports.Document, reader: Reader) -> Response[bytes]:
    """A document as a PDF to keep, on the paper of the reader's country."""
    made = await reports.print_apart(document, "us-letter" if reader.units == "us" else "a4")
    headers = {"content-disposition": f'attachment; filename="{document.name}.pdf"', "cache-control": "private, no-store"}
    return Response(made, media_type="application/pdf", headers=headers)
