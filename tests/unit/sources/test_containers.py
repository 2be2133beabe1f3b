import gzip
import random
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
import zstandard

from polyculture.sources.stream import Codec, find_codec
from schemas.source_config import LimitsConfig
from tests.unit.sources.helpers import Outcome, http, jsonl, members, page, read, rows, warc, zst

RECORDS = rows(600)
LINES = jsonl(RECORDS)
TEXTS = [record["text"] for record in RECORDS]
PACKED = {"gz": gzip.compress(LINES, mtime=0), "zst": zst(LINES)}


def is_prefix(found: Outcome) -> bool:
    return found.texts == TEXTS[: len(found.texts)]


GOOD_CONTAINERS = {
    "gzip": gzip.compress(LINES),
    "gzip with a name": b"\x1f\x8b\x08\x08\0\0\0\0\0\xffname.jsonl\0" + gzip.compress(LINES, mtime=0)[10:],
    "gzip stored": gzip.compress(LINES, 0),
    "2,000 members": members(LINES, 2000),
    "empty members between": gzip.compress(b"") + members(LINES, 3) + gzip.compress(b""),
    "zstd": zst(LINES),
    "zstd without size": zst(LINES, sized=False),
    "zstd without checksum": zstandard.compress(LINES),
    "gzip, a blank first member": gzip.compress(b"\n") + gzip.compress(LINES),
    "gzip, first members of a byte": b"".join(gzip.compress(LINES[i : i + 1]) for i in range(9))
    + gzip.compress(LINES[9:]),
    "zstd, a blank first frame": zst(b" \n") + zst(LINES),
    "zstd, 7 frames": zst(LINES, 7),
    "zstd, 7 frames without size": zst(LINES, 7, sized=False),
    "zstd, skippable frames": b"\x50\x2a\x4d\x18\x03\0\0\0abc" + zst(LINES, 2) + b"\x5f\x2a\x4d\x18\0\0\0\0",
    "zstd, empty frame": zstandard.compress(b"") + zst(LINES),
    "zstd, level 19": zstandard.ZstdCompressor(level=19, write_checksum=True).compress(LINES),
    "plain": LINES,
}


@pytest.mark.parametrize("container", GOOD_CONTAINERS)
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.zst"])
def test_every_container_gives_the_same_documents_whatever_its_name(tmp_path: Path, container: str, name: str) -> None:
    found = read(tmp_path, name, GOOD_CONTAINERS[container])
    assert found.texts == TEXTS
    assert found.ids == [record["id"] for record in RECORDS]
    assert len(found.slots) == 600
    assert found.notes.warnings == []


@pytest.mark.parametrize("codec", ["gz", "zst"])
@pytest.mark.parametrize("cut", [0.02, 0.25, 0.5, 0.75, 0.99, -12, -9, -8, -5, -4, -3, -2, -1])
def test_a_cut_file_keeps_what_is_before_the_cut(tmp_path: Path, codec: str, cut: float) -> None:
    packed = PACKED[codec] if codec == "gz" else zst(LINES * 1, 12)
    data = packed[: int(cut * len(packed))] if cut > 0 else packed[: int(cut)]
    found = read(tmp_path, f"a.jsonl.{codec}", data)
    assert is_prefix(found)
    assert found.reasons == {"decompress_error": 1}
    assert found.rejections[-1].is_tail
    assert len(found.slots) == len(found.documents) + 1
    if cut == 0.5:
        assert 200 < len(found.documents) < 400
    if -9 < cut < 0 and codec == "gz":
        assert len(found.documents) == 600
    assert found.rejections[-1].byte_offset == len(jsonl(RECORDS[: len(found.documents)]))


@pytest.mark.parametrize("length", [1, 2, 3, 4, 6, 9, 10, 13])
@pytest.mark.parametrize("codec", ["gz", "zst"])
def test_a_file_cut_inside_its_header(tmp_path: Path, codec: str, length: int) -> None:
    found = read(tmp_path, f"a.jsonl.{codec}", PACKED[codec][:length])
    assert found.documents == []
    expected = {"decompress_error": 1} if (codec, length) != ("zst", 1) else {"bad_json": 1}  # a lone parenthesis
    assert found.reasons == expected


@pytest.mark.parametrize("codec", ["gz", "zst"])
def test_a_second_member_cut_inside_its_header_is_lost_data_not_junk(tmp_path: Path, codec: str) -> None:
    for length in range(1, 12):
        found = read(tmp_path, "a.jsonl", PACKED[codec] + PACKED[codec][:length])
        assert found.texts == TEXTS
        assert found.reasons == {"decompress_error": 1}


@pytest.mark.parametrize("codec", ["gz", "zst", "members", "frames"])
def test_200_flipped_bits_never_change_a_text(tmp_path: Path, codec: str) -> None:
    packed = {"members": members(LINES, 5), "frames": zst(LINES, 5)}.get(codec) or PACKED[codec]
    draw = random.Random(20261122)
    whole = 0
    for _ in range(200):
        damaged = bytearray(packed)
        damaged[draw.randrange(len(packed))] ^= 1 << draw.randrange(8)
        found = read(tmp_path, f"a.jsonl.{codec[:3]}", bytes(damaged))
        assert is_prefix(found)
        if found.rejections:
            assert found.reasons in ({"decompress_error": 1}, {"bomb_size": 1}, {"schema_mismatch": 1})
            assert found.notes.is_tail_lost
            assert found.notes.lost_bytes > 0 or "ends inside" in found.rejections[0].detail
        else:
            whole += 1
            assert len(found.documents) == 600
    assert whole <= 5  # a flip in a header's time stamp or flags is harmless


@pytest.mark.parametrize("codec", ["gz", "zst"])
def test_a_damaged_member_leaves_those_before_it(tmp_path: Path, codec: str) -> None:
    first, second = jsonl(RECORDS[:300]), jsonl(RECORDS[300:])
    pack = {"gz": gzip.compress, "zst": zst}[codec]
    packed = bytearray(pack(first) + pack(second))
    packed[-200] ^= 16
    found = read(tmp_path, "a.jsonl", bytes(packed))
    assert found.texts == TEXTS[:300]
    assert found.rejections[0].byte_offset == len(first)
    assert found.notes.lost_bytes == len(pack(second))


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("length", [17, 200, 3000])
def test_a_reserved_but_unwritten_end_is_damage_not_a_cut(tmp_path: Path, count: int, length: int) -> None:
    packed = members(LINES, count)
    found = read(tmp_path, "a.jsonl.gz", packed[:-length] + bytes(length))
    assert is_prefix(found)
    assert len(found.documents) < 600
    assert found.notes.is_tail_lost


def test_zeros_over_a_border_between_members_change_no_text(tmp_path: Path) -> None:
    packed = members(LINES, 5)
    border = len(gzip.compress(LINES[: len(LINES) // 5 + 1], mtime=0))
    for start in range(border - 400, border + 20, 20):
        found = read(tmp_path, "a.jsonl.gz", packed[:start] + bytes(300) + packed[start + 300 :])
        assert is_prefix(found)
        assert found.reasons == {"decompress_error": 1}


@pytest.mark.parametrize(
    ("junk", "said"),
    [(b"\0" * 512, "512 zero bytes"), (b"junkjunk", "8 bytes of junk"), (b"\0" * 100 + b"junk", "4 bytes of junk")],
)
def test_padding_after_gzip_is_a_warning(tmp_path: Path, junk: bytes, said: str) -> None:
    found = read(tmp_path, "a.jsonl.gz", PACKED["gz"] + junk)
    assert found.texts == TEXTS
    assert found.rejections == []
    assert any(said in warning for warning in found.notes.warnings)


@pytest.mark.parametrize("codec", ["gz", "zst"])
def test_junk_that_could_be_a_lost_member_is_a_lost_tail(tmp_path: Path, codec: str) -> None:
    damaged = b"\x1f\x8c" + PACKED["gz"][2:]
    found = read(tmp_path, "a.jsonl", PACKED[codec] + damaged)
    assert found.texts == TEXTS
    assert found.reasons == {"decompress_error": 1}
    assert found.notes.lost_bytes == len(damaged)


def test_zero_padding_after_zstd_is_a_warning(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl.zst", PACKED["zst"] + b"\0" * 4096)
    assert found.texts == TEXTS
    assert "4096 zero bytes" in found.notes.warnings[0]


def _gzip_bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = b" " * 2**20
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


def _zstd_bomb(megabytes: int) -> bytes:
    """RLE blocks: four bytes for 128 KiB."""
    header = zstandard.compress(b"")[:4] + bytes([0, 0x38])  # no size, a window of 128 KiB
    block = struct.pack("<I", (2**17 << 3) | 2)[:3] + b" "
    last = struct.pack("<I", (2**17 << 3) | 3)[:3] + b" "
    return header + block * (8 * megabytes - 1) + last


BOMBS = {"512 MiB of gzip": lambda: _gzip_bomb(512), "1 GiB of zstd": lambda: _zstd_bomb(1024)}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_set_aside_in_bounded_memory(tmp_path: Path, name: str) -> None:
    (tmp_path / "bomb").write_bytes(BOMBS[name]())
    code = """
import resource, sys
from pathlib import Path
from polyculture.sources.read import read_file
from polyculture.sources.record import FileNotes, InputFile
from schemas.source_config import LimitsConfig
from schemas.source_config import SourceConfig
path = Path(sys.argv[1])
file = InputFile(path, "a.jsonl", "0" * 64, path.stat().st_size)
notes = FileNotes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
slots = list(read_file(file, SourceConfig(name="s", kind="web", paths=("a",)), LimitsConfig(), notes))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(slots), slots[0].reason, notes.is_tail_lost, (after - before) // 1024)
"""
    started = time.monotonic()
    command = [sys.executable, "-c", code, str(tmp_path / "bomb")]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert out[:3] == ["1", "bomb_ratio", "True"]
    assert int(out[3]) < 150
    assert time.monotonic() - started < 10


def test_the_size_limit_holds_for_every_container(tmp_path: Path) -> None:
    limits = LimitsConfig(max_file_bytes=10_000)
    for data in (LINES, PACKED["gz"], PACKED["zst"], zst(LINES, sized=False)):
        found = read(tmp_path, "a.jsonl", data, limits=limits)
        assert found.reasons == {"bomb_size": 1}
        assert found.notes.is_tail_lost
        assert is_prefix(found)


def test_a_zstd_window_over_the_limit_is_refused(tmp_path: Path) -> None:
    header = zstandard.compress(b"")[:4] + bytes([0, (31 - 10) << 3])
    found = read(tmp_path, "a.zst", header + b"\x01\0\0")
    assert found.reasons == {"bomb_size": 1}


def test_a_zstd_frame_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    header = zstandard.compress(b"")[:4] + bytes([0xE0]) + struct.pack("<Q", 2**50)
    found = read(tmp_path, "a.zst", header + b"\x01\0\0")
    assert found.reasons == {"bomb_size": 1}


def test_a_zstd_frame_that_needs_a_dictionary_is_refused(tmp_path: Path) -> None:
    dictionary = zstandard.ZstdCompressionDict(b"some words for a dictionary" * 100, zstandard.DICT_TYPE_RAWCONTENT)
    trained = zstandard.train_dictionary(1024, [f"{i} words to train {i * i}".encode() for i in range(2000)])
    assert dictionary.dict_id() == 0
    found = read(tmp_path, "a.jsonl.zst", zstandard.ZstdCompressor(dict_data=trained).compress(LINES))
    assert found.reasons == {"decompress_error": 1}
    assert "dictionary" in found.rejections[0].detail


def test_a_cut_warc_keeps_its_whole_records(tmp_path: Path) -> None:
    records = [warc("response", http(page(f"Paragraph number {i} of the page")), number=i) for i in range(20)]
    packed = b"".join(gzip.compress(record) for record in records)
    found = read(tmp_path, "a.warc.gz", packed[: len(packed) // 2])
    assert 8 <= len(found.documents) <= 10
    assert found.reasons == {"decompress_error": 1}
    whole = read(tmp_path, "a.warc.gz", packed)
    assert whole.ids[: len(found.ids)] == found.ids
    assert found.rejections[0].byte_offset == sum(map(len, records[: len(found.documents)]))


@pytest.mark.parametrize("name", ["a.txt.gz", "a.html.gz"])
def test_a_cut_single_document_is_no_document(tmp_path: Path, name: str) -> None:
    body = page(" ".join(str(record["text"]) for record in RECORDS))
    found = read(tmp_path, name, gzip.compress(body)[:-500])
    assert found.documents == []
    assert found.reasons == {"decompress_error": 1}


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        (b"\x1f\x8b\x08", Codec.GZIP),
        (b"\x28\xb5\x2f\xfd", Codec.ZSTD),
        (b"\x54\x2a\x4d\x18", Codec.ZSTD),
        (b"{", Codec.PLAIN),
        (b"", Codec.PLAIN),
    ],
)
def test_compression_is_told_by_magic(head: bytes, codec: Codec) -> None:
    assert find_codec(head) is codec
