"""What the demo has done so far, so that a start that was cut short goes on where it stopped."""

import os
import secrets
import string
from pathlib import Path
from uuid import UUID

import msgspec

_LETTERS = string.ascii_letters + string.digits


class Sign(msgspec.Struct):
    """One demo account. Password and token are random and exist nowhere but here."""

    email: str
    password: str
    person: UUID | None = None
    token: str = ""


class Machine(msgspec.Struct):
    """A machine of the demo."""

    id: UUID
    type: str
    local: str


class Home(msgspec.Struct):
    """One home: its people, site, machines, and the code that enrols its gateway."""

    people: list[Sign] = []
    household: UUID | None = None
    site: UUID | None = None
    machines: list[Machine] = []
    gateway: UUID | None = None
    code: str = ""
    history: bool = False


class Device(msgspec.Struct):
    """A claimed gateway without an agent, for trying by hand."""

    gateway: UUID
    token: str
    equipment: UUID


class Notes(msgspec.Struct):
    """All of it. `anchor`: the moment, in seconds since 1970, that the recorded history ends at."""

    anchor: float
    operator: Sign
    contractors: list[list[Sign]] = []
    companies: list[UUID] = []
    homes: dict[str, Home] = {}
    device: Device | None = None


def password() -> str:
    """A random password of 16 letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(16))


def read(path: Path) -> Notes | None:
    """The notes of an earlier start, if there was one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Notes)
    except FileNotFoundError:
        return None


def write(path: Path, content: object) -> None:
    """Replace a file of mode 600 as a whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=2))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
