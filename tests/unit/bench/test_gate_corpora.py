"""Real text of unpacked packages: what is read, and as what."""

import gzip
from pathlib import Path

from bench.gate.installed import unpacked_corpora

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def in_base_64(number: int) -> str:
    digits = ALPHABET[number % 64]
    while number := number // 64:
        digits = ALPHABET[number % 64] + digits
    return digits


def test_a_dictionary_is_read_entry_by_entry_and_pages_without_their_tags(tmp_path: Path) -> None:
    entries = [f"word {n}: " + " ".join(str(n * k) for k in range(40)) for n in range(150)]
    index, text = [], b""
    for number, entry in enumerate(["what this is", *entries]):
        name = "00-database-info" if number == 0 else f"word{number}"
        index.append(f"{name}\t{in_base_64(len(text))}\t{in_base_64(len(entry.encode()))}")
        text += entry.encode()
    folder = tmp_path / "dict-some" / "usr"
    folder.mkdir(parents=True)
    (folder / "some.dict.dz").write_bytes(gzip.compress(text))
    (folder / "some.index").write_text("\n".join(index))
    for number in range(120):
        (folder / f"{number}.html").write_text(f"<html><b>page {number}</b><p>{entries[number]}</p></html>")
    found = {corpus.name: corpus for corpus in unpacked_corpora(tmp_path)}
    assert {record.text for record in found["entries_some"].records} == set(entries)
    assert len(found["pages_dict_some"].records) == 120
    assert not any("<" in record.text for record in found["pages_dict_some"].records)
