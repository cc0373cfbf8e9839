"""A domain's refusal as the person reads it: the sentence in their language, at the field that it is about."""

import re
from collections.abc import Mapping
from typing import Any

from litestar import Response

from lineset.kit.errors import Invalid, LinesetError, TooMany

from .edge import Ask, page, principal, reader_of
from .forms import Form
from .reader import Reader


def marked(message: str) -> str:
    """Marks a sentence for the catalogue where it stands apart from its reader."""
    return message


# Sentences that a domain puts together from parts. `a` and `b` are the numbers in them, in order.
_PUT_TOGETHER = {
    "missing": marked("Fill this in."),
    "too_long": marked("Use at most %(a)s characters."),
    "bad_text": marked("Use one line, without control characters or web addresses."),
    "short_password": marked("A password needs at least %(a)s characters. A few words in a row do well."),
    "long_password": marked("A password may have at most %(a)s characters."),
    "bad_language": marked("Choose one of the list."),
    "bad_units": marked("Choose one of the list."),
    "bad_role": marked("Choose one of the list."),
    "bad_contact_kind": marked("Choose one of the list."),
    "bad_scope": marked("Choose one of the list."),
    "too_many_contacts": marked("You have %(a)s addresses and numbers already. Remove one first."),
    "too_many_tokens": marked("You have %(a)s tokens already. Revoke one first."),
    "too_many_invitations": marked("%(a)s invitations are open. Withdraw some first."),
    "last_manager": marked("A company keeps at least one manager. Make somebody else manager first."),
    "wrong_name": marked("Type the machine's name to erase it."),
    "bad_count": marked("Give a number from %(a)s to %(b)s."),
    "bad_words": marked("Say what is wrong, in at most %(a)s characters."),
    "not_found": marked("That is not there, or it is not shared with you."),
}


def said(reader: Reader, error: LinesetError) -> str:
    """The refusal's sentence in the reader's language; in English where nobody has translated it."""
    if reader.language == "en":
        return error.say
    text = reader.gettext(error.say) if error.say else ""
    if text != error.say or error.code not in _PUT_TOGETHER:
        return text
    numbers = re.findall(r"\d+", error.say)
    values = dict(zip("ab", numbers, strict=False))
    try:
        return reader.gettext(_PUT_TOGETHER[error.code], **values)
    except KeyError:
        return error.say


def wait_words(reader: Reader, wait_s: int) -> str:
    """How long somebody still has to wait, in words."""
    if wait_s < 120:
        return reader.ngettext("Try again in %(n)s second.", "Try again in %(n)s seconds.", wait_s)
    return reader.ngettext("Try again in %(n)s minute.", "Try again in %(n)s minutes.", -(-wait_s // 60))


def refused(reader: Reader, error: LinesetError, values: Mapping[str, str] | None = None) -> Form:
    """The form again: what was typed (never a password), and the refusal at its field or on top."""
    values = values or {}
    if isinstance(error, TooMany):
        return Form(values=values, problem=reader.gettext("Too many tries."), advice=wait_words(reader, error.wait_s))
    text = said(reader, error)
    field = error.field if isinstance(error, Invalid) else None
    return Form(values=values, errors={field: text}) if field else Form(values=values, problem=text)


async def again(request: Ask, template: str, error: LinesetError, values: Mapping[str, str] | None = None, **context: Any) -> Response[Any]:
    """The page with its form once more, with the refusal's own status."""
    who = await principal(request)
    reader = reader_of(request, who)
    response: Response[Any] = page(request, template, reader, who, status=int(error.status), form=refused(reader, error, values), **context)
    if isinstance(error, TooMany):
        response.headers["retry-after"] = str(error.wait_s)
    return response
