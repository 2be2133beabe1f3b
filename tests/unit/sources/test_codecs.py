import bz2
import gzip
import lzma
import random
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
import xxhash
import zstandard

from polyculture.sources.stream import Codec, find_codec
from schemas.source_config import LimitsConfig
from tests.unit.sources.helpers import Outcome, jsonl, lz4, read, rows, streams, warc, zst

RECORDS = rows(600)
LINES = jsonl(RECORDS)
TEXTS = [record["text"] for record in RECORDS]
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": partial(gzip.compress, mtime=0),
    "zstd": zst,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lz4": lz4,
    "lz4 unlinked": partial(lz4, is_linked=False),
}
BOMB_PACK: dict[str, Callable[[bytes], bytes]] = {
    "bzip2": partial(bz2.compress, compresslevel=1),
    "xz": partial(lzma.compress, preset=0),
    "lz4": lz4,
}
NEW = ["bzip2", "xz", "lz4", "lz4 unlinked"]
UNIT = {"gzip": "member", "zstd": "frame", "bzip2": "stream", "xz": "stream", "lz4": "frame"}


def codec_of(name: str) -> str:
    return name.partition(" ")[0]


def is_prefix(found: Outcome) -> bool:
    return found.texts == TEXTS[: len(found.texts)]


GOOD = {
    "bzip2": bz2.compress(LINES),
    "bzip2, fastest": bz2.compress(LINES, 1),
    "bzip2, 9 streams": streams(bz2.compress, LINES, 9),
    "bzip2, an empty stream first": bz2.compress(b"") + bz2.compress(LINES) + bz2.compress(b""),
    "xz": lzma.compress(LINES),
    "xz, CRC-32": lzma.compress(LINES, check=lzma.CHECK_CRC32),
    "xz, SHA-256": lzma.compress(LINES, check=lzma.CHECK_SHA256),
    "xz, unchecked": lzma.compress(LINES, check=lzma.CHECK_NONE),
    "xz, 9 streams": streams(lzma.compress, LINES, 9),
    "xz, an empty stream first": lzma.compress(b"") + lzma.compress(LINES),
    "lz4": lz4(LINES),
    "lz4, unlinked": lz4(LINES, is_linked=False),
    "lz4, unchecked": pa.compress(LINES, codec="lz4", asbytes=True),
    "lz4, 9 frames": lz4(LINES, 9),
    "lz4, an empty frame first": lz4(b" \n") + lz4(LINES),
    "lz4, skippable frames": b"\x50\x2a\x4d\x18\x03\0\0\0abc" * 2 + lz4(LINES, 2) + b"\x5f\x2a\x4d\x18\0\0\0\0",
}


@pytest.mark.parametrize("container", GOOD)
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.bz2", "a.gz"])
def test_every_codec_gives_the_same_documents_whatever_its_name(tmp_path: Path, container: str, name: str) -> None:
    found = read(tmp_path, name, GOOD[container])
    assert found.texts == TEXTS
    assert found.ids == [record["id"] for record in RECORDS]
    assert found.notes.warnings == []
    assert found.notes.format == "jsonl+" + container.partition(",")[0]


@pytest.mark.parametrize("name", NEW)
def test_a_text_of_many_blocks_is_read_twice_over(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polyculture.sources.stream.KEPT_BYTES", 0)
    records = rows(300, 2000)
    found = read(tmp_path, "a.jsonl", PACK[name](jsonl(records)))
    assert found.texts == [record["text"] for record in records]


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("cut", [0.02, 0.25, 0.5, 0.75, 0.99, -12, -9, -8, -5, -4, -3, -2, -1])
def test_a_cut_file_keeps_what_is_before_the_cut(tmp_path: Path, name: str, cut: float) -> None:
    packed = streams(PACK[name], LINES, 12)
    found = read(tmp_path, "a.jsonl", packed[: int(cut * len(packed))] if cut > 0 else packed[: int(cut)])
    assert is_prefix(found)
    assert found.reasons == {"decompress_error": 1}
    assert found.rejections[-1].is_tail
    assert "ends inside" in found.rejections[-1].detail
    assert found.rejections[-1].byte_offset == len(jsonl(RECORDS[: len(found.documents)]))
    if cut == 0.5:
        assert 200 < len(found.documents) < 400


@pytest.mark.parametrize("name", ["xz", "lz4", "lz4 unlinked"])
def test_one_stream_that_is_cut_keeps_its_first_blocks(tmp_path: Path, name: str) -> None:
    packed = PACK[name](LINES)
    found = read(tmp_path, "a.jsonl", packed[:-9])
    assert is_prefix(found)
    assert len(found.documents) > 300


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("length", [4, 6, 9, 10, 12])
def test_a_file_cut_inside_its_header_is_not_read_as_text(tmp_path: Path, name: str, length: int) -> None:
    found = read(tmp_path, "a.jsonl", PACK[name](LINES)[:length])
    assert found.documents == []
    assert found.reasons == {"decompress_error": 1}


@pytest.mark.parametrize("name", NEW)
def test_a_second_stream_cut_inside_its_header_is_lost_data_not_junk(tmp_path: Path, name: str) -> None:
    packed = PACK[name](LINES)
    for length in range(1, 12):
        found = read(tmp_path, "a.jsonl", packed + packed[:length])
        assert found.texts == TEXTS
        assert found.reasons == {"decompress_error": 1}


def mutate(data: bytes, draw: random.Random) -> bytes:
    """A flipped bit, random bytes, a cut, an insertion, a hole, or zeros."""
    changed = bytearray(data)
    at = draw.randrange(4, len(changed))
    length = min(draw.choice([1, 4, 32, 500]), len(changed) - at)
    kind = draw.randrange(6)
    if kind == 0:
        changed[at] ^= 1 << draw.randrange(8)
    elif kind == 1:
        changed[at : at + length] = draw.randbytes(length)
    elif kind == 2:
        del changed[at:]
    elif kind == 3:
        changed[at:at] = draw.randbytes(length)
    elif kind == 4:
        del changed[at : at + length]
    else:
        changed[at : at + length] = bytes(length)
    return bytes(changed)


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("name", NEW)
def test_150_mutants_change_no_text_and_lose_none_in_silence(tmp_path: Path, name: str, count: int) -> None:
    packed = streams(PACK[name], LINES, count)
    for seed in range(150):
        found = read(tmp_path, "a.jsonl", mutate(packed, random.Random(seed)))
        assert is_prefix(found)
        if len(found.documents) < 600:
            assert set(found.reasons) <= {"decompress_error", "bomb_size", "schema_mismatch"}
            assert found.notes.is_tail_lost


@pytest.mark.parametrize("name", PACK)
def test_a_small_last_stream_with_damage_at_one_end_is_no_junk(tmp_path: Path, name: str) -> None:
    draw = random.Random(20261123)
    last = PACK[name](jsonl(RECORDS[-3:]))
    first = PACK[name](jsonl(RECORDS[:-3]))
    for length in (1, 4, 6, 12):
        if length == 12 and name == "zstd":
            continue  # neither the header of its only block nor a trailer is left
        for _ in range(10):
            other = bytes(byte ^ draw.randrange(1, 256) for byte in last[:length])
            found = read(tmp_path, "a.jsonl", first + other + last[length:])
            assert found.texts == TEXTS[:-3]
            assert found.notes.is_tail_lost


@pytest.mark.parametrize("name", NEW)
def test_a_damaged_stream_leaves_those_before_it(tmp_path: Path, name: str) -> None:
    first, second = jsonl(RECORDS[:300]), jsonl(RECORDS[300:])
    packed = bytearray(PACK[name](first) + PACK[name](second))
    packed[-200] ^= 16
    found = read(tmp_path, "a.jsonl", bytes(packed))
    assert found.texts == TEXTS[:300]
    assert found.rejections[0].byte_offset == len(first)
    assert found.notes.lost_bytes == len(PACK[name](second))


JUNK = {
    "8 bytes": (b"junkjunk", ["8 bytes of junk"]),
    "a new line": (b"\n", ["1 bytes of junk"]),
    "padding": (bytes(512), ["512 zero bytes"]),
    "padding and junk": (bytes(99) + b"junk", ["99 zero bytes", "4 bytes of junk"]),
    "a digest": (random.Random(1).randbytes(32), ["32 bytes of junk"]),
    "300 random bytes": (random.Random(2).randbytes(300), ["300 bytes of junk"]),
    "a page": (b"<html>404 not found</html>\n" * 1000, ["27000 bytes of junk"]),
    "JSON": (b'{"text": "never a document"}\n', ["29 bytes of junk"]),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("name", PACK)
def test_bytes_after_the_end_are_counted_and_never_read(tmp_path: Path, name: str, junk: str) -> None:
    data, said = JUNK[junk]
    found = read(tmp_path, "a.jsonl", streams(PACK[name], LINES, 3) + data)
    unit = f"{codec_of(name)} {UNIT[codec_of(name)]}"
    assert found.texts == TEXTS
    assert found.rejections == []
    assert found.notes.warnings == [f"{count} follow the last {unit}" for count in said]


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("inside", PACK)
def test_junk_that_holds_another_stream_is_a_lost_tail(tmp_path: Path, name: str, inside: str) -> None:
    damaged = b"some text" + PACK[inside](LINES)
    found = read(tmp_path, "a.jsonl", PACK[name](LINES) + damaged)
    assert found.texts == TEXTS
    assert found.reasons == {"decompress_error": 1}
    assert found.notes.lost_bytes == len(damaged)


def test_padding_between_xz_streams_is_allowed_and_told(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl", lzma.compress(LINES) + bytes(8) + lzma.compress(LINES))
    assert found.texts == TEXTS * 2
    assert found.notes.warnings == ["8 zero bytes between xz streams"]
    odd = read(tmp_path, "a.jsonl", lzma.compress(LINES) + bytes(7) + lzma.compress(LINES))
    assert odd.texts == TEXTS
    assert odd.notes.is_tail_lost


@pytest.mark.parametrize("outer", PACK)
@pytest.mark.parametrize("inner", PACK)
def test_a_file_that_was_packed_twice_is_refused(tmp_path: Path, outer: str, inner: str) -> None:
    found = read(tmp_path, "a.jsonl", PACK[outer](PACK[inner](LINES)))
    assert found.documents == []
    assert found.reasons == {"schema_mismatch": 1}
    assert found.rejections[0].detail.startswith(f"{codec_of(inner)} inside another compression")
    assert "unpack it once" in found.rejections[0].detail


@pytest.mark.parametrize(
    ("data", "command"),
    [
        (lzma.compress(LINES, lzma.FORMAT_ALONE), "xz -dc --format=lzma FILE | xz > NEW"),
        (b"\x02\x21\x4c\x18" + bytes(50), "lz4 -dc FILE | lz4 > NEW"),
        (b"LZIP\x01\x0c\0\0\0\x01", "lzip -dc FILE | xz > NEW"),
        (b"\x1f\x9d\x90ab\0\x01", "gzip -dc FILE | gzip > NEW"),
    ],
    ids=["lzma", "legacy lz4", "lzip", "compress"],
)
def test_formats_that_are_not_read_are_refused_with_a_command(tmp_path: Path, data: bytes, command: str) -> None:
    found = read(tmp_path, "a.jsonl", data)
    assert found.documents == []
    assert command in found.rejections[0].detail


@pytest.mark.parametrize("name", BOMB_PACK)
def test_bombs_are_set_aside(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, "a.jsonl", BOMB_PACK[name](bytes(80 * 2**20)))
    assert found.reasons == {"bomb_ratio": 1}
    assert found.notes.is_tail_lost
    limited = read(tmp_path, "a.jsonl", PACK[name](LINES), limits=LimitsConfig(max_file_bytes=10_000))
    assert limited.reasons == {"bomb_size": 1}
    assert is_prefix(limited)


def test_an_xz_dictionary_over_the_limit_is_refused_and_the_limit_lifts_it(tmp_path: Path) -> None:
    packed = lzma.compress(LINES, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**23}])
    found = read(tmp_path, "a.jsonl", packed, limits=LimitsConfig(max_xz_dictionary_bytes=2**20))
    assert found.reasons == {"bomb_size": 1}
    assert "limits.max_xz_dictionary_bytes" in found.rejections[0].detail
    assert read(tmp_path, "a.jsonl", packed, limits=LimitsConfig(max_xz_dictionary_bytes=2**23)).texts == TEXTS


def wide_zstd(window_log: int) -> bytes:
    settings = zstandard.ZstdCompressionParameters(
        window_log=window_log, hash_log=12, chain_log=12, write_content_size=False, write_checksum=True
    )
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    return packer.compress(LINES) + packer.flush()


def test_a_zstd_window_over_the_limit_is_refused_and_the_limit_lifts_it(tmp_path: Path) -> None:
    packed = wide_zstd(24)
    found = read(tmp_path, "a.jsonl", packed, limits=LimitsConfig(max_zstd_window_bytes=2**23))
    assert found.reasons == {"bomb_size": 1}
    assert "16777216 bytes, at most 8388608 (limits.max_zstd_window_bytes)" in found.rejections[0].detail
    assert "zstd -dc --long=31 FILE | zstd -o NEW" in found.rejections[0].detail
    assert read(tmp_path, "a.jsonl", packed, limits=LimitsConfig(max_zstd_window_bytes=2**24)).texts == TEXTS


def test_the_widest_zstd_window_is_read_if_allowed(tmp_path: Path) -> None:
    header = b"\x28\xb5\x2f\xfd\x00" + bytes([(31 - 10) << 3])  # 2 GiB, a stored block
    packed = header + struct.pack("<I", 14 << 3 | 1)[:3] + b'{"text": "x"}\n'
    assert read(tmp_path, "a.jsonl", packed).reasons == {"bomb_size": 1}
    assert read(tmp_path, "a.jsonl", packed, limits=LimitsConfig(max_zstd_window_bytes=2**31)).texts == ["x"]


PAGES = [warc("conversion", f"The text of page number {i}".encode(), "text/plain", number=i) for i in range(200)]
SAID = [f"The text of page number {i}" for i in range(200)]
TRAINED = zstandard.train_dictionary(4096, [*PAGES * 5])


def dictionary_frame(data: bytes) -> bytes:
    return b"\x5d\x2a\x4d\x18" + struct.pack("<I", len(data)) + data


def packed_pages() -> bytes:
    packer = zstandard.ZstdCompressor(dict_data=TRAINED, write_checksum=True)
    return b"".join(map(packer.compress, PAGES))


@pytest.mark.parametrize("pack", [bytes, zst, zstandard.compress], ids=["plain", "zstd", "zstd without checksum"])
def test_a_dictionary_inside_the_file_is_used(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = dictionary_frame(pack(TRAINED.as_bytes())) + packed_pages()
    found = read(tmp_path, "a.warc.zst", packed)
    assert found.texts == SAID
    assert found.notes.format == "warc+zstd"
    cut = read(tmp_path, "a.warc.zst", packed[: 3 * len(packed) // 4])
    assert 0 < len(cut.documents) < 200
    assert cut.texts == SAID[: len(cut.documents)]
    assert cut.notes.is_tail_lost


def test_frames_without_an_id_may_follow_a_dictionary(tmp_path: Path) -> None:
    packed = dictionary_frame(TRAINED.as_bytes()) + b"".join(map(zst, PAGES))
    assert read(tmp_path, "a.warc.zst", packed).texts == SAID


def test_a_file_with_the_wrong_or_no_dictionary_is_refused(tmp_path: Path) -> None:
    other = zstandard.train_dictionary(1024, [f"{i} words to train {i * i}".encode() for i in range(2000)])
    wanted = f"dictionary {TRAINED.dict_id()}"
    for front in (b"", dictionary_frame(other.as_bytes()), dictionary_frame(b"no dictionary")):
        found = read(tmp_path, "a.warc.zst", front + packed_pages())
        assert found.documents == []
        assert found.reasons == {"decompress_error": 1}
        assert wanted in found.rejections[0].detail


@pytest.mark.parametrize("size", [0, 3, 4, 8, 100])
def test_a_dictionary_that_is_cut_is_no_crash(tmp_path: Path, size: int) -> None:
    for data in (TRAINED.as_bytes(), zst(TRAINED.as_bytes())):
        whole = dictionary_frame(data)
        for packed in (whole[: 8 + size], dictionary_frame(data[:size]) + packed_pages()):
            found = read(tmp_path, "a.warc.zst", packed)
            assert found.documents == []
            assert found.notes.is_tail_lost or packed == whole[:8]


def test_an_lz4_header_is_verified(tmp_path: Path) -> None:
    packed = bytearray(lz4(LINES))
    packed[5] ^= 0x10
    found = read(tmp_path, "a.jsonl", bytes(packed))
    assert "checksum of a frame's header" in found.rejections[0].detail


def lz4_header(flags: int, descriptor: int, rest: bytes = b"") -> bytes:
    start = bytes([flags, descriptor]) + rest
    return b"\x04\x22\x4d\x18" + start + bytes([xxhash.xxh32_intdigest(start) >> 8 & 0xFF])


@pytest.mark.parametrize(
    ("header", "reason", "said"),
    [
        (lz4_header(0x61, 0x40, bytes(4)), "decompress_error", "dictionary"),
        (lz4_header(0xA0, 0x40), "decompress_error", "version"),
        (lz4_header(0x60, 0x30), "decompress_error", "version"),
        (lz4_header(0x68, 0x40, struct.pack("<Q", 2**50)), "bomb_size", "limits.max_file_bytes"),
        (lz4_header(0x68, 0x40, struct.pack("<Q", 5)), "decompress_error", "its header says 5"),
    ],
)
def test_lz4_frames_that_cannot_be_read_are_refused(tmp_path: Path, header: bytes, reason: str, said: str) -> None:
    found = read(tmp_path, "a.jsonl", header + bytes(4))
    assert found.reasons == {reason: 1}
    assert said in found.rejections[0].detail


def test_lz4_block_checksums_are_verified(tmp_path: Path) -> None:
    block = struct.pack("<I", len(LINES[:60_000]) | 2**31) + LINES[:60_000]
    good = lz4_header(0x70, 0x40) + block + struct.pack("<I", xxhash.xxh32_intdigest(block[4:])) + bytes(4)
    assert read(tmp_path, "a.jsonl", good).texts[:300] == TEXTS[:300]
    bad = bytearray(good)
    bad[100] ^= 1
    assert "checksum of a block" in read(tmp_path, "a.jsonl", bytes(bad)).rejections[0].detail


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        (b"BZh91AY&SY", Codec.BZIP2),
        (b"BZh1\x17\x72\x45\x38\x50\x90", Codec.BZIP2),
        (b"BZh01AY&SY", Codec.PLAIN),
        (b"BZhang wrote", Codec.PLAIN),
        (b"BZh9 wrote this", Codec.PLAIN),
        (b"\xfd7zXZ\x00", Codec.XZ),
        (b"\xfd7", Codec.XZ),
        (b"\x04\x22\x4d\x18", Codec.LZ4),
    ],
)
def test_compression_is_told_by_magic(head: bytes, codec: Codec) -> None:
    assert find_codec(head) is codec
