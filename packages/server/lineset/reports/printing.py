"""A document as PDF, or as pictures of its pages. Run as a program it does so in a process of its own, which gives its memory back."""

import asyncio
import contextlib
import sys
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Literal

import msgspec

from lineset.reports.document import Document
from lineset.reports.plots import STYLE

PAPERS = ("a4", "us-letter")
MOST_S = 60.0
"""A report takes about a second to set; whatever takes this long never ends."""
_AT_ONCE = asyncio.Semaphore(1)
_FOLDER = resources.files("lineset.reports")


class Unprintable(Exception):
    """The typesetter refused the document; the message is its own."""


def pdf(document: Document, paper: str = "a4") -> bytes:
    """The document as a tagged PDF after PDF/UA-1, without anything that the fonts of this machine decide."""
    made: bytes = _set(document, paper, "pdf", pdf_standards=["ua-1"], timestamp=datetime.now(UTC).replace(microsecond=0))[0]
    return made


def pictures(document: Document, paper: str = "a4", dots_per_inch: float = 96.0) -> list[bytes]:
    """Each page of the document as a PNG."""
    return _set(document, paper, "png", ppi=dots_per_inch)


def _set(document: Document, paper: str, kind: Literal["pdf", "png"], **more: Any) -> list[bytes]:
    import typst  # noqa: PLC0415 - only who prints needs it

    with resources.as_file(_FOLDER.joinpath("fonts")) as fonts:
        known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)])
        given = {"document": msgspec.json.encode(document).decode(), "paper": paper, "style": STYLE}
        try:
            found: Any = typst.Compiler(font_paths=known).compile(
                _FOLDER.joinpath("report.typ").read_bytes(), format=kind, sys_inputs=given, **more
            )
        except typst.TypstError as error:
            raise Unprintable(str(error)) from None
    return found if isinstance(found, list) else [found]


async def print_apart(document: Document, paper: str = "a4") -> bytes:
    """As `pdf`, in a process of its own and one at a time, so that a web process neither waits nor grows.

    Raises:
        Unprintable: the typesetter refused the document, or took too long.
    """
    async with _AT_ONCE:
        command = (sys.executable, "-m", "lineset.reports.printing", paper)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            made, said = await asyncio.wait_for(process.communicate(msgspec.json.encode(document)), MOST_S)
        except TimeoutError:
            raise Unprintable("it took too long") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            raise Unprintable(said.decode(errors="replace")[-500:])
        return made


def main() -> None:
    """Read a document from standard input, write its PDF to standard output."""
    document = msgspec.json.decode(sys.stdin.buffer.read(), type=Document)
    sys.stdout.buffer.write(pdf(document, sys.argv[1] if sys.argv[1:] and sys.argv[1] in PAPERS else PAPERS[0]))


if __name__ == "__main__":
    main()
