"""View models of the pages before sign-in."""

from collections.abc import Callable
from typing import Any

from lineset.pages.common.forms import Form
from lineset.pages.common.reader import Reader
from lineset.pages.public.landing import example

Sample = tuple[str, Callable[[Reader], dict[str, Any]]]

SAMPLES: dict[str, Sample] = {
    "landing": ("public/landing.html", lambda reader: {"example": example(reader)}),
    "sign-in": ("public/sign_in.html", lambda _reader: {"form": Form(), "mailbox": True, "notice": ""}),
    "sign-in-error": (
        "public/sign_in.html",
        lambda reader: {
            "form": Form(
                values={"email": "ana@example.org"},
                problem=reader.gettext("E-mail or password is wrong."),
                advice=reader.gettext("Check both, or set a new password."),
            ),
            "mailbox": False,
            "notice": "",
        },
    ),
}
