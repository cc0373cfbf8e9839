"""What the asker is doing, as a code: said once where a request or job comes in, and written into the access log."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_CODE = re.compile(r"[a-z][a-z_]{1,39}$")
_present: ContextVar[str] = ContextVar("action", default="look")


def present_action() -> str:
    """The code of what is being done: "look" where nobody said."""
    return _present.get()


def note_action(code: str) -> None:
    """Say what the rest of this request or job does.

    Raises:
        ValueError: the code is not made of small letters and underscores.
    """
    if not _CODE.match(code):
        raise ValueError(f"{code!r} is no code of an action: use up to 40 small letters and underscores")
    _present.set(code)


@contextmanager
def acting(code: str) -> Iterator[None]:
    """Say what is done within the block. Raises ValueError as `note_action` does."""
    before = _present.get()
    note_action(code)
    try:
        yield
    finally:
        _present.set(before)
