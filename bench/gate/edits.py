"""Edits of text: what a generator does to a seed."""

import random
import re
from collections.abc import Callable, Sequence

Generator = random.Random
_CUT = re.compile(r"([\u3040-\u30ff\u3400-\u9fff]|\w+)")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_SYNONYMS = (
    "use employ apply|get obtain receive|show display present|make create build|find locate discover|"
    "big large great|small little minor|start begin commence|end finish conclude|need require want|"
    "help assist support|change alter modify|give provide supply|keep retain hold|many numerous several|"
    "also additionally moreover|but however yet|because since as|if when whenever|must should shall|"
    "can may might|set place put|return yield produce|file document record|value number figure|"
    "list sequence series|new fresh recent|old former earlier|first initial opening|last final closing|"
    "same identical equal|different distinct other|important essential vital|example instance case|"
    "problem issue difficulty|method approach way|result outcome effect|part portion section|"
    "check verify test|allow permit let|called named termed|usually often commonly|only solely just|"
    "very quite rather|people persons folk|work operate function|say state mention|see view observe|"
    "contains holds includes|specified given stated|following next subsequent|"
    "available accessible present|current present existing"
)
_OTHERS = {
    word: [other for other in group.split() if other != word]
    for group in _SYNONYMS.split("|")
    for word in group.split()
}
_LINKS = ("", "", "", "In short, ", "Put simply, ", "That is, ", "Note that ", "In other words, ", "Here ", "So ")


def pieces(text: str) -> list[str]:
    """Text cut at its words: those stand at the odd places. A character of Chinese or Japanese is a word."""
    return _CUT.split(text)


def word_count(text: str) -> int:
    """Words of a text, as `pieces` has them."""
    return len(pieces(text)) // 2


def sentences_of(text: str) -> list[str]:
    """Sentences and lines of a text."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def short_sentences(text: str, words: int = 30) -> list[str]:
    """Sentences, those that are long cut into parts of so many words."""
    found = []
    for sentence in sentences_of(text):
        parts = pieces(sentence)
        found += ["".join(parts[at : at + 2 * words]).strip() for at in range(0, len(parts), 2 * words)]
    return found


def clipped(text: str, words: int) -> str:
    """The first words of a text."""
    return "".join(pieces(text)[: 2 * words])


def each_word(text: str, change: Callable[[str], str], share: float, generator: Generator) -> str:
    """Text with a share of its words changed, at random places."""
    parts = pieces(text)
    for place in range(1, len(parts), 2):
        if generator.random() < share:
            parts[place] = change(parts[place])
    return "".join(parts)


def with_other_words(text: str, share: float, vocabulary: Sequence[str], generator: Generator) -> str:
    """Text with a share of its words replaced by others."""
    return each_word(text, lambda _: generator.choice(vocabulary), share, generator)


def filled(text: str, slots: Sequence[int], vocabulary: Sequence[str], generator: Generator) -> str:
    """Text with other words in the same places."""
    parts = pieces(text)
    for slot in slots:
        parts[2 * slot + 1] = generator.choice(vocabulary)
    return "".join(parts)


def paraphrased(text: str, generator: Generator) -> str:
    """English text said again: synonyms, clauses and neighbouring sentences in another order, other links."""
    said = []
    for sentence in sentences_of(text):
        clauses = sentence.rstrip(".").split(", ")
        if len(clauses) > 1 and generator.random() < 0.5:
            generator.shuffle(clauses)
        words = each_word(", ".join(clauses), lambda word: _synonym(word, generator), 0.8, generator)
        said.append(generator.choice(_LINKS) + words + ".")
    for place in range(len(said) - 1):
        if generator.random() < 0.4:
            said[place], said[place + 1] = said[place + 1], said[place]
    return " ".join(said)


def _synonym(word: str, generator: Generator) -> str:
    others = _OTHERS.get(word.lower())
    return generator.choice(others) if others else word


def with_entities(text: str, vocabulary: Sequence[str], generator: Generator) -> str:
    """Text about others: each capitalised word and each number is another one, the same all through."""
    new: dict[str, str] = {}
    parts = pieces(text)
    for place in range(1, len(parts), 2):
        word = parts[place]
        if word[0].isdigit():
            parts[place] = str(generator.randrange(10 ** max(1, len(word))))
        elif word[0].isupper() or (len(word) > 6 and hash_share(word) < 0.3):
            parts[place] = new.setdefault(word, generator.choice(vocabulary).capitalize())
    return "".join(parts)


def hash_share(word: str) -> float:
    """A number of 0..1 that belongs to a word."""
    return random.Random(word).random()


def with_digits(text: str, generator: Generator) -> str:
    """Text with numbers strewn in, and those that it has changed."""
    return each_word(text, lambda word: f"{word} {generator.randrange(10_000)}", 0.15, generator)


def with_marks(text: str, mark: str, generator: Generator) -> str:
    """Text with a mark inside a third of its longer words."""

    def change(word: str) -> str:
        place = generator.randrange(1, len(word)) if len(word) > 4 else 0
        return word[:place] + mark + word[place:] if place else word

    return each_word(text, change, 0.35, generator)


def permuted(text: str, generator: Generator) -> str:
    """The lines of a text, all but a few, in another order."""
    lines = text.split("\n")
    kept = generator.sample(lines, max(2, round(len(lines) * generator.uniform(0.85, 1.0))))
    return "\n".join(kept)
