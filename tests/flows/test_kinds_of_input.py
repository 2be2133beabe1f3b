"""Kinds of input that went wrong once, from files to the shards: what `run` and `dedupe` make of them."""

import bz2
import csv
import datetime
import gzip
import io
import json
import lzma
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
import zstandard

import polyculture
from schemas.accounts import SourceAccount
from schemas.manifest import Manifest
from schemas.verdict import Verdict
from tests.conftest import Command, Ended
from tests.support.corpora import three_kinds, unique_texts, write_config
from tests.unit.sources.helpers import arc, arc_start, arrow_file, http, jsonl, lz4, page, parquet, tar, warc, zst

COUNT = 20
Records = list[dict[str, object]]


def separated(records: Records, delimiter: str = ",", *, is_quoted: bool = False) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(
        out, list(records[0]), delimiter=delimiter, quoting=csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL
    )
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def array(records: Records, indent: int | None = None, key: str | None = None) -> bytes:
    return json.dumps(records if key is None else {"version": "2", key: records}, indent=indent).encode()


def blank_lines(records: Records) -> bytes:
    return "\n\n".join(str(record["text"]) for record in records).encode()


def one_text(records: Records) -> bytes:
    """A text of more than 10,000 tokens."""
    return blank_lines([{"text": " ".join([str(record["text"])] * 10)} for record in records])


def chats(records: Records) -> Records:
    """Each text as what a user asks and what is answered."""
    halves = [(str(r["id"]), *str(r["text"]).split(" ", 30)[-1:], str(r["text"])) for r in records]
    roles = ("user", "assistant")
    return [
        {"id": name, "text": [{"role": role, "content": text} for role, text in zip(roles, both, strict=True)]}
        for name, *both in halves
    ]


def pages(records: Records, **headers: str) -> list[bytes]:
    texts = [str(record["text"]) for record in records]
    return [warc("response", http(page(text)), number=n, **headers) for n, text in enumerate(texts)]


def with_dictionary(parts: list[bytes]) -> bytes:
    """A .warc.zst whose first frame is the dictionary of all others."""
    trained = zstandard.train_dictionary(2048, [*parts * 20])
    packer = zstandard.ZstdCompressor(dict_data=trained)
    body = trained.as_bytes()
    return b"\x5d\x2a\x4d\x18" + len(body).to_bytes(4, "little") + body + b"".join(map(packer.compress, parts))


def cut_page(record: dict[str, object]) -> bytes:
    whole = http(page(" ".join(reversed(str(record["text"]).split() * 20))))
    return warc("response", whole[: len(whole) // 2], number=99, WARC_Truncated="length")


@dataclass(frozen=True)
class Kind:
    """A kind of file, and what is expected of it.

    Attributes:
        file: its name.
        write: from records to bytes.
        format: how the account names it.
        options: settings of its source.
        documents: expected number of them.
        filtered: slots that are passed over, by rule.
        warns: words of the only warning, if any.
        checks: checks of the verdict that name the source.
    """

    file: str
    write: Callable[[Records], bytes]
    format: str
    options: Mapping[str, object] = field(default_factory=dict)
    documents: int = COUNT
    filtered: Mapping[str, int] = field(default_factory=dict)
    warns: str = ""
    checks: tuple[str, ...] = ()


CHAT = {"chat_template": "{role}: {content}\n"}
KINDS: Mapping[str, Kind] = {
    "csv": Kind("a.csv", separated, "csv"),
    "csv_semicolons": Kind("a.csv", lambda r: separated(r, ";", is_quoted=True), "csv"),
    "csv_gzip": Kind("a.csv.gz", lambda r: gzip.compress(separated(r)), "csv+gzip"),
    "tsv": Kind("a.tsv", lambda r: separated(r, "\t"), "csv"),
    "array": Kind("a.json", array, "json"),
    "array_pretty": Kind("a.json", lambda r: array(r, 2), "json"),
    "array_of_no_name": Kind("part-00000", array, "json"),
    "array_under_a_key": Kind("a.json", lambda r: array(r, key="rows"), "json", warns="under 'rows'"),
    "array_pretty_under_a_key": Kind("part-1", lambda r: array(r, 1, "train"), "json", warns="under 'train'"),
    "array_bzip2": Kind("a.json.bz2", lambda r: bz2.compress(array(r)), "json+bzip2"),
    "lines_bzip2": Kind("a.jsonl.bz2", lambda r: bz2.compress(jsonl(r)), "jsonl+bzip2"),
    "lines_xz": Kind("a", lambda r: lzma.compress(jsonl(r)), "jsonl+xz"),
    "lines_lz4": Kind("a.lz4", lambda r: lz4(jsonl(r)), "jsonl+lz4"),
    "tsv_xz": Kind("a.tsv.xz", lambda r: lzma.compress(separated(r, "\t")), "csv+xz"),
    "warc_zstd": Kind("a.warc.zst", lambda r: b"".join(map(zst, pages(r))), "warc+zstd"),
    "warc_zstd_dictionary": Kind("a.warc.zst", lambda r: with_dictionary(pages(r)), "warc+zstd"),
    "arc": Kind(
        "a.arc.gz",
        lambda r: b"".join(map(gzip.compress, [arc_start(), *(arc(http(page(str(i["text"])))) for i in r)])),
        "arc+gzip",
    ),
    "tar": Kind("a.tar", lambda r: tar([("a.jsonl", jsonl(r[:10])), ("b.csv", separated(r[10:]))]), "tar"),
    "tar_of_texts": Kind(
        "a.tgz", lambda r: gzip.compress(tar([(f"{i['id']}.txt", str(i["text"]).encode()) for i in r])), "tar+gzip"
    ),
    "chat": Kind("a.jsonl", lambda r: jsonl(chats(r)), "jsonl", CHAT),
    "chat_array": Kind("a.json", lambda r: array(chats(r), 2), "json", CHAT),
    "chat_parquet": Kind("a.parquet", lambda r: parquet(pa.Table.from_pylist(chats(r))), "parquet", CHAT),
    "chat_arrow": Kind("a.arrow", lambda r: arrow_file(pa.Table.from_pylist(chats(r))), "arrow", CHAT),
    "one_text": Kind("all.txt", one_text, "text", documents=1, checks=("one_document",)),
    "one_text_gzip": Kind(
        "all.txt.gz", lambda r: gzip.compress(one_text(r)), "text+gzip", documents=1, checks=("one_document",)
    ),
    "paragraphs": Kind("all.txt", blank_lines, "text", {"text_records": "blank_lines"}),
    "paragraphs_xz": Kind(
        "all.txt.xz", lambda r: lzma.compress(blank_lines(r)), "text+xz", {"text_records": "blank_lines"}
    ),
    "cut_pages": Kind(
        "a.warc", lambda r: b"".join([*pages(r), cut_page(r[0])]), "warc", documents=COUNT + 1, warns="length 1"
    ),
    "cut_pages_left_out": Kind(
        "a.warc.gz",
        lambda r: b"".join(map(gzip.compress, [*pages(r), cut_page(r[0])])),
        "warc+gzip",
        {"cut_pages": "leave_out"},
        filtered={"truncated": 1},
    ),
    "pages_that_are_pictures": Kind(
        "a.warc",
        lambda r: b"".join([*pages(r), *pages(r[:3], WARC_Identified_Payload_Type="image/png")]),
        "warc",
        filtered={"media_type": 3},
    ),
    "a_column_of_nulls": Kind(
        "a.parquet",
        lambda r: parquet(pa.table({**columns(r), "who": pa.nulls(COUNT, pa.string())})),
        "parquet",
        {"fields": {"author": "who"}},
        warns="author (column `who`) is absent, null or empty in all 20 records",
    ),
    "a_key_of_nulls": Kind(
        "a.json",
        lambda r: array([{**i, "who": None} for i in r]),
        "json",
        {"fields": {"author": "who"}},
        warns="author (column `who`) is absent, null or empty in all 20 records",
    ),
}


def columns(records: Records) -> dict[str, list[object]]:
    return {name: [record[name] for record in records] for name in ("id", "text")}


def records_of(kind: str) -> Records:
    seed = 100 + list(KINDS).index(kind)
    return [{"id": f"{kind}-{at}", "text": text} for at, text in enumerate(unique_texts(COUNT, seed))]


@dataclass(frozen=True)
class Done:
    """A run over every kind, each a source of its own."""

    folder: Path
    manifest: Manifest
    verdict: Verdict

    def account(self, source: str) -> SourceAccount:
        (account,) = [account for account in self.manifest.conservation if account.name == source]
        return account


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("kinds")
    config = three_kinds(folder)
    sources = []
    for name, kind in KINDS.items():
        (folder / name).mkdir()
        (folder / name / kind.file).write_bytes(kind.write(records_of(name)))
        sources.append({"name": name, "kind": "web", "paths": [f"{name}/{kind.file}"], **kind.options})
    config["sources"] = [*sources, *config["sources"][1:]]  # type: ignore[index]
    ended = Command()("run", write_config(folder, config), "--out", folder / "run")
    assert ended.returncode in (0, 3, 4), ended.stdout + ended.stderr
    manifest = Manifest.model_validate_json((folder / "run" / "manifest.json").read_bytes())
    return Done(folder, manifest, Verdict.model_validate_json((folder / "run" / "verdict.json").read_bytes()))


@pytest.mark.parametrize("name", KINDS)
def test_a_run_reads_every_record_or_says_what_it_did_not(done: Done, name: str) -> None:
    kind, account = KINDS[name], done.account(name)
    (file,) = account.files
    assert (file.format, file.documents, file.quarantined) == (kind.format, kind.documents, {})
    assert file.filtered == kind.filtered
    assert not file.is_tail_lost
    assert len(file.warnings) == bool(kind.warns)
    assert all(kind.warns in warning for warning in file.warnings)
    named = {"one_document", "truncated_input", "mixed_formats"}
    checks = [c.name for c in done.verdict.checks if c.name in named and c.scope == name]
    assert tuple(checks) == (("mixed_formats",) if name == "tar" else kind.checks)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if "fields" not in kind.options])
def test_deduplication_reads_the_same_texts(done: Done, name: str) -> None:
    kind, records = KINDS[name], records_of(name)
    settings = {key: str(value) for key, value in kind.options.items()}
    found = polyculture.dedupe(done.folder / name / kind.file, reading=settings)
    assert found.summary.files[0].format == kind.format
    assert found.kept.height == kind.documents
    texts = found.kept["text"].to_list()
    if kind.documents == 1:
        assert texts == [one_text(records).decode()]
    elif "chat_template" in kind.options:
        assert all(text.startswith("user: ") and "\nassistant: " in text for text in texts)
    else:
        assert {record["text"] for record in records} <= set(texts)
    assert not [warning for warning in found.summary.files[0].warnings if "absent" in warning]


# Families of which every text is another: what sets them apart is signs, marks or layout.
STEPS = "\n".join(f"step {i}: {(i * 37) % 97} + {(i * 61) % 89} gives the next value" for i in range(60))
PROSE = "We met at the old mill by the river and talked until the lamps went out and everybody had gone home again. "
CODE = "".join(f"for i{n} in range({n}):\n    total += i{n}\n    print(total)\n" for n in range(3, 12))
WORDS = [
    "كتاب",
    "مدرسة",
    "شمس",
    "قمر",
    "بحر",
    "جبل",
    "نهر",
    "باب",
    "نافذة",
    "طريق",
    "مدينة",
    "سوق",
    "خبز",
    "ماء",
    "زهرة",
]
FAMILIES: Mapping[str, list[str]] = {
    "short formulas": [
        f"if x {sign} 3: return a" for sign in ("<", ">", "<=", ">=", "==", "!=", "+", "-", "*", "%", "&")
    ],
    "derivations": [STEPS.replace("+", sign) for sign in ("+", "-", "*", "/", "%", "^", "<", ">")],
    "one sign in a long text": [PROSE * 9 + f"It is {sign}5 outside" for sign in ("", "-", "+", "<", ">", "~")],
    "names of languages": [PROSE * 5 + f"He writes {name} now" for name in ("C", "C++", "C#", "C+", "C--", "C*")],
    "brackets": [" ".join(f"f{n}{left}x{right}" for n in range(60)) for left, right in ("()", "[]", "{}", "<>")],
    "currencies": [" ".join(f"it costs {sign}{n}" for n in range(50)) for sign in "$€£¥₹₿"],
    "faces": [f"I feel {face} about the plan of today" for face in "😀😡😢🙂🙃"],
    "indentation": [CODE, CODE.replace("    print", "print"), CODE.replace("    print", "        print")],
    "case of code": [CODE, CODE.upper(), CODE.replace("total", "Total")],
    "sets": [" ".join(f"A{n} {sign} B{n}" for n in range(40)) for sign in "⊂⊃∪∩∈∉"],
    "Arabic": [" ".join(WORDS[n:] + WORDS[:n]) for n in range(0, 15, 3)],
    "regular expressions": [f"match `{before}d{after}` at the start" for before in ("", "\\") for after in "+*?"],
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("form", ["jsonl", "csv", "json", "parquet", "frame"])
def test_texts_that_only_signs_marks_or_layout_set_apart_all_stay(tmp_path: Path, family: str, form: str) -> None:
    texts = FAMILIES[family]
    records: Records = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    writers: Mapping[str, Callable[[Records], bytes]] = {
        "jsonl": jsonl,
        "csv": separated,
        "json": array,
        "parquet": lambda given: parquet(pa.Table.from_pylist(given)),
    }
    given: object = pl.DataFrame(records)
    if form in writers:
        (tmp_path / f"a.{form}").write_bytes(writers[form](records))
        given = tmp_path / f"a.{form}"
    found = polyculture.dedupe(given)
    assert found.summary.documents == len(set(texts)) == len(texts)
    assert sorted(found.kept["text"].to_list()) == sorted(texts)
    again = polyculture.dedupe([*texts, *texts])  # and copies of them leave
    assert (again.summary.exact, again.kept.height) == (len(texts), len(texts))


IDS: Mapping[str, tuple[pa.Array, list[str]]] = {
    "uuid": (
        pa.ExtensionArray.from_storage(pa.uuid(), pa.array([uuid.UUID(int=n).bytes for n in range(4)], pa.binary(16))),
        [str(uuid.UUID(int=n)) for n in range(4)],
    ),
    "decimal": (
        pa.array([Decimal(10**19 + n) for n in range(4)], pa.decimal128(20, 0)),
        [str(10**19 + n) for n in range(4)],
    ),
    "fixed binary": (pa.array([b"ab%02d" % n for n in range(4)], pa.binary(4)), [f"ab{n:02}" for n in range(4)]),
    "float": (pa.array([float(n) for n in range(4)]), ["0", "1", "2", "3"]),
    "date": (
        pa.array([datetime.date(2024, 1, n + 1) for n in range(4)]),
        [f"2024-01-0{n + 1}" for n in range(4)],
    ),
    "dictionary": (pa.array(["w", "x", "y", "z"]).dictionary_encode(), ["w", "x", "y", "z"]),
}


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_ids_are_kept_as_text_in_what_deduplication_writes(
    here: Callable[..., Ended], tmp_path: Path, kind: str, suffix: str
) -> None:
    values, expected = IDS[kind]
    table = pa.table({"id": values, "text": unique_texts(4, 5)})
    (tmp_path / f"a.{suffix}").write_bytes((parquet if suffix == "parquet" else arrow_file)(table))
    ended = here("dedupe", tmp_path / f"a.{suffix}", "--out", tmp_path / "out")
    assert ended.returncode == 0, ended.stderr
    assert "became" not in ended.stdout
    assert pl.read_parquet(tmp_path / "out" / "kept" / "*.parquet")["id"].to_list() == expected


def test_an_id_that_is_null_here_and_there_keeps_the_others(here: Callable[..., Ended], tmp_path: Path) -> None:
    table = pa.table({"id": pa.array([1.0, None, 3.0, None]), "text": unique_texts(4, 5)})
    (tmp_path / "a.parquet").write_bytes(parquet(table))
    assert here("dedupe", tmp_path / "a.parquet", "--out", tmp_path / "out").returncode == 0
    ids = pl.read_parquet(tmp_path / "out" / "kept" / "*.parquet")["id"].to_list()
    assert [name for name in ids if name in ("1", "3")] == ["1", "3"]
    assert len(set(ids)) == 4


def write_chat_and_text(folder: Path) -> None:
    records: list[Records] = [
        [{"id": str(n), "text": text} for n, text in enumerate(unique_texts(COUNT, seed))] for seed in (8, 9)
    ]
    (folder / "in").mkdir()
    (folder / "in" / "chat.jsonl").write_bytes(jsonl(chats(records[0])))
    (folder / "in" / "all.txt").write_bytes(blank_lines(records[1]))


def test_what_deduplication_cannot_read_as_it_is_names_the_setting_that_reads_it(
    here: Callable[..., Ended], tmp_path: Path
) -> None:
    write_chat_and_text(tmp_path)
    ended = here("dedupe", tmp_path / "in", "--out", tmp_path / "out")
    assert ended.returncode == 1
    for output in (ended.stdout, ended.stderr):
        (line,) = [line for line in output.splitlines() if "chat.jsonl" in line and "text_wrong_type" in line]
        assert "chat_template" in line
    settings = ("--read", "chat_template={role}: {content}\\n", "--read", "text_records=blank_lines")
    ended = here("dedupe", tmp_path / "in", "--out", tmp_path / "again", *settings)
    assert ended.returncode == 0, ended.stderr
    kept = pl.read_parquet(tmp_path / "again" / "kept" / "*.parquet")["text"].to_list()
    assert len(kept) == 2 * COUNT
    assert sum(text.startswith("user: ") and text.endswith("\n") for text in kept) == COUNT


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("text_records=lines", "text_records=lines"),
        ("text_records", "text_records="),
        ("chat_template={role}", "wants {content}"),
        ("paths=x", "known: text_records, chat_template, cut_pages"),
        ("cut_pages=yes", "cut_pages=yes"),
    ],
)
def test_settings_that_are_none_are_refused_with_those_that_are(
    here: Callable[..., Ended], tmp_path: Path, setting: str, says: str
) -> None:
    write_chat_and_text(tmp_path)
    ended = here("dedupe", tmp_path / "in", "--out", tmp_path / "out", "--read", setting)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert not (tmp_path / "out").exists()
    name, _, value = setting.partition("=")
    with pytest.raises(polyculture.ConfigError, match="reading: "):
        polyculture.dedupe(tmp_path / "in", reading={name: value})
