"""The canary's documents as texts, in words that no other text has."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache

from polyculture.canary.layout import OPENING_WORDS, Planted, layout

# Ten letters, none of them a hexadecimal digit, drawn from 2**40: no word of any language, and none in two documents.
_LETTERS = str.maketrans("0123456789abcdef", "ghijklmnopqrstuv")
_FIRST_HAN, _HAN = 0x4E00, 20_000
_SOFT_HYPHEN = "\N{SOFT HYPHEN}"


def document_key(seed: int, number: int) -> str:
    """The id that a document of the canary has in its file: that of another seed has another one."""
    return f"{number:05d}-{seed:x}"


def records(seed: int, threshold: float) -> Iterator[dict[str, object]]:
    """The documents as records of a corpus: id, text and, where one is named, seed. About .3 seconds."""
    for document in layout(threshold):
        record: dict[str, object] = {"id": document_key(seed, document.number), "text": text_of(document, seed)}
        if document.seed is not None:
            record["seed"] = f"{seed:x}-{document.seed}"
        yield record


def text_of(document: Planted, seed: int) -> str:
    """The text of a document; another seed has no word in common with it."""
    kind, species, _ = document.text
    is_han = species % 5 == 4 and kind in ("copies", "hubs")
    words = _words(document, seed)
    if is_han:
        text = "".join(chr(_FIRST_HAN + int(word, 16) % _HAN) for word in words)
        return _styled_han(text, document.style) if kind == "copies" else text
    if kind == "templates":  # every shingle holds a number, so no two documents share one
        own = [f"{document.number:05d}{at:03d}" for at in range(len(words))]
        return " ".join(own[at] if at % 4 == 1 else word.translate(_LETTERS) for at, word in enumerate(words))
    return _styled([word.translate(_LETTERS) for word in words], document.style)


def _words(document: Planted, seed: int) -> list[str]:
    """The words of a document in hexadecimal: those of its species, but for what is its own."""
    kind, species, member = document.text
    if kind == "openings":
        rest = _series(seed, (kind, species, member + 1), document.words - OPENING_WORDS)
        return [*_series(seed, (kind, species, 0), OPENING_WORDS), *rest]
    words = list(_series(seed, (kind, species, 0), document.words))
    if document.changed is not None:
        words[document.changed] = _series(seed, (kind, species, member), 1)[0]
    return words


@lru_cache(maxsize=1024)
def _series(seed: int, label: tuple[str, int, int], count: int) -> tuple[str, ...]:
    prefix = f"{seed}/{label[0]}/{label[1]}/{label[2]}/"
    return tuple(hashlib.blake2b(f"{prefix}{at}".encode(), digest_size=5).hexdigest() for at in range(count))


def _styled(words: list[str], style: int) -> str:
    """Style 1 spaces words out, 2 breaks one by an invisible hyphen, 3 capitalises one; 0 does nothing."""
    written = [f"{word}." if at % 9 == 8 else word for at, word in enumerate(words)]
    if style == 2:
        written[1] = f"{written[1][:4]}{_SOFT_HYPHEN}{written[1][4:]}"
    if style == 3:
        written[2] = written[2].capitalize()
    return ("  \n" if style == 1 else " ").join(written)


def _styled_han(text: str, style: int) -> str:
    """The same of a text without spaces: its fourth word is a Latin one, for style 3 to capitalise."""
    begun = f"{text[:3]} {'Qq' if style == 3 else 'qq'} {text[4:]}"
    if style == 1:
        begun = f" {begun}\n"
    return f"{begun[:2]}{_SOFT_HYPHEN}{begun[2:]}" if style == 2 else begun
