"""The laws of the gate as metamorphic relations: a world, the same world changed, and what its verdict may do then."""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pyarrow as pa

from bench.gate.edits import Generator, paraphrased, with_other_words
from bench.gate.narrow import Draft
from bench.gate.run import run_world
from bench.gate.worlds import World, Worlds, WorldSource, shared_out
from polyculture.gate.drawn import drawn_of
from polyculture.gate.narrow import narrow_sources
from schemas.measures import Stage
from schemas.policy import NarrowRule

BASES = (
    "narrow 0001 word changes",
    "narrow 0000 16 answers",
    "narrow 0000 permuted lines",
    "healthy 0000 mixture",
    "healthy 0001 mixture",
    "healthy 0002 mixture",
)
SIZE = (400_000, 600)  # characters and documents of a world
ORDER = ("NO-GO", "UNKNOWN", "GO")
MATERIAL = 0.1  # of the tokens: unread, they make a verdict UNKNOWN
NAMED = 0.02  # of the mixture's tokens, for a source that is copied
_GEORGIAN = str.maketrans({chr(ord("a") + i): chr(0x10D0 + i) for i in range(26)})


@dataclass(frozen=True, slots=True)
class Judged:
    """The gate's word on a world.

    Attributes:
        verdict: GO, UNKNOWN or NO-GO.
        low, high: interval of the narrow share.
        checks: names of its checks that did not pass.
        narrow: for each source, the share of the mixture's tokens that are its narrow ones.
        held: for each source, the share of the mixture's tokens.
    """

    verdict: str
    low: float
    high: float
    checks: frozenset[str]
    narrow: Mapping[str, float]
    held: Mapping[str, float]

    @property
    def rank(self) -> int:
        """Place in the order of verdicts, the worst first."""
        return ORDER.index(self.verdict)

    def overlaps(self, other: "Judged") -> bool:
        """True if the two intervals of the narrow share have a point in common."""
        return self.low <= other.high and other.low <= self.high


Change = Callable[[World, Worlds, Generator], World]
Relation = Callable[[Judged, Judged], bool]


@dataclass(frozen=True)
class Law:
    """A law.

    Attributes:
        number: of the law.
        says: the change, in words.
        must: what the verdict must do, in words.
        change: makes the other world.
        holds: whether the two verdicts keep the law.
        base: changes the world before it is first judged.
    """

    number: str
    says: str
    must: str
    change: Change
    holds: Relation
    base: Change | None = None


def judged_world(world: World) -> Judged:
    """Take a world through the core and the gate."""
    with TemporaryDirectory(prefix="law") as folder:
        found, rows = run_world(world, Path(folder))
    checks = cast("list[dict[str, Any]]", found["checks"])
    share = next((check for check in checks if check["name"] == "narrow" and check["low"] is not None), None)
    tokens, answers = cast("dict[str, int]", found["tokens"]), cast("dict[str, float]", found["answers"])
    total = max(1, sum(tokens.values()))
    return Judged(
        str(found["verdict"]),
        share["low"] if share else 0.0,
        share["high"] if share else 1.0,
        frozenset(str(check["name"]) for check in checks if check["outcome"] != "pass"),
        _narrow_by_source(rows, tokens, answers),
        {name: held / total for name, held in tokens.items()},
    )


def _narrow_by_source(rows: pa.Table, tokens: Mapping[str, int], answers: Mapping[str, float]) -> dict[str, float]:
    if not rows.num_rows:
        return {}
    at = rows.schema.get_field_index("is_narrow")
    drawn = drawn_of(rows.remove_column(at), Stage.DISTINCT, tokens, answers)
    return {} if drawn is None else {source.name: source.contribution for source in narrow_sources(drawn, NarrowRule())}


def base_world(name: str, worlds: Worlds, size: tuple[int, int] = SIZE) -> World:
    """A world to change: its narrow part is one source that says what it is."""
    return worlds.make(name, size)


def _same(before: Judged, after: Judged) -> bool:
    return before.verdict == after.verdict


def _same_numbers(before: Judged, after: Judged) -> bool:
    return _same(before, after) and before.overlaps(after)


def _never_better(before: Judged, after: Judged) -> bool:
    return after.rank <= before.rank


def _never_worse(before: Judged, after: Judged) -> bool:
    return after.rank >= before.rank


def _never_opens(before: Judged, after: Judged) -> bool:
    return after.verdict != "GO" or before.verdict == "GO"


def _target(world: World) -> WorldSource:
    """The source that a change is made to: the narrow one, or the largest."""
    named = [source for source in world.sources if source.name.startswith("narrow")]
    return max(named or world.sources, key=lambda source: sum(len(draft.text) for draft in source.documents))


def _with(world: World, changed: WorldSource) -> World:
    """The world with a source in place of the one of its name."""
    sources = (changed if source.name == changed.name else source for source in world.sources)
    return replace(world, sources=tuple(sources))


def _added(world: World, name: str, drafts: Iterable[Draft], kind: str = "synthetic") -> World:
    return replace(world, sources=(*world.sources, WorldSource(name, kind, tuple(drafts))))


def _a_healthy_source(world: World, worlds: Worlds, generator: Generator) -> World:
    used = {source.name for source in world.sources}
    unused = [corpus for corpus in worlds.healthy if corpus.name not in used] or worlds.healthy
    [source] = shared_out([generator.choice(unused)], (SIZE[0] // 4, SIZE[1] // 4), generator)
    return replace(world, sources=(*world.sources, replace(source, name="unrelated")))


def _copies(change: Callable[[str, World, Generator], str]) -> Change:
    """Say six documents in ten once more, in a source of their own."""

    def changed(world: World, worlds: Worlds, generator: Generator) -> World:
        del worlds
        drafts = [draft for source in world.sources for draft in source.documents]
        again = [draft for draft in drafts if generator.random() < 0.6]
        said = (replace(draft, text=change(draft.text, world, generator), prompt="") for draft in again)
        return _added(world, "again", said)

    return changed


def _near(text: str, world: World, generator: Generator) -> str:
    return with_other_words(text, 0.12, _words(world), generator)


def _unchanged(text: str, world: World, generator: Generator) -> str:
    del world, generator
    return text


def _paraphrase(text: str, world: World, generator: Generator) -> str:
    del world
    return paraphrased(text, generator)


def _words(world: World) -> list[str]:
    return [word for draft in world.sources[0].documents[:50] for word in draft.text.split() if word.isalpha()]


def _split(world: World, worlds: Worlds, generator: Generator) -> World:
    del worlds, generator
    target = _target(world)
    parts = (replace(target, name=f"{target.name}_{i}", documents=target.documents[i::8]) for i in range(8))
    others = (source for source in world.sources if source.name != target.name)
    return replace(world, sources=(*others, *(part for part in parts if part.documents)))


def _merged(world: World, worlds: Worlds, generator: Generator) -> World:
    del worlds
    drafts = [draft for source in world.sources for draft in source.documents]
    generator.shuffle(drafts)
    return replace(world, sources=(WorldSource("merged", world.sources[0].kind, tuple(drafts)),))


def _renamed(world: World, worlds: Worlds, generator: Generator) -> World:
    del worlds, generator
    names = (replace(source, name=f"s{i}") for i, source in enumerate(world.sources))
    return replace(world, sources=tuple(reversed(tuple(names))))


def _other_kinds(world: World, worlds: Worlds, generator: Generator) -> World:
    del worlds, generator
    other = {"synthetic": "expert", "expert": "web", "web": "expert"}
    return replace(world, sources=tuple(replace(source, kind=other[source.kind]) for source in world.sources))


def _false_language(world: World, worlds: Worlds, generator: Generator) -> World:
    del worlds
    target = _target(world)
    return _with(world, replace(target, language=generator.choice(("sw", "ka", "zh"))))


def _other_ids(world: World, worlds: Worlds, generator: Generator) -> World:
    del worlds
    shuffled = (replace(s, documents=tuple(generator.sample(s.documents, len(s.documents)))) for s in world.sources)
    return replace(world, sources=tuple(shuffled), settings={**world.settings, "seed": generator.randrange(2**40)})


def _without_embeddings(world: World, worlds: Worlds, generator: Generator) -> World:
    del worlds, generator
    return replace(world, settings={**world.settings, "measure": {"semantic": None}})


def _epochs(world: World, worlds: Worlds, generator: Generator) -> World:
    del worlds
    rated = (replace(source, rate=generator.choice((2.0, 3.0, 4.0))) for source in world.sources)
    return replace(world, sources=tuple(rated))


def _half_rate(world: World, worlds: Worlds, generator: Generator) -> World:
    del worlds, generator
    return _with(world, replace(_target(world), rate=0.5))


def _halved(world: World, worlds: Worlds, generator: Generator) -> World:
    """Half of what every source says: half of the groups of a narrow one, half of the documents of another."""
    del worlds, generator
    halves = []
    for source in world.sources:
        groups = {group: i for i, group in enumerate(dict.fromkeys(draft.group for draft in source.documents))}
        by_group = len(groups) > 1
        kept = (d for i, d in enumerate(source.documents) if (groups[d.group] if by_group else i) % 2 == 0)
        halves.append(replace(source, documents=tuple(kept)))
    return replace(world, sources=tuple(halves))


def _whole(world: World, worlds: Worlds, generator: Generator) -> World:
    """The world of the same name, not halved."""
    del generator
    return base_world(world.name, worlds)


def _broken_slots(world: World, worlds: Worlds, generator: Generator) -> World:
    del worlds, generator
    target = _target(world)
    lost = (Draft(""),) * max(1, len(target.documents) // 12)
    return _with(world, replace(target, documents=(*target.documents, *lost)))


def _laxer(rules: Mapping[str, object]) -> Change:
    def changed(world: World, worlds: Worlds, generator: Generator) -> World:
        del worlds, generator
        return replace(world, settings={**world.settings, "gate": {"rules": dict(rules)}})

    return changed


def _translated(change: Callable[[str, Generator], str]) -> Change:
    def changed(world: World, worlds: Worlds, generator: Generator) -> World:
        del worlds
        target = _target(world)
        drafts = (replace(draft, text=change(draft.text, generator)) for draft in target.documents)
        return _with(world, replace(target, documents=tuple(drafts)))

    return changed


def _in_georgian(text: str, generator: Generator) -> str:
    del generator
    return text.lower().translate(_GEORGIAN)


def _noise(text: str, generator: Generator) -> str:
    return " ".join("".join(generator.choices("bcdfghjklmnpqrstvwxyz", k=len(word))) for word in text.split())


def _one_document(world: World, worlds: Worlds, generator: Generator) -> World:
    text = generator.choice(generator.choice(worlds.healthy).records).text[:1_500]
    return _added(world, "single", [Draft(text)], "web")


def _copied(world: World, worlds: Worlds, generator: Generator) -> World:
    """A healthy source said eight times over by another."""
    del worlds
    words = _words(world)
    said = (d.text for d in _copied_source(world).documents[:40])
    return _added(world, "copier", [Draft(with_other_words(t, 0.12, words, generator)) for t in said for _ in range(9)])


def _copied_source(world: World) -> WorldSource:
    return next(source for source in world.sources if not source.name.startswith("narrow"))


def _read_or_known(before: Judged, after: Judged) -> bool:
    """Text that cannot be read is GO only where it is little."""
    del before
    name = max(after.held, key=lambda source: (source.startswith("narrow"), after.held[source]))
    return after.verdict != "GO" or after.held[name] <= MATERIAL


def _only_the_copier_is_named(before: Judged, after: Judged) -> bool:
    grown = {name: share - before.narrow.get(name, 0.0) for name, share in after.narrow.items() if name != "copier"}
    return max(grown.values(), default=0.0) <= NAMED


def _is_printed(before: Judged, after: Judged) -> bool:
    del before
    return "policy" in after.checks


LAWS = (
    Law("1", "add an unrelated healthy source", "never GO to NO-GO", _a_healthy_source,
        lambda before, after: not (before.verdict == "GO" and after.verdict == "NO-GO")),
    Law("2a", "say six documents in ten again", "never better", _copies(_unchanged), _never_better),
    Law("2b", "say them again, 12 % of the words changed", "never better", _copies(_near), _never_better),
    Law("2c", "say them again, paraphrased", "never better", _copies(_paraphrase), _never_better),
    Law("3", "split a source into eight", "same, narrow share within its interval", _split, _same_numbers),
    Law("4", "merge all sources", "never better", _merged, _never_better),
    Law("5", "rename and reorder sources", "same", _renamed, _same_numbers),
    Law("6", "relabel kinds", "never better", _other_kinds, _never_better),
    Law("7", "falsify the language of a source", "never better", _false_language, _never_better),
    Law("8", "other ids, another seed", "same, narrow share within its interval", _other_ids, _same_numbers),
    Law("9", "take the embeddings away", "never opens, and says UNKNOWN", _without_embeddings,
        lambda before, after: _never_opens(before, after) and after.verdict != "GO"),
    Law("10", "two to four epochs of everything", "same", _epochs, _same),
    Law("11", "half the rate of a narrow source", "never worse", _half_rate, _never_worse),
    Law("12", "double every source with new text of its kind", "same", _whole, _same, _halved),
    Law("13", "add slots that are quarantined", "never better", _broken_slots, _never_better),
    Law("14a", "switch the rule `narrow` off", "printed", _laxer({"narrow": "off"}), _is_printed),
    Law("14b", "move a bound", "printed", _laxer({"near": {"at_least": 0.5}}), _is_printed),
    Law("15a", "write a source in a script that is not read", "GO only below the unread limit",
        _translated(_in_georgian), _read_or_known),
    Law("15b", "make a source noise", "GO only below the unread limit", _translated(_noise), _read_or_known),
    Law("16", "add a source of one document", "same", _one_document, _same_numbers),
    Law("17", "repeat a source eight times in another", "the copied source is not named narrow", _copied,
        _only_the_copier_is_named),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """A law in a world."""

    law: str
    world: str
    before: Judged
    after: Judged
    holds: bool

    def __str__(self) -> str:
        states = (f"{j.verdict} [{j.low:.1%}, {j.high:.1%}]" for j in (self.before, self.after))
        return f"law {self.law} in {self.world}: {' -> '.join(states)}: {'holds' if self.holds else 'BROKEN'}"


def try_law(law: Law, name: str, worlds: Worlds, before: Judged | None = None) -> Outcome:
    """Judge a world and its change.

    Args:
        law: the law.
        name: of the world.
        worlds: where it comes from.
        before: what was said of the world, where that is known; of laws that change it first it is found anew.
    """
    generator = random.Random(f"{worlds.seed} law {law.number} {name}")
    world = base_world(name, worlds)
    if law.base is not None:
        world, before = law.base(world, worlds, generator), None
    known = before or judged_world(world)
    after = judged_world(law.change(world, worlds, generator))
    return Outcome(law.number, name, known, after, law.holds(known, after))
