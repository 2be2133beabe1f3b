import bz2
import gzip
import lzma
import os
import random
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from polyculture.errors import ConfigError
from polyculture.sources import tar as module
from polyculture.sources.columns import check_columns
from polyculture.sources.files import find_inputs
from polyculture.sources.read import read_file
from polyculture.sources.record import FileNotes
from schemas.documents import Kind
from schemas.source_config import LimitsConfig, SourceConfig
from tests.unit.sources.helpers import (
    arc,
    arc_start,
    http,
    jsonl,
    lz4,
    members,
    page,
    read,
    read_found,
    rows,
    tar,
    warc,
    zst,
)

FORMS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zst,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lz4": lz4,
}
TEXTS = [f"Text number {i} of an archive, für alle." for i in range(6)]
FILES = [(f"corpus/{i}.txt", text.encode()) for i, text in enumerate(TEXTS)]


def entry(name: str, kind: bytes, data: bytes = b"", **fields: object) -> bytes:
    """The blocks of one member of any type, without the end of an archive."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, len(data)
    for field, value in fields.items():
        setattr(member, field, value)
    return member.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)


def texts(files: list[tuple[str, bytes]]) -> bytes:
    """Members without the end of an archive."""
    return b"".join(entry(name, tarfile.REGTYPE, data) for name, data in files)


END = bytes(1024)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("name", ["a.tar", "part-00000", "a.tgz"])
def test_each_member_is_a_document_and_names_it(tmp_path: Path, form: str, packing: str, name: str) -> None:
    found = read(tmp_path, name, PACKERS[packing](tar(FILES, FORMS[form])))
    assert found.texts == TEXTS
    assert found.ids == [f"{name}!{member}" for member, _ in FILES]
    assert found.notes.format == ("tar" if packing == "plain" else f"tar+{packing}")
    assert found.notes.members == {"text": 6}
    assert found.notes.warnings == []


LONG = "d" * 90 + "/" + "f" * 99
NAMES = {
    "long": (f"{LONG}/{LONG}.txt", f"{LONG}/{LONG}.txt"),
    "not ASCII": ("größe/日本.txt", "größe/日本.txt"),
    "absolute": ("/etc/passwd.txt", "/etc/passwd.txt"),
    "upwards": ("../../a.txt", "../../a.txt"),
    "control characters": ("a\x1b[2J\n.txt", "a\x1b[2J\n.txt"),
    "no UTF-8": ("caf\udce9.txt", "caf\\xe9.txt"),
}


@pytest.mark.parametrize("form", ["gnu", "pax"])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_text_alone(tmp_path: Path, form: str, name: str) -> None:
    written, shown = NAMES[name]
    found = read(tmp_path, "a.tar", tar([(written, b"Some text")], FORMS[form]))
    assert found.texts == ["Some text"]
    own = f"a.tar!{shown}"
    assert found.ids == [own]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar"]


RECORDS = rows(3)
MEMBERS = {
    "JSON Lines": ("a.jsonl", jsonl(RECORDS), "jsonl"),
    "JSON Lines in gzip": ("a.jsonl.gz", members(jsonl(RECORDS), 2), "jsonl"),
    "JSON Lines in zstd": ("a.jsonl.zst", zst(jsonl(RECORDS), 2), "jsonl"),
    "JSON Lines in xz": ("a.jsonl.xz", lzma.compress(jsonl(RECORDS)), "jsonl"),
    "JSON Lines in bzip2": ("a.bz2", bz2.compress(jsonl(RECORDS)), "jsonl"),
    "JSON Lines in lz4": ("a.lz4", lz4(jsonl(RECORDS)), "jsonl"),
    "JSON array": ("a.json", b"[" + b",".join(jsonl(RECORDS).splitlines()) + b"]", "json"),
    "CSV": ("a.csv", b"id,text\n" + b"".join(f'{r["id"]},"{r["text"]}"\n'.encode() for r in RECORDS), "csv"),
    "TSV": ("a.tsv", b"id\ttext\n" + b"".join(f"{r['id']}\t{r['text']}\n".encode() for r in RECORDS), "csv"),
}


@pytest.mark.parametrize("packing", ["plain", "zstd"])
@pytest.mark.parametrize("name", MEMBERS)
def test_members_are_read_as_files_of_their_format(tmp_path: Path, name: str, packing: str) -> None:
    member, data, form = MEMBERS[name]
    alone = read(tmp_path, member, data)
    found = read(tmp_path, "a.tar", PACKERS[packing](tar([("first.txt", b"First"), (f"x/{member}", data)])))
    assert found.texts == ["First", *alone.texts]
    assert found.ids == ["a.tar!first.txt", *alone.ids]
    assert found.notes.members == {"text": 1, form: 1}


@pytest.mark.parametrize(
    "data",
    [
        warc("response", http(page("A page of the web"))),
        arc_start() + arc(http(page("A page of the web"))),
        page("A page of the web"),
    ],
)
def test_pages_are_read_in_archives(tmp_path: Path, data: bytes) -> None:
    found = read(tmp_path, "a.tar", tar([("page", data)]))
    assert found.texts == ["A page of the web"]


def test_a_packed_member_is_decoded_from_the_file_where_it_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUFFER_BYTES", 2**10)
    records = rows(400)
    data = tar([("a.jsonl.gz", members(jsonl(records), 3)), ("b.txt", b"Behind it"), ("c.jsonl", jsonl(rows(50)))])
    found = read(tmp_path, "a.tar", data)
    assert found.texts == [*(r["text"] for r in records), "Behind it", *(r["text"] for r in rows(50))]


def test_a_large_packed_member_of_a_packed_archive_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 100)
    found = read(tmp_path, "a.tar", zst(tar([("a.jsonl.gz", gzip.compress(jsonl(rows(40)))), ("b.txt", b"Behind it")])))
    assert found.texts == ["Behind it"]
    assert found.reasons == {"bomb_size": 1}
    assert "unpack it" in found.rejections[0].detail


@pytest.mark.parametrize("packing", ["plain", "gzip"])
def test_byte_offsets_lead_to_the_text_in_the_unpacked_archive(tmp_path: Path, packing: str) -> None:
    data = tar([*FILES, ("a.jsonl", jsonl(RECORDS))])
    found = read(tmp_path, "a.tar", PACKERS[packing](data))
    for document in found.documents:
        start = data[document.byte_offset :]
        assert start.startswith((str(document.values["text"]).encode(), b'{"id"'))
    assert found.documents[-1].byte_offset == data.rfind(b'{"id"')


OTHER = {
    "folder": (tarfile.DIRTYPE, "folder"),
    "link": (tarfile.SYMTYPE, "link"),
    "hard link": (tarfile.LNKTYPE, "link"),
    "character device": (tarfile.CHRTYPE, "device"),
    "block device": (tarfile.BLKTYPE, "device"),
    "FIFO": (tarfile.FIFOTYPE, "device"),
}


@pytest.mark.parametrize("kind", OTHER)
def test_what_is_no_file_is_counted_and_not_followed(tmp_path: Path, kind: str) -> None:
    code, counted = OTHER[kind]
    outside = tmp_path / "secret"
    outside.write_text("not to be read")
    data = entry("x", code, linkname=str(outside), mode=0o777) + texts(FILES) + END
    found = read(tmp_path, "a.tar", data)
    assert found.texts == TEXTS
    assert found.notes.skipped == {counted: 1}
    assert any("links" in warning for warning in found.notes.warnings) == (counted == "link")


def test_repeated_names_have_ids_of_their_own(tmp_path: Path) -> None:
    found = read(tmp_path, "a.tar", tar([("a.txt", b"Version one"), ("b.txt", b"Other"), ("a.txt", b"Version two")]))
    assert found.texts == ["Version one", "Other", "Version two"]
    assert len(set(found.ids)) == 3
    assert found.ids[0] == "a.tar!a.txt"


def test_the_names_that_are_kept_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_IDS", 2)
    found = read(tmp_path, "a.tar", tar(FILES))
    assert found.ids == ["a.tar!corpus/0.txt", "a.tar!corpus/1.txt", None, None, None, None]


SIDES = {
    "snapshot": (["README.md", "LICENSE", "dataset_infos.json", "data/a.jsonl"], 3),
    "saved dataset": (["x/dataset_info.json", "x/state.json", "x/a.arrow"], 2),
    "Spark": (["out/_SUCCESS", "out/._a.jsonl.crc", "out/a.jsonl"], 2),
    "Delta": (["_delta_log/0.json", "p/a.jsonl"], 1),
    "Iceberg": (["metadata/v1.metadata.json", "metadata/x.txt", "data/a.jsonl"], 2),
    "a run": (["manifest.json", "verdict.json", "state/identity", "shards/a.txt", "README.md"], 5),
    "a deduplicated folder": (["dedupe.json", "removed/a.txt", "kept/a.jsonl"], 2),
    "forks of macOS": (["./a.txt", "./._a.txt", "./.DS_Store"], 2),
    "Markdown alone": (["README.md", "guide.md", "LICENSE"], 0),
    "metadata of somebody else": (["metadata/a.jsonl", "b.jsonl"], 0),
}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("packing", ["plain", "xz"])
@pytest.mark.parametrize("layout", SIDES)
def test_side_files_in_an_archive_are_left_out_as_in_a_folder(
    tmp_path: Path, layout: str, packing: str, order: int
) -> None:
    names, left = SIDES[layout]
    files = [(name, jsonl([{"text": f"of {name}"}])) for name in names][::order]
    found = read(tmp_path, "a.tar", PACKERS[packing](tar(files)))
    assert sum(entry.files for entry in found.notes.left_out) == left
    assert all(name.startswith("a.tar!") for entry in found.notes.left_out for name in entry.names)
    assert len(found.slots) == len(names) - left


def test_hundreds_of_side_files_are_counted_and_ten_are_named(tmp_path: Path) -> None:
    files = [(f"_delta_log/{i:03}.json", b"{}") for i in range(30)]
    found = read(tmp_path, "a.tar", tar([*files, ("a.txt", b"Some text")]))
    (left,) = found.notes.left_out
    assert (left.files, len(left.names)) == (30, 10)


SAMPLES = {
    "json before": ["json", "txt"],
    "json behind": ["txt", "json"],
    "picture between": ["json", "png", "txt"],
    "label and json": ["cls", "json", "txt"],
    "picture first": ["jpg", "json", "txt"],
}
DATA = {
    "json": b'{"width": 640}',
    "cls": b"7",
    "png": b"\x89PNG\r\n\x1a\n\0\0",
    "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "txt": b"A caption",
}


@pytest.mark.parametrize("packing", ["plain", "gzip"])
@pytest.mark.parametrize("kinds", SAMPLES)
def test_of_a_webdataset_the_texts_are_documents(tmp_path: Path, kinds: str, packing: str) -> None:
    endings = SAMPLES[kinds]
    files = [(f"{key:06}.{ending}", DATA[ending]) for key in range(3) for ending in endings]
    found = read(tmp_path, "a.tar", PACKERS[packing](tar(files)))
    assert found.texts == ["A caption"] * 3
    assert found.filtered == ["binary_member"] * sum(3 for ending in endings if ending in ("png", "jpg"))
    assert found.notes.skipped == {"sidecar": sum(3 for ending in endings if ending in ("json", "cls"))}
    assert not found.rejections
    assert "not read" in found.notes.warnings[0]


def test_json_without_a_text_beside_it_is_read(tmp_path: Path) -> None:
    files = [("0.json", b'{"text": "zero"}'), ("0.jpg", DATA["jpg"]), ("1.json", b'{"text": "one"}'), ("2.txt", b"two")]
    found = read(tmp_path, "a.tar", tar(files))
    assert found.texts == ["zero", "one", "two"]
    assert found.filtered == ["binary_member"]
    assert found.notes.skipped == {}


BINARY = {
    "numbers": ("a.npy", b"\x93NUMPY\x01\0v\0" + bytes(range(256))),
    "sound": ("a.wav", b"RIFF\x24\0\0\0WAVEfmt " + bytes(64)),
    "picture": ("picture", b"\x89PNG\r\n\x1a\n" + bytes(20)),
    "GIF": ("a.gif", b"GIF89a\x01\0\x01\0" + bytes(20)),
}


@pytest.mark.parametrize("name", BINARY)
def test_binary_members_are_counted_as_filtered(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, "a.tar", tar([BINARY[name], *FILES]))
    assert found.texts == TEXTS
    assert found.filtered == ["binary_member"]
    assert not found.notes.is_tail_lost


REFUSED = {
    "Parquet": ("a.parquet", b"PAR1" + bytes(60), "unpack"),
    "tar": ("b.tar", tar(FILES), "archive inside an archive"),
    "tar in gzip": ("b.tar.gz", gzip.compress(tar(FILES)), "archive inside an archive"),
    "zip": ("b.zip", b"PK\x03\x04" + bytes(60), "zip"),
    "PDF": ("b.pdf", b"%PDF-1.7\n\x01\x02", "PDF"),
    "gzip twice": ("b.gz", gzip.compress(gzip.compress(b"x")), "gzip"),
    "binary that is named text": ("b.txt", bytes(range(256)), "unknown binary"),
    "binary without an ending": ("part-0", bytes(range(256)), "unknown binary"),
    "pointer of git-lfs": (
        "b.jsonl",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n",
        "git lfs pull",
    ),
    "page in place of data": ("b.jsonl", page("404 not found"), "HTML"),
}


@pytest.mark.parametrize("packing", ["plain", "zstd"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_member_that_is_not_read_is_a_loss_with_its_name_and_a_way_out(
    tmp_path: Path, name: str, packing: str
) -> None:
    member, data, said = REFUSED[name]
    found = read(tmp_path, "a.tar", PACKERS[packing](tar([*FILES[:3], (member, data), *FILES[3:]])))
    assert found.texts == TEXTS
    (rejection,) = found.rejections
    assert rejection.detail.startswith(f"{member}: ")
    assert said in rejection.detail
    assert found.notes.loss == rejection.detail
    assert found.notes.is_tail_lost
    assert found.notes.lost_bytes == len(data)


def test_a_sparse_member_is_a_loss(tmp_path: Path) -> None:
    data = entry("s.txt", tarfile.GNUTYPE_SPARSE, b"x" * 512) + texts(FILES) + END
    found = read(tmp_path, "a.tar", data)
    assert found.texts == TEXTS
    assert "sparse" in found.rejections[0].detail
    pax = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**60)}
    member = tarfile.TarInfo("s.txt")
    member.size, member.pax_headers = 512, pax
    found = read(tmp_path, "b.tar", member.tobuf(tarfile.PAX_FORMAT) + bytes(512) + texts(FILES) + END)
    assert found.texts == TEXTS
    assert found.notes.is_tail_lost


def test_a_cut_at_any_place_keeps_what_came_before_and_says_so(tmp_path: Path) -> None:
    data = texts(FILES)
    for cut in range(512, len(data) + 1, 97):
        found = read(tmp_path, "a.tar", data[:cut])
        assert found.texts == TEXTS[: len(found.texts)]
        assert len(found.texts) >= cut // 1024 - 1
        assert found.reasons == {"truncated_input": 1}, cut
        assert found.notes.is_tail_lost


def test_without_its_end_an_archive_counts_as_cut_and_a_part_of_it_is_enough(tmp_path: Path) -> None:
    assert read(tmp_path, "a.tar", texts(FILES)).reasons == {"truncated_input": 1}
    for zeros in (512, 700, 1024, 10240):
        found = read(tmp_path, "a.tar", texts(FILES) + bytes(zeros))
        assert (found.texts, found.rejections) == (TEXTS, [])


@pytest.mark.parametrize("packing", ["gzip", "zstd", "bzip2", "xz", "lz4"])
def test_a_damaged_compression_costs_the_rest_once(tmp_path: Path, packing: str) -> None:
    whole = PACKERS[packing](tar([(f"{i}.txt", os.urandom(3000).hex().encode()) for i in range(30)]))
    found = read(tmp_path, "a.tar", whole[: len(whole) // 2])
    assert [rejection.is_tail for rejection in found.rejections] == [True]
    assert found.notes.is_tail_lost


@pytest.mark.parametrize("at", [0, 2, 5])
@pytest.mark.parametrize("damage", ["a bit", "zeros", "noise"])
def test_a_damaged_header_costs_its_member(tmp_path: Path, at: int, damage: str) -> None:
    data = bytearray(texts(FILES) + END)
    start = at * 1024
    if damage == "a bit":
        data[start + 5] ^= 1
    elif damage == "zeros":
        data[start + 100 : start + 300] = bytes(200)
    else:
        data[start + 20 : start + 250] = random.Random(at).randbytes(230)
    found = read(tmp_path, "a.tar", bytes(data))
    assert found.texts == TEXTS[:at] + TEXTS[at + 1 :]
    assert found.reasons == {"checksum_mismatch": 1}
    assert found.rejections[0].byte_offset == start
    assert found.notes.is_tail_lost
    assert found.notes.lost_bytes >= 1024


@pytest.mark.parametrize("count", [1, 100, 470, 511, 513])
@pytest.mark.parametrize("at", [1024 + 300, 1024 + 512 + 10, 2048 + 512])
def test_bytes_that_are_lost_or_came_in_never_change_a_text_in_silence(tmp_path: Path, at: int, count: int) -> None:
    data = texts(FILES) + END
    for changed in (data[:at] + data[at + count :], data[:at] + b"y" * count + data[at:]):
        found = read(tmp_path, "a.tar", changed)
        assert set(found.texts) <= set(TEXTS)
        assert found.texts[-2:] == TEXTS[-2:]
        assert found.rejections
        assert found.notes.is_tail_lost


def test_archives_that_are_joined_are_all_read(tmp_path: Path) -> None:
    found = read(tmp_path, "a.tar", tar(FILES[:3]) + tar(FILES[3:]))
    assert found.texts == TEXTS
    assert "others follow" in found.notes.warnings[0]


def test_junk_behind_the_end_is_a_loss(tmp_path: Path) -> None:
    found = read(tmp_path, "a.tar", tar(FILES) + b"junk " * 400)
    assert found.texts == TEXTS
    assert found.notes.is_tail_lost
    assert "2000 bytes up to the end" in found.rejections[0].detail


EXTENDED = {
    "a name without an end": (tarfile.GNUTYPE_LONGNAME, b"x" * (2**20 + 1)),
    "attributes without an end": (tarfile.XHDTYPE, b"x" * (2**20 + 1)),
    "a wrong length": (tarfile.XHDTYPE, b"99 path=a\n"),
    "no number": (tarfile.XHDTYPE, b"xx path=a\n"),
    "no key": (tarfile.XHDTYPE, b"6 abc\n"),
    "a size below zero": (tarfile.XHDTYPE, b"11 size=-9\n"),
}


@pytest.mark.parametrize("name", EXTENDED)
def test_an_extended_header_that_cannot_be_read_is_reported(tmp_path: Path, name: str) -> None:
    kind, data = EXTENDED[name]
    found = read(tmp_path, "a.tar", entry("x", kind, data) + texts(FILES) + END)
    assert found.texts == TEXTS
    assert found.reasons == {"checksum_mismatch": 1}


def test_two_sizes_of_one_member_are_not_believed(tmp_path: Path) -> None:
    data = entry("x", tarfile.XHDTYPE, b"10 size=9\n") + texts(FILES) + END
    found = read(tmp_path, "a.tar", data)
    assert found.texts == TEXTS[1:]
    assert "two sizes" in found.rejections[0].detail


def test_a_size_that_only_the_extended_header_holds_is_used(tmp_path: Path) -> None:
    member = tarfile.TarInfo("a.txt").tobuf(tarfile.USTAR_FORMAT)
    data = entry("x", tarfile.XHDTYPE, b"10 size=9\n") + member + b"Nine byte" + bytes(503) + texts(FILES) + END
    assert read(tmp_path, "a.tar", data).texts == ["Nine byte", *TEXTS]


def test_an_old_archive_without_magic_is_recognised(tmp_path: Path) -> None:
    block = bytearray(tarfile.TarInfo("a.txt").tobuf(tarfile.USTAR_FORMAT))
    block[124:136] = b"%011o\0" % 9
    block[257:500] = bytes(243)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    found = read(tmp_path, "a", bytes(block) + b"Nine byte" + bytes(503) + END)
    assert found.texts == ["Nine byte"]
    assert found.notes.format == "tar"


def test_a_bomb_of_packed_members_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RATIO_FREE_BYTES", 2**16)
    bomb = gzip.compress(b'{"text": "x"}\n' * 20_000)
    data = tar([(f"{i}.jsonl.gz", bomb) for i in range(20)])
    found = read(tmp_path, "a.tar", data, limits=LimitsConfig(max_expansion=20))
    assert found.reasons == {"bomb_ratio": 1}
    assert 0 < len(found.documents) < 20 * 20_000


def test_an_empty_member_is_no_record(tmp_path: Path) -> None:
    found = read(tmp_path, "a.tar", tar([("a.txt", b""), ("b.txt", b" \n"), ("c.txt", b"text")]))
    assert found.texts == ["text"]
    assert found.notes.skipped == {"empty": 2}


def test_warnings_of_members_are_counted_not_repeated(tmp_path: Path) -> None:
    latin = "Größe und Höhe über alles, natürlich für Übermütige".encode("cp1252")
    found = read(tmp_path, "a.tar", tar([(f"{i}.txt", latin) for i in range(50)]))
    assert len(found.documents) == 50
    assert len(found.notes.warnings) == 1
    assert "50 members" in found.notes.warnings[0]


def test_blank_lines_split_members_too(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar([("a.txt", b"one\n\ntwo\n"), ("b.txt", b"three\n")]))
    source = SourceConfig(name="s", kind=Kind.WEB, paths=("a.tar",), text_records="blank_lines")
    found = read_found(tmp_path, source)
    assert found.texts == ["one", "two", "three"]
    assert found.ids == [None, None, None]


def test_a_column_that_no_member_has_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(tar([("a.jsonl", jsonl([{"body": "x"}] * 3))])))
    source = SourceConfig(name="s", kind=Kind.WEB, paths=("a.tar.gz",))
    files = find_inputs(source, tmp_path).files
    with pytest.raises(ConfigError, match="body"):
        check_columns(source, files, LimitsConfig())
    check_columns(source.model_copy(update={"fields": {"text": "body"}}), files, LimitsConfig())


def test_pages_beside_an_archive_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for name, data in {"README.md": b"#", "LICENSE": b"MIT", "a.tar": tar(FILES)}.items():
        (tmp_path / "x" / name).write_bytes(data)
    found = find_inputs(SourceConfig(name="s", kind=Kind.WEB, paths=("x",)), tmp_path)
    assert [file.name for file in found.files] == ["x/a.tar"]


@pytest.mark.parametrize("packing", ["plain", "gzip"])
def test_memory_does_not_grow_with_a_member(tmp_path: Path, packing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polyculture.sources.stream.KEPT_BYTES", 2**20)
    line = jsonl(rows(1, 2000))
    source = SourceConfig(name="s", kind=Kind.WEB, paths=("a.tar",))
    (tmp_path / "a.tar").write_bytes(PACKERS[packing](tar([("a.jsonl", line * 5_000)])))
    (file,) = find_inputs(source, tmp_path).files
    tracemalloc.start()
    count = sum(1 for _ in read_file(file, source, LimitsConfig(), FileNotes()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 5_000
    assert peak < len(line) * 5_000 / 4
