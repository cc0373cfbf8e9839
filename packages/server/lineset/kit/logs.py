"""Logs of the platform's processes: a JSON object a line where a supervisor reads them, plain lines on a terminal.

Nothing here may hold personal data: log ids, codes, counts and times. Traces of errors have no values of variables.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, TextIO

import structlog

FORMAT = "LINESET_LOG"  # "json" or "text"; a terminal gets text, anything else JSON

# libraries that say more than anybody reads
_LEAST = {
    "asyncio": logging.ERROR,
    "nats": logging.ERROR,
    "_granian": logging.WARNING,
    "alembic": logging.WARNING,
    "procrastinate": logging.WARNING,
    "httpx": logging.WARNING,
}
_ROW = re.compile(r"^DETAIL:.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
"""What PostgreSQL adds to an error of the row that it is about, with its values."""
_QUOTED = re.compile(
    r"""((?:constraint|relation|column|table|index|function|schema|role|database) "[\w.]+")|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
)
"""What messages of errors quote: names of the schema (kept), and values of whoever gave them."""
_MOST_MESSAGE = 1_000
_Caught = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(role: str, level: int = logging.INFO) -> None:
    """Send everything that this process logs, by structlog or by the standard library, to standard output. `role` stands in each line."""
    chosen = os.environ.get(FORMAT) or ("text" if sys.stdout.isatty() else "json")
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="t"),
    ]
    ending: list[Any]
    if chosen == "json":
        ending = [structlog.processors.ExceptionRenderer(_trace), structlog.processors.JSONRenderer()]
    else:
        ending = [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), timestamp_key="t", exception_formatter=_write_trace)]
    structlog.configure(
        processors=[*shared, _with_role(role), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _with_role(role)],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _LEAST.items():
        logging.getLogger(name).setLevel(max(level, least))


def _trace(exc_info: _Caught) -> str:
    """The trace of an error as text, without the database's row, what messages quote and the values of variables."""
    return "".join(_told(exc_info[1], set())).rstrip()


def _told(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _told(before, seen)
        yield "\nwhich led to:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    said = without_values(str(error))
    yield f"{name}: {said}\n" if said else f"{name}\n"
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _told(inner, seen)


def without_values(message: str) -> str:
    """The message of an error without what it quotes, which may be somebody's; names of the schema stay."""
    told = _QUOTED.sub(lambda found: found[1] or "'…'", _ROW.sub("", message))
    return told[:_MOST_MESSAGE]


def _write_trace(out: TextIO, caught: _Caught) -> None:
    out.write(f"\n{_trace(caught)}")


def _with_role(role: str) -> Any:
    def add(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
        event["role"] = role
        return event

    return add
