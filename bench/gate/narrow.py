"""Narrow text: every way that we know to say little in many documents, each from fresh seeds."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.gate.corpora import RealCorpus
from bench.gate.edits import (
    Generator,
    clipped,
    each_word,
    filled,
    paraphrased,
    permuted,
    pieces,
    short_sentences,
    with_digits,
    with_entities,
    with_marks,
    with_other_words,
    word_count,
)

GROUPS = (10, 16, 32, 64, 200)  # documents that say one thing
SEED_WORDS = (50, 220)


@dataclass(frozen=True, slots=True)
class Draft:
    """A document of a world.

    Attributes:
        text: what it says.
        group: what it says again; empty if nothing else says it.
        prompt: prompt that it says it answers, if any.
        vendor: which of several sources it belongs to, where that is part of the family.
    """

    text: str
    group: str = ""
    prompt: str = ""
    vendor: int = 0


@dataclass(frozen=True)
class Material:
    """Real text to make worlds of."""

    corpus: RealCorpus

    @cached_property
    def sentences(self) -> list[str]:
        """Different sentences of 30 to 300 characters."""
        found = (s for record in self.corpus.records[:4_000] for s in short_sentences(record.text[:6_000]))
        return list(dict.fromkeys(s for s in found if 30 <= len(s) <= 300))[:20_000]

    @cached_property
    def vocabulary(self) -> list[str]:
        """Words, each as often as it is used."""
        found = (word for sentence in self.sentences[:5_000] for word in pieces(sentence)[1::2])
        return [word for word in found if not word.isdigit()]

    def seed(self, generator: Generator, words: int = 0) -> str:
        """A text of so many words, or of the usual length: the beginning of some, joined until they are enough."""
        wanted, text = words or generator.randint(*SEED_WORDS), ""
        while word_count(text) < wanted:
            text += ("\n" if text else "") + generator.choice(self.corpus.records).text
        return clipped(text, wanted)

    def sample(self, count: int, generator: Generator) -> list[str]:
        """Different sentences, as many as there are."""
        return generator.sample(self.sentences, min(count, len(self.sentences)))


Edit = Callable[[str, Material, Generator], str]
Family = Callable[[Material, int, Generator], list[Draft]]


def edited(edit: Edit, words: tuple[int, int] = SEED_WORDS) -> Family:
    """A family whose groups are edits of one seed."""

    def family(material: Material, count: int, generator: Generator) -> list[Draft]:
        found = []
        for group, size in _groups(count, generator):
            seed = material.seed(generator, generator.randint(*words))
            found += [Draft(edit(seed, material, generator), group) for _ in range(size)]
        return found

    return family


def _groups(count: int, generator: Generator, sizes: Sequence[int] = GROUPS) -> Iterable[tuple[str, int]]:
    """Names and sizes of the groups of a world, all of about one size."""
    size = min(count, generator.choice(sizes))
    return [(f"group {number}", size) for number in range(max(1, count // size))]


def _word_changes(text: str, material: Material, generator: Generator) -> str:
    return with_other_words(text, generator.choice((0.05, 0.1, 0.2, 0.28)), material.vocabulary, generator)


def _under_the_threshold(text: str, material: Material, generator: Generator) -> str:
    """Two of them differ in twice these words, each in five shingles: a Jaccard similarity of some .70 to .78."""
    return with_other_words(text, generator.uniform(0.013, 0.018), material.vocabulary, generator)


def _paraphrase(text: str, material: Material, generator: Generator) -> str:
    del material
    return paraphrased(text, generator)


def _entities(text: str, material: Material, generator: Generator) -> str:
    return with_entities(text, material.vocabulary, generator)


def _digits(text: str, material: Material, generator: Generator) -> str:
    del material
    return with_digits(text, generator)


def _hyphens(text: str, material: Material, generator: Generator) -> str:
    del material
    return with_marks(text, "-", generator)


def _points(text: str, material: Material, generator: Generator) -> str:
    del material
    return with_marks(text, ".", generator)


def _recombined(material: Material, count: int, generator: Generator) -> list[Draft]:
    """Every sentence of a pool stands in ten documents or more."""
    size = max(12, min(generator.choice((60, 150, 400)), count * 8 // 10))
    pool = material.sample(size, generator)
    return [Draft(" ".join(generator.sample(pool, generator.randint(5, 11))), "pool") for _ in range(count)]


def _windows(material: Material, count: int, generator: Generator) -> list[Draft]:
    """Every word of a few long texts stands in ten documents or more."""
    words, depth = generator.choice((60, 120, 250)), generator.choice((10, 16, 40))
    text = pieces(material.seed(generator, max(3 * words, count * words // depth)))
    last = len(text) // 2 - words
    starts = [2 * generator.randint(0, last) for _ in range(count)]
    return [Draft("".join(text[start : start + 2 * words]), "text") for start in starts]


def _permuted_lines(material: Material, count: int, generator: Generator) -> list[Draft]:
    found = []
    for group, size in _groups(count, generator):
        lines = "\n".join(material.sample(generator.randint(10, 24), generator))
        found += [Draft(permuted(lines, generator), group) for _ in range(size)]
    return found


def _template(material: Material, count: int, generator: Generator) -> list[Draft]:
    """A few templates with slots, of a tenth to a third of the words."""
    found = []
    for group, size in _groups(count, generator, (64, 200, 10_000)):
        text = material.seed(generator)
        words = word_count(text)
        slots = generator.sample(range(words), round(words * generator.uniform(0.1, 0.33)))
        found += [Draft(filled(text, slots, material.vocabulary, generator), group) for _ in range(size)]
    return found


def _one_opening(material: Material, count: int, generator: Generator) -> list[Draft]:
    """A long opening, and a sentence of one's own after it: three words in four are the opening's."""
    found = []
    for group, size in _groups(count, generator, (64, 200, 10_000)):
        opening = material.seed(generator, generator.randint(60, 120))
        own = [generator.choice(material.sentences) for _ in range(size)]
        found += [Draft(f"{opening}\n{clipped(end, 25)}", group) for end in own]
    return found


def _skeleton(material: Material, count: int, generator: Generator) -> list[Draft]:
    """The short words of a text, with other long words between them every time."""
    found = []
    for group, size in _groups(count, generator, (64, 200, 10_000)):
        text = material.seed(generator, generator.randint(40, 120))
        long = [place for place, word in enumerate(pieces(text)[1::2]) if len(word) > 4]
        found += [Draft(filled(text, long, material.vocabulary, generator), group) for _ in range(size)]
    return found


def _answers(size: int, *, says_so: bool = True) -> Family:
    """Many answers to few prompts: most of the facts of each, in other words and in about the same order."""

    def family(material: Material, count: int, generator: Generator) -> list[Draft]:
        found = []
        for group, many in _groups(count, generator, (size,)):
            facts = material.sample(generator.randint(7, 12), generator)
            for _ in range(many):
                kept = [fact for fact in facts if generator.random() < generator.uniform(0.7, 0.95)] or facts
                found.append(Draft(paraphrased(" ".join(kept), generator), group, group if says_so else ""))
        return found

    return family


def _generations(material: Material, count: int, generator: Generator) -> list[Draft]:
    """Every generation is made of sentences of the one before, drawn with replacement: ever fewer are left."""
    pool = material.sample(max(30, count), generator)
    for _ in range(generator.randint(6, 12)):
        pool = generator.choices(pool, k=len(pool))
    return [Draft(" ".join(generator.choices(pool, k=generator.randint(5, 10))), "pool") for _ in range(count)]


def _heavy(material: Material, count: int, generator: Generator) -> list[Draft]:
    """Few documents, each as long as twenty, with edits."""
    long = max(12, count // 20)
    found = []
    for group, size in _groups(long, generator, (12, 20, 40)):
        seed = material.seed(generator, generator.randint(2_000, 5_000))
        edits = (with_other_words(seed, 0.03, material.vocabulary, generator) for _ in range(size))
        found += [Draft(text, group) for text in edits]
    return found


def _poisoned(material: Material, count: int, generator: Generator) -> list[Draft]:
    """A payload under fresh prefixes: between four and nine words in ten are the payload's."""
    found = []
    for group, size in _groups(count, generator, (100, 300)):
        payload = material.seed(generator, generator.randint(60, 160))
        for _ in range(size):
            words = round(word_count(payload) * generator.uniform(0.12, 1.4))
            found.append(Draft(f"{material.seed(generator, max(8, words))}\n{payload}", group))
    return found


def _vendors(material: Material, count: int, generator: Generator) -> list[Draft]:
    """The same items from many vendors, each of whom has each item once."""
    vendors = generator.choice((4, 8, 12, 20, 40))
    found = []
    for item in range(max(1, count // vendors)):
        seed = material.seed(generator)
        for vendor in range(vendors):
            text = each_word(seed, lambda _: generator.choice(material.vocabulary), 0.08, generator)
            found.append(Draft(text, f"item {item}", vendor=vendor))
    return found


FAMILIES: dict[str, Family] = {
    "word changes": edited(_word_changes),
    "paraphrases": edited(_paraphrase),
    "recombined": _recombined,
    "windows": _windows,
    "permuted lines": _permuted_lines,
    "template": _template,
    "one opening": _one_opening,
    "skeleton": _skeleton,
    "entities": edited(_entities),
    "digits": edited(_digits),
    "hyphens": edited(_hyphens),
    "points": edited(_points),
    "under the threshold": edited(_under_the_threshold, (200, 400)),
    "8 answers": _answers(8),
    "16 answers": _answers(16),
    "32 answers": _answers(32, says_so=False),
    "generations": _generations,
    "heavy by tokens": _heavy,
    "poisoned": _poisoned,
    "vendors": _vendors,
}
IN_ENGLISH = frozenset({"paraphrases", "8 answers", "16 answers", "32 answers"})
