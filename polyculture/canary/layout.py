"""The canary's layout: documents whose species are known in every lens, by construction."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

NAME = "canary"  # of its source, in its own files
RECIPE = 1  # counts up with every change of the documents, so that an old canary is not taken for a new one
HEAVY_ABOVE = 24  # species of more documents are counted whole, smaller ones are sampled: the canary has both
PROBES = 800  # of each weighting
# Species of so many documents: how many there are.
COPIES = {2: 60, 3: 30, 5: 16, 8: 8, 14: 4, 22: 2, 40: 1, 70: 1, 120: 1}
HUBS = {3: 60, 5: 40, 9: 20, 17: 6, 33: 2, 60: 2}
TEMPLATES = {2: 20, 4: 12, 7: 6, 15: 3, 20: 1, 45: 1, 110: 1}
OPENINGS = {2: 20, 3: 15, 6: 8, 12: 4, 18: 2, 36: 1, 80: 1}
SEEDS = (1, 2, 1, 1, 3, 1, 22, 1, 1, 6, 1, 2, 1, 12, 1, 3)  # over and over, after one of 60 and one of 100
ALONE = 500
OPENING_WORDS = 20  # more than an opening has
SHINGLE = 5  # words
SHARPEST = (Fraction("0.78"), Fraction("0.95"))  # thresholds that hubs are built for; see `hub_words`


@dataclass(frozen=True, slots=True)
class Planted:
    """A document of the canary. Two are one species of a lens if they have equal labels there.

    Attributes:
        number: its number, from 0.
        text: its canonical text; equal labels have equal texts.
        words: number of its words; they are its tokens.
        template, opening: labels of its skeletons.
        seed: label of its lineage, None if it names none.
        changed: place of the word that it changes, in a near family; None for the hub.
        family: label of its near family, None if it has none.
        style: spacing, capitals and invisible characters of a copy that canonical text does not have.
    """

    number: int
    text: tuple[str, int, int]
    words: int
    template: tuple[str, int, int]
    opening: tuple[str, int, int]
    seed: int | None
    style: int = 0
    family: int | None = None
    changed: int | None = None


@dataclass(slots=True)
class _Builder:
    seeds: list[int | None]
    documents: list[Planted] = field(default_factory=list)

    def add(self, text: tuple[str, int, int], words: int, **more: object) -> None:
        number = len(self.documents)
        values: dict[str, object] = {"template": text, "opening": text, "seed": self.seeds[number], **more}
        self.documents.append(Planted(number=number, text=text, words=words, **values))  # type: ignore[arg-type]


def total_documents() -> int:
    """Number of documents in the canary."""
    parts = (COPIES, HUBS, TEMPLATES, OPENINGS)
    return ALONE + sum(size * count for part in parts for size, count in part.items())


def hub_words(threshold: float) -> int:
    """Words of the documents of near families: so many that a hub is just similar enough to each of its leaves.

    A leaf changes one word, and so 5 of n shingles: its similarity to the hub is (n - 5)/(n + 5), that of two leaves at
    least (n - 10)/(n + 10). With the smallest n for which the first reaches the threshold t the second is below it: the
    hub has all leaves for neighbours, and a leaf the hub and those leaves that change the same word.

    Below t = .78 the banding that proposes neighbours may miss a pair at the threshold (1e-6 at .75, .01 at .6), and a
    canary must not; above .95 documents would be long. There n = 95: all similarities are .81 and more.
    """
    exact = Fraction(str(threshold))
    if not SHARPEST[0] <= exact <= SHARPEST[1]:
        return 95 + SHINGLE - 1
    shingles = 5 * (1 + exact) / (1 - exact)
    return -int(-shingles // 1) + SHINGLE - 1


@lru_cache(maxsize=4)
def layout(threshold: float) -> tuple[Planted, ...]:
    """The documents of the canary for a threshold of the near lens; the words that they are written in come later."""
    builder = _Builder(_seeds(total_documents()))
    for number in range(ALONE):
        builder.add(("alone", number, 0), 20 + number * 7 % 61)
    for number, size in _species(COPIES):
        text, words = ("copies", number, 0), 24 + number * 5 % 50
        for copy in range(size):
            style = copy % 4
            kind = (*text[:2], int(style == 3))  # a capital is masked in the skeleton
            builder.add(text, words, template=kind, opening=kind, style=style)
    words = hub_words(threshold)
    for number, size in _species(HUBS):
        hubs = 1 + (size >= 5)  # the larger families hold their hub twice
        for leaf in range(size):
            where = None if leaf < hubs else SHINGLE - 1 + (leaf * 6 + number) % (words - 2 * SHINGLE + 2)
            label = ("hubs", number, 0 if leaf < hubs else leaf)
            opening = label if where is not None and where < 16 else ("hubs", number, 0)
            builder.add(label, words, opening=opening, family=number, changed=where)
    for number, size in _species(TEMPLATES):
        for member in range(size):
            skeleton = ("templates", number, 0)
            builder.add(("templates", number, member), 40, template=skeleton, opening=skeleton)
    for number, size in _species(OPENINGS):
        for member in range(size):
            builder.add(("openings", number, member), 60, opening=("openings", number, 0))
    return tuple(builder.documents)


def _species(sizes: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Number and size of each species."""
    return enumerate(size for size, count in sizes.items() for _ in range(count))


def _seeds(documents: int) -> list[int | None]:
    """The lineage of each document, in no relation to what it holds; every seventh names none."""
    sizes = [60, 100]
    while sum(sizes) < documents:
        sizes.append(SEEDS[len(sizes) % len(SEEDS)])
    labels = [label for label, size in enumerate(sizes) for _ in range(size)]
    stride = next(step for step in (1009, 1013, 1019) if documents % step)
    return [None if at % 7 == 0 else labels[at * stride % documents] for at in range(documents)]
