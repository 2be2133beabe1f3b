"""Worlds: corpora whose narrow share is known, narrow ones and healthy ones, from an index and a seed."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bench.gate.corpora import RealCorpus, Record
from bench.gate.edits import Generator
from bench.gate.narrow import FAMILIES, IN_ENGLISH, Draft, Material

SHARES = (0.12, 0.30, 0.02, 0.12, 1.0, 0.06, 0.30)  # of the tokens that are narrow, in turn
FORMS = ("plain", "other kind", "other language", "split", "merged")
USUAL, LARGE = (1_500_000, 2_000), (6_000_000, 12_000)  # characters and documents of a world, at most
LARGE_EVERY = 25
LEAST_NARROW = 24  # documents
USUAL_LENGTH = 900  # characters of a narrow document, about
LEAST_ANSWERS = 8
LANGUAGES = ("sw", "de", "zh", "ru")
REAL_ANSWERS = "real answers"


@dataclass(frozen=True, slots=True)
class WorldSource:
    """A source of a world.

    Attributes:
        name: of the source.
        kind: what it says that it is.
        documents: its documents.
        language: what it says that they are in; empty if it says nothing.
        rate: epochs.
        answers: answers to a prompt that it declares.
    """

    name: str
    kind: str
    documents: tuple[Draft, ...]
    language: str = ""
    rate: float = 1.0
    answers: float | None = None


@dataclass(frozen=True)
class World:
    """A corpus to judge.

    Attributes:
        name: unique; everything follows from it and the seed.
        side: `narrow` or `healthy`: what it was made to be. What it is, the survivors of deduplication say.
        family: of its side.
        form: how the narrow part is delivered.
        base: the corpus that counts it as one cluster with others.
        sources: what it is made of.
        reference: names of the sources that others are compared with.
        settings: what its configuration says besides.
    """

    name: str
    side: str
    family: str
    form: str
    base: str
    sources: tuple[WorldSource, ...]
    reference: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, object] | int] = field(default_factory=dict)


@dataclass
class Worlds:
    """All worlds of some corpora.

    Attributes:
        corpora: real text.
        seed: of everything.
    """

    corpora: Sequence[RealCorpus]
    seed: int
    _materials: dict[str, Material] = field(default_factory=dict)

    @property
    def healthy(self) -> list[RealCorpus]:
        """Corpora that people wrote."""
        return [corpus for corpus in self.corpora if corpus.is_healthy]

    def names(self, count: int) -> list[str]:
        """Names of so many worlds, both sides and every family in turn."""
        families = [*FAMILIES, *([REAL_ANSWERS] if self._answered() else [])]
        found = []
        for number in range((count + 1) // 2):
            family = families[number % len(families)]
            found += [f"narrow {number:04d} {family}", f"healthy {number:04d} {_HEALTHY_TURNS[number % _TURN]}"]
        return found[:count]

    def make(self, name: str, most: tuple[int, int] | None = None) -> World:
        """The world of a name, of at most so many characters and documents, where that is said."""
        side, number, family = name.split(" ", 2)
        generator = random.Random(f"{self.seed} {name}")
        size = most or (LARGE if int(number) % LARGE_EVERY == LARGE_EVERY - 1 else USUAL)
        if side == "healthy":
            return _HEALTHY[family](self, name, family, size, generator)
        return self._narrow(name, family, int(number), size, generator)

    def material(self, corpus: RealCorpus) -> Material:
        """The corpus as material, read once."""
        return self._materials.setdefault(corpus.name, Material(corpus))

    def _narrow(self, name: str, family: str, number: int, size: tuple[int, int], generator: Generator) -> World:
        turn = number // len(FAMILIES) + number
        share, form = SHARES[turn % len(SHARES)], FORMS[(turn // 2) % len(FORMS)]
        drafts, base = self.narrow_part(family, share, size, generator)
        length = sum(len(draft.text) for draft in drafts)
        around = round(length * (1 - share) / share)
        others = [c for c in self.healthy if c.name != base.name] or self.healthy
        chosen = generator.sample(others, min(len(others), generator.randint(1, 4))) if around else []
        healthy = shared_out(chosen, (around, size[1]), generator)
        sources = deliver(drafts, healthy, "plain" if family == "vendors" else form, generator)
        return World(name, "narrow", family, f"{form} {share:.0%}", base.name, tuple(sources))

    def narrow_part(
        self, family: str, share: float, size: tuple[int, int], generator: Generator
    ) -> tuple[list[Draft], RealCorpus]:
        """Narrow documents for about this share of a world, and the corpus whose text they are made of."""
        count = max(LEAST_NARROW, min(size[1], round(share * size[0] / USUAL_LENGTH)))
        if family == REAL_ANSWERS:
            return self._real_answers(count, generator)
        fit = [c for c in self.healthy if c.is_english or family not in IN_ENGLISH] or self.healthy
        base = generator.choice(fit)
        drafts = FAMILIES[family](self.material(base), count, generator)
        kept: list[Draft] = []
        total, most = 0, max(share * size[0] * 1.5, 1)
        for draft in drafts:
            total += len(draft.text)
            if total > most and len(kept) >= LEAST_NARROW:
                break
            kept.append(draft)
        return kept, base

    def _answered(self) -> list[RealCorpus]:
        """Corpora with prompts that eight documents or more answer."""
        return [corpus for corpus in self.corpora if any(True for _ in answers_of(corpus))]

    def _real_answers(self, count: int, generator: Generator) -> tuple[list[Draft], RealCorpus]:
        base = generator.choice(self._answered())
        prompts = list(answers_of(base))
        generator.shuffle(prompts)
        says_so = generator.random() < 0.5
        found: list[Draft] = []
        for prompt, texts in prompts:
            if len(found) >= count:
                break
            found += [Draft(text, prompt, prompt if says_so else "") for text in texts]
        return found, base


def answers_of(corpus: RealCorpus) -> Iterator[tuple[str, list[str]]]:
    """Prompts of a corpus with the texts that answer them, where these are many."""
    by_prompt: dict[str, list[str]] = defaultdict(list)
    for record in corpus.records:
        if record.prompt:
            by_prompt[record.prompt].append(record.text)
    return ((prompt, texts) for prompt, texts in sorted(by_prompt.items()) if len(texts) >= LEAST_ANSWERS)


def shared_out(corpora: Sequence[RealCorpus], most: tuple[int, int], generator: Generator) -> list[WorldSource]:
    """Sources of real text that hold so many characters and documents together, at most."""
    found = []
    for corpus in corpora:
        part = math.ceil(most[0] / len(corpora)), max(20, most[1] // len(corpora))
        documents = tuple(Draft(text) for text in taken(corpus.records, part, generator))
        found.append(WorldSource(corpus.name, corpus.kind, documents))
    return found


def taken(records: Sequence[Record], most: tuple[int, int], generator: Generator) -> list[str]:
    """Different texts, so many characters and documents, at most; a long text is cut where they end."""
    found, left = [], most[0]
    for number in generator.sample(range(len(records)), min(most[1], len(records))):
        text = records[number].text[:left]
        left -= len(text)
        if len(text) >= 40:
            found.append(text)
        if left < 40:
            break
    return found


def deliver(
    drafts: Sequence[Draft], healthy: Sequence[WorldSource], form: str, generator: Generator
) -> Iterator[WorldSource]:
    """Narrow documents beside healthy sources: as what they are, under another name, in parts, or hidden in others."""
    mixed = list(drafts)
    generator.shuffle(mixed)
    vendors = sorted({draft.vendor for draft in drafts})
    if form == "merged" and healthy:
        for number, source in enumerate(healthy):
            documents = [*source.documents, *mixed[number :: len(healthy)]]
            generator.shuffle(documents)
            yield replace(source, documents=tuple(documents))
        return
    yield from healthy
    if len(vendors) > 1:
        parts = [[draft for draft in mixed if draft.vendor == vendor] for vendor in vendors]
    else:
        count = min(generator.choice((5, 12, 40)), len(mixed) // 3) if form == "split" else 1
        parts = [mixed[number::count] for number in range(count)]
    kind = generator.choice(("expert", "web")) if form == "other kind" else "synthetic"
    language = generator.choice(LANGUAGES) if form == "other language" else ""
    for number, part in enumerate(parts):
        yield WorldSource(f"narrow_{number}", kind, tuple(part), language)


Made = Callable[[Worlds, str, str, tuple[int, int], Generator], World]


def _alone(worlds: Worlds, name: str, family: str, size: tuple[int, int], generator: Generator) -> World:
    """One source; those of a trait where the family is a trait."""
    fit = [corpus for corpus in worlds.healthy if family == "alone" or family in corpus.traits] or worlds.healthy
    chosen = fit[int(name.split()[1]) % len(fit)] if family == "alone" else generator.choice(fit)
    sources = shared_out([chosen], size, generator)
    return World(name, "healthy", family, "plain", chosen.name, tuple(sources))


def _mixture(worlds: Worlds, name: str, family: str, size: tuple[int, int], generator: Generator) -> World:
    """Two to twenty sources."""
    healthy = worlds.healthy
    chosen = generator.sample(healthy, min(len(healthy), generator.choice((2, 3, 5, 8, 12, 20))))
    sources = shared_out(chosen, size, generator)
    return World(name, "healthy", family, f"{len(chosen)} sources", chosen[0].name, tuple(sources))


def _epochs(worlds: Worlds, name: str, family: str, size: tuple[int, int], generator: Generator) -> World:
    """Sources that are planned for one to four epochs."""
    world = _mixture(worlds, name, family, size, generator)
    rated = (replace(source, rate=generator.choice((1.0, 2.0, 3.0, 4.0))) for source in world.sources)
    return replace(world, sources=tuple(rated))


def _many_small(worlds: Worlds, name: str, family: str, size: tuple[int, int], generator: Generator) -> World:
    """One or two corpora in five to 200 parts."""
    chosen = generator.sample(worlds.healthy, min(len(worlds.healthy), generator.choice((1, 2))))
    whole, count = shared_out(chosen, size, generator), generator.choice((5, 5, 12, 12, 40, 40, 200))
    sources = []
    for source in whole:
        many = max(1, min(count // len(whole), len(source.documents) // 5))
        parts = (source.documents[number::many] for number in range(many))
        sources += [replace(source, name=f"{source.name}_{at}", documents=part) for at, part in enumerate(parts)]
    return World(name, "healthy", family, f"{len(sources)} sources", chosen[0].name, tuple(sources))


def _referred(worlds: Worlds, name: str, family: str, size: tuple[int, int], generator: Generator) -> World:
    """A mixture one of whose sources is the reference."""
    world = _mixture(worlds, name, family, size, generator)
    large = [source.name for source in world.sources if len(source.documents) >= 100] or [world.sources[0].name]
    return replace(world, reference=(generator.choice(large),))


def _with_a_narrow_source(worlds: Worlds, name: str, family: str, size: tuple[int, int], generator: Generator) -> World:
    """A narrow source of less than a hundredth of the tokens."""
    world = _mixture(worlds, name, family, size, generator)
    drafts, _ = worlds.narrow_part(generator.choice(list(FAMILIES)), 0.008, size, generator)
    most = 0.008 * sum(len(draft.text) for source in world.sources for draft in source.documents)
    kept: list[Draft] = []
    while drafts and sum(len(draft.text) for draft in kept) + len(drafts[-1].text) < most:
        kept.append(drafts.pop())
    added = WorldSource("narrow", "synthetic", tuple(replace(draft, vendor=0) for draft in kept))
    return replace(world, sources=(*world.sources, *([added] if kept else [])))


def _declared(worlds: Worlds, name: str, family: str, size: tuple[int, int], generator: Generator) -> World:
    """Four answers to a prompt from an owner who says so, a third of the tokens."""
    half = size[0] // 3, size[1] // 3
    world = _mixture(worlds, name, family, (size[0] - half[0], size[1] - half[1]), generator)
    fit = [corpus for corpus in worlds.healthy if corpus.is_english] or worlds.healthy
    material, drafts, group = worlds.material(generator.choice(fit)), list[Draft](), 0
    while sum(len(draft.text) for draft in drafts) < half[0] and len(drafts) < half[1]:
        four = FAMILIES["8 answers"](material, 4, generator)
        drafts += [replace(draft, group="", prompt=f"prompt {group}") for draft in four]
        group += 1
    added = WorldSource("answers", "synthetic", tuple(drafts), answers=4)
    return replace(world, sources=(*world.sources, added))


_HEALTHY: dict[str, Made] = {
    "alone": _alone,
    "mixture": _mixture,
    **dict.fromkeys(("release", "laws", "api", "man", "languages", "short", "long"), _alone),
    "epochs": _epochs,
    "many small sources": _many_small,
    "with a reference": _referred,
    "with a narrow source": _with_a_narrow_source,
    "four answers declared": _declared,
}
_HEALTHY_TURNS = (
    "alone", "mixture", "release", "many small sources", "laws", "epochs", "api", "mixture", "alone", "man",
    "with a reference", "languages", "with a narrow source", "short", "long", "alone", "four answers declared",
)  # fmt: skip
_TURN = len(_HEALTHY_TURNS)
