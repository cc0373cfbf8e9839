"""The file that people get: pages to read in a browser, JSON and CSV of every table, and what domains added, with a manifest of all."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any
from uuid import UUID

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Column, DateTime
from sqlalchemy import Table as SqlTable

from lineset.kit import objects
from lineset.kit.archive import Archive, Entry
from lineset.kit.storage import Storage
from lineset.privacy.declare import Holds
from lineset.privacy.exporting.plan import ROWS
from lineset.privacy.exporting.rows import columns_of, left_out, name_of
from lineset.privacy.register import Register
from lineset.privacy.vocabulary import CATEGORIES, PURPOSES, Purpose, Sensitivity

SCHEMA = "lineset.copy/1"
SHOWN_ROWS = 100
"""Rows of a table that the page shows; the files have all."""
_SHOWN_TEXT = 300
_FORMULA = "=+-@\t\r"


@dataclass(frozen=True, slots=True)
class Cover:
    """For whom and when a copy is made, and in which words."""

    person: UUID
    subjects: Sequence[UUID]
    asked_at: datetime
    made_at: datetime
    language: str
    words: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Part:
    """A finished part and its object; `path` None where there was nothing."""

    subject: UUID
    maker: str
    name: str
    args: dict[str, Any]
    path: str | None
    rows: int
    bytes: int
    sha256: str


@dataclass(slots=True)
class Shown:
    """One table on the page: `cells` of its first rows."""

    title: str
    why: str
    until: str
    count: int
    files: list[str]
    headings: list[tuple[str, str]] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class Section:
    """What the page shows about one subject. `folders`: files that are not tables, by folder, with how many rows they hold together."""

    title: str
    tables: list[Shown] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    folders: dict[str, list[int]] = field(default_factory=dict)


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    page: dict[str, dict[str, str]]
    columns: dict[str, str]


@cache
def _words() -> _Words:
    return msgspec.yaml.decode(resources.files("lineset.privacy.exporting").joinpath("words.yaml").read_bytes(), type=_Words)


def put_together(storage: Storage, register: Register, export: UUID, cover: Cover, parts: Sequence[Part]) -> objects.Written:
    """Write the ZIP, with one piece of one part in memory at a time. Blocks.

    Raises:
        Spoilt: the object of a part was lost.
    """
    sink = objects.Sink(storage, objects.file_path(export, "zip"))
    listed: list[dict[str, Any]] = []
    sections: dict[UUID, Section] = {}
    homes = [s for s in cover.subjects if s != cover.person]
    with Archive(sink, cover.made_at) as archive:
        for part in parts:
            number = 0 if part.subject == cover.person else homes.index(part.subject) + 1
            section = sections.setdefault(part.subject, Section(_title(cover, number)))
            if part.maker == ROWS:
                _add_table(archive, storage, register, cover, part, section, listed)
            elif part.path is not None:
                entry = archive.pieces(f"data/{part.name}", objects.pieces(storage, part.path, part.sha256), packed=True)
                listed.append({**_entry(entry), "rows": part.rows, "subject": str(part.subject), "maker": part.maker})
                counts = section.folders.setdefault(f"data/{part.name.rpartition('/')[0]}", [0, 0])
                counts[0], counts[1] = counts[0] + 1, counts[1] + part.rows
        page = archive.pieces("index.html", _page(register, cover, list(sections.values())))
        listed.append(_entry(page))
        archive.text("manifest.json", _manifest(register, cover, listed))
    return sink.finish()


def _add_table(
    archive: Archive, storage: Storage, register: Register, cover: Cover, part: Part, section: Section, listed: list[dict[str, Any]]
) -> None:
    table, declared = register.metadata.tables[part.args["table"]], register.table(part.args["table"])
    title = cover.words(declared.about)
    if part.path is None:
        section.empty.append(title)
        return
    columns = columns_of(table)
    path, sha = part.path, part.sha256
    names = [name_of(c) for c in columns]
    facts = {"table": str(table.name), "about": declared.about, "subject": str(part.subject), "columns": _described(columns)}
    made = (
        archive.pieces(f"data/{part.name}.json", _json(facts, objects.lines(storage, path, sha))),
        archive.pieces(f"data/{part.name}.csv", _csv(names, objects.lines(storage, path, sha))),
    )
    listed += [{**_entry(entry), "rows": part.rows, "maker": ROWS, **{k: facts[k] for k in ("table", "subject")}} for entry in made]
    shown = Shown(title, _why(declared.purposes, cover), _until(register, table, cover), part.rows, [entry.name for entry in made])
    seen = [c for c in columns if _holds(c).sensitivity is not Sensitivity.NONE] or columns
    shown.headings = [(column_words(name_of(c), cover.language), cover.words(CATEGORIES[_holds(c).category])) for c in seen]
    for number, text in enumerate(objects.lines(storage, path, sha)):
        if number == SHOWN_ROWS:
            break
        row = msgspec.json.decode(text)
        shown.cells.append([_cell(row[name_of(c)], c, cover) for c in seen])
    section.tables.append(shown)


def _json(facts: dict[str, Any], lines: Iterable[bytes]) -> Iterator[bytes]:
    """One JSON object: what the table is, then its rows, one a line."""
    yield msgspec.json.encode(facts)[:-1] + b',"rows":['
    for number, text in enumerate(lines):
        yield (b",\n" if number else b"\n") + text
    yield b"\n]}\n"


def _csv(names: list[str], lines: Iterable[bytes]) -> Iterator[bytes]:
    """CSV (RFC 4180 with line feeds, UTF-8 with a mark for spreadsheets): what people wrote never begins a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    yield b"\xef\xbb\xbf"
    for text in lines:
        row = msgspec.json.decode(text)
        writer.writerow([_flat(row[name]) for name in names])
        if out.tell() > objects.CHUNK // 16:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _flat(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value[:1] and value[0] in _FORMULA else value
    return msgspec.json.encode(value).decode()


def _cell(value: Any, column: "Column[Any]", cover: Cover) -> str:
    """A value as the page shows it."""
    page = _page_words(cover.language)
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return page["yes"] if value else page["no"]
    if isinstance(value, str) and isinstance(column.type, DateTime):
        return f"{value[:19].replace('T', ' ')} UTC"
    if value == str(cover.person):
        return page["you"]
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN_TEXT else f"{text[:_SHOWN_TEXT]} …"


def column_words(name: str, language: str) -> str:
    """The name of a column in words; in English as its words stand, in Spanish where the list has them."""
    plain = name.replace("_", " ")
    return _words().columns.get(name, plain) if language == "es" else plain


def _page_words(language: str) -> dict[str, str]:
    page = _words().page
    return page.get(language, page["en"])


def _title(cover: Cover, number: int) -> str:
    page = _page_words(cover.language)
    return page["household"].format(number=number) if number else page["about_you"]


def _why(purposes: Sequence[Purpose], cover: Cover) -> str:
    return "; ".join(dict.fromkeys(cover.words(PURPOSES[p].title) for p in purposes if p in PURPOSES))


def _until(register: Register, table: SqlTable, cover: Cover) -> str:
    kept, page = register.table(table.name).retention, _page_words(cover.language)
    if kept.anchor not in table.columns:
        return page["while_account"]
    return page["until"].format(days=kept.days or 0, anchor=column_words(kept.anchor, cover.language))


def _described(columns: "Sequence[Column[Any]]") -> dict[str, dict[str, str]]:
    """What each column holds, for programs."""
    return {
        name_of(c): {"category": _holds(c).category, "sensitivity": _holds(c).sensitivity.value, "type": str(c.type).lower()}
        for c in columns
    }


def _holds(column: "Column[Any]") -> Holds:
    holds = column.info["holds"]
    assert isinstance(holds, Holds)  # noqa: S101 - the register has checked every column
    return holds


def _entry(entry: Entry) -> dict[str, Any]:
    return {"path": entry.name, "bytes": entry.bytes, "sha256": entry.sha256}


def _left_out(register: Register, cover: Cover) -> list[tuple[str, str, str]]:
    """What is not in the copy: table in words, column in words, reason."""
    return [
        (
            cover.words(register.table(out.table).about),
            column_words(out.column.removesuffix("_sealed"), cover.language),
            cover.words(out.why),
        )
        for out in left_out(register)
    ]


def _page(register: Register, cover: Cover, sections: Sequence[Section]) -> Iterator[bytes]:
    """`index.html`: readable without anything else, light and dark, asking no other place for anything."""
    template = _environment().get_template("index.html")
    page = template.generate(
        w=_page_words(cover.language),
        language=cover.language,
        cover=cover,
        made_at=f"{cover.made_at:%Y-%m-%d %H:%M} UTC",
        sections=sections,
        left_out=_left_out(register, cover),
        shown_rows=SHOWN_ROWS,
        rows=sum(t.count for s in sections for t in s.tables),
    )
    return (piece.encode() for piece in page)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("lineset.privacy.exporting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _manifest(register: Register, cover: Cover, listed: list[dict[str, Any]]) -> str:
    """`manifest.json`: every file with its size and SHA-256, and what is left out with the reason."""
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "schema": SCHEMA,
                "person": str(cover.person),
                "subjects": [str(s) for s in cover.subjects],
                "asked_at": cover.asked_at,
                "made_at": cover.made_at,
                "files": listed,
                "left_out": [{"table": o.table, "column": o.column, "reason": o.why} for o in left_out(register)],
            }
        )
    ).decode()
