"""History and exports in S3-compatible storage, on a real server of that interface."""

import io
import zipfile
from collections.abc import Iterator

import msgspec
import obstore
import polars as pl
import pytest
from lineset.embedded.ports import free_port
from lineset.kit.errors import LinesetError
from lineset.kit.settings import S3, Settings
from lineset.probing import objects
from lineset.probing.canary import canary
from lineset.probing.run import probe
from obstore.store import S3Store

from tests.support.engines import Engines


@pytest.fixture
def settings(installation: Engines, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to load

    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    s3 = S3(endpoint=f"http://127.0.0.1:{port}", region="us-east-1", key_id="key", secret="secret")
    try:
        import httpx  # noqa: PLC0415 - only here

        assert httpx.put(f"{s3.endpoint}/bucket").status_code == 200
        yield msgspec.structs.replace(installation.settings, history_url="s3://bucket/lineset", s3=s3)
    finally:
        server.stop()


def test_every_object_is_decoded_also_those_that_nothing_names(settings: Settings) -> None:
    shared = objects.whole_storage(settings)
    assert shared is not None
    store = shared.store()
    assert isinstance(store, S3Store)
    table, archive = io.BytesIO(), io.BytesIO()
    pl.DataFrame({"room_temperature": pl.Series([20.0, 31.41593], dtype=pl.Float32)}).write_parquet(table, statistics=False)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("readings.csv", "t,v\n" * 500 + "1,31.41593\n")
    for path, content in (("history/raw/period=2026-01-01/a.parquet", table), ("exports/b.zip", archive)):
        obstore.put(store, path, content.getvalue())
    obstore.put(store, "elsewhere/Rumpelstilz.txt", b"nothing")
    found = probe(settings, [canary("31.41593"), canary("Rumpelstilz")])
    assert found.places == [
        {
            "history": ["s3://bucket/lineset/history/raw/period=2026-01-01/a.parquet (rows 0 to 2)"],
            "exports": ["s3://bucket/lineset/exports/b.zip (readings.csv, byte 2002)"],
        },
        {"rest": ["the name of elsewhere/Rumpelstilz.txt"]},
    ]
    obstore.delete(store, ["history/raw/period=2026-01-01/a.parquet", "exports/b.zip", "elsewhere/Rumpelstilz.txt"])
    assert probe(settings, [canary("31.41593"), canary("Rumpelstilz")]).places == [{}, {}]


def test_storage_that_does_not_answer_proves_nothing(settings: Settings) -> None:
    gone = msgspec.structs.replace(settings, history_url="s3://another/lineset")
    with pytest.raises(LinesetError, match="nothing is proven"):
        probe(gone, [canary("31.41593")])
