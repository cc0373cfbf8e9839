"""Errors that people may read. Each says what happened and what to do; the edges turn them into pages or problem+json."""

from http import HTTPStatus


class LinesetError(Exception):
    """A refusal with a stable code for programs and a sentence for people."""

    status: HTTPStatus = HTTPStatus.BAD_REQUEST

    def __init__(self, code: str, say: str) -> None:
        super().__init__(say)
        self.code = code
        self.say = say


class Invalid(LinesetError):
    """What was given can't be used as it is; `field` names the form field at fault where there is one."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, code: str, say: str, field: str | None = None) -> None:
        super().__init__(code, say)
        self.field = field


class NotFound(LinesetError):
    """It does not exist, or the asker may not know whether it does."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self, what: str) -> None:
        super().__init__("not_found", f"There is no such {what}, or it is not shared with you.")


class Denied(LinesetError):
    """The asker is known and may see the thing, but may not do this to it."""

    status = HTTPStatus.FORBIDDEN


class Conflict(LinesetError):
    """The thing is not in the state that this needs."""

    status = HTTPStatus.CONFLICT


class TooMany(LinesetError):
    """The asker must wait; `wait_s` says how long."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, code: str, say: str, wait_s: int) -> None:
        super().__init__(code, say)
        self.wait_s = wait_s
