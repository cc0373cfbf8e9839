"""Bytes that are not what they look like end no search: a page or a record may be half written or written over."""

import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineset.probing import pages, pglz, wal
from lineset.probing.canary import Search, canary

SEARCH = Search([canary("Rumpelstilz")])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 5000))
def test_decompression_gives_what_fits_or_refuses(source: bytes, size: int) -> None:
    try:
        assert len(pglz.decompress(source, size)) <= size
    except pglz.Broken:
        assert any(source)  # zeros are no copies


def test_decompression_reads_literals_and_copies() -> None:
    assert pglz.decompress(b"\x00abcdefgh" + b"\x02X" + bytes([0x01, 0x02]), 13) == b"abcdefghXhXhX"
    run = bytes([0b10]) + b"a" + bytes([0x0F, 0x01, 0x20])  # a byte, and a copy of length 18 + 32 from one byte before
    assert pglz.decompress(run, 100) == b"a" * 51
    with pytest.raises(pglz.Broken):
        pglz.decompress(bytes([0x01, 0x00, 0x05]), 10)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_a_page_of_anything_is_read(head: bytes) -> None:
    page = (head + b"\x01\xff\x03" * pages.PAGE)[: pages.PAGE]
    list(pages.toast_pieces(page))
    assert pages.in_page(page, SEARCH) == set()
    assert pages.in_page(page[:-11] + b"Rumpelstilz", SEARCH) == {0}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_a_record_of_anything_is_read(body: bytes) -> None:
    record = struct.pack("<I", 24 + len(body)) + bytes(20) + body
    try:
        assert all(len(image) <= pages.PAGE + 65535 for image in wal.images(record))
    except wal.Unreadable as error:
        assert "wal_compression" in str(error)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=3000), st.integers(0, 4_000))
def test_a_log_of_anything_is_searched(content: bytes, length: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "000000010000000000000001"
        path.write_bytes(content + b"\x18\0\0\0\xff" * length)
        try:
            found = [step for step in wal.scan_log([path, path.with_name("000000010000000000000002")], SEARCH) if isinstance(step, dict)]
        except wal.Unreadable:
            return
        assert found == [{}]
