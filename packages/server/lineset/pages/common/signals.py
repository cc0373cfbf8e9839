"""What a browser says about privacy before anybody asks: Global Privacy Control and Do Not Track; and its answer about cookies.

Only the exact value 1 counts (Global Privacy Control, W3C, section 3.2; California Code of Regulations, title 11, section 7025).
"""

from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Request

from lineset.accounts import Principal, describe_agent
from lineset.kit.clock import now
from lineset.privacy import Cookie, Door, Purpose, Register, withdraw
from lineset.privacy.egress import note_signal

SIGNAL = "ls_signal"
CHOICE = "ls_choice"
MOST_KNOWN = 20_000
STOPPED = ((Purpose.ANALYTICS, ""), (Purpose.NEWS, "opened"))
"""What a signal says no to for the person whose browser sends it: counting of use, and telling that a mail was opened."""

Asked = Request[Any, Any, Any]


class Signals(msgspec.Struct, frozen=True):
    """What this browser sends, and what its user answered about cookies that are not needed ("" for nothing yet)."""

    gpc: bool = False
    dnt: bool = False
    answer: Literal["", "yes", "no"] = ""

    @property
    def sent(self) -> tuple[str, ...]:
        """The signals by name, the stronger first."""
        return tuple(name for name, on in (("gpc", self.gpc), ("dnt", self.dnt)) if on)

    @property
    def optional(self) -> bool:
        """Whether anything that is not needed may be kept in this browser: only on a yes, and never against a signal."""
        return self.answer == "yes" and not self.sent

    def asks(self, register: Register) -> bool:
        """Whether to ask: there is something to ask about, nobody answered, and no signal answers for them."""
        return any(cookie.asks for cookie in optional_stores(register)) and not self.answer and not self.sent


def optional_stores(register: Register) -> tuple[Cookie, ...]:
    """Cookies and entries of web storage that the pages can do without."""
    return tuple(cookie for cookie in register.cookies if not cookie.needed)


def signals_of(request: Asked) -> Signals:
    """What this request says. A script passes on what a browser says to scripts alone, by a cookie."""
    answer = request.cookies.get(CHOICE, "")
    return Signals(
        gpc=request.headers.get("sec-gpc") == "1" or request.cookies.get(SIGNAL) == "gpc",
        dnt=request.headers.get("dnt") == "1",
        answer="yes" if answer == "yes" else "no" if answer == "no" else "",
    )


class Heeded:
    """Keeps signals of signed-in people as opt-outs of their accounts: at most one transaction a day for each person and signal."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._known: dict[tuple[UUID, str], date] = {}

    async def heed(self, request: Asked, who: Principal) -> None:
        """Keep what this browser sends for the account of whoever uses it."""
        today = now().date()
        sent = [name for name in signals_of(request).sent if self._known.get((who.person_id, name)) != today]
        if not sent:
            return
        browser = describe_agent(request.headers.get("user-agent", ""))
        async with self._door.open(who.acts(Purpose.RIGHTS)) as tx:
            for name in sent:
                await note_signal(tx, who.person_id, name, browser)
            for purpose, detail in STOPPED:
                await withdraw(tx, who.person_id, purpose, detail, channel="signal", language=who.language, steps=sent)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known |= {(who.person_id, name): today for name in sent}

    def forget(self, person: UUID) -> None:
        """Keep the next signal of this person again, after the kept ones have been taken back."""
        self._known = {key: day for key, day in self._known.items() if key[0] != person}
