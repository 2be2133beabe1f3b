"""Worlds judged again under other bounds, from what was kept of them, and the errors that this makes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import special

from bench.gate.run import ROWS, WORLDS
from bench.gate.said import SAID
from polyculture.gate.drawn import Drawn, Flags, drawn_of, times_of
from polyculture.gate.expectations import settle
from polyculture.gate.narrow import share_of_said
from polyculture.statistics.intervals import CONFIDENCE
from schemas.measures import Stage
from schemas.numbers import Estimate
from schemas.policy import SHIPPED, USUAL_SIZE, NarrowRule, Policy
from schemas.verdict import Outcome

NARROW_FROM, HEALTHY_BELOW = 0.08, 0.03  # shares of the tokens; between them a world is borderline
GO, NO_GO, UNKNOWN = "GO", "NO-GO", "UNKNOWN"
JUDGED_ANEW = ("narrow", "meaning", "unread", "near", "heavy_species")
TARGETS = {"false GO": 0.02, "false NO-GO": 0.01, "UNKNOWN": 0.05}


@dataclass(frozen=True)
class Extra:
    """A further cause that a document may be narrow for: every column is at least its number.

    A column is one of the evidence; `passages_N`, the share of the words in passages that N documents hold; `passages`
    and `frames`, the shares in those that eight hold, or more where the corpus is large.
    """

    least: Mapping[str, float]

    def hits(self, drawn: Drawn) -> Flags:
        """(n,) whether each document is narrow by it."""
        with np.errstate(invalid="ignore"):
            found: Flags = np.all([column(drawn, name) >= least for name, least in self.least.items()], axis=0)
        return found

    def __str__(self) -> str:
        return " and ".join(f"{name} >= {least:g}" for name, least in self.least.items())


def column(drawn: Drawn, name: str) -> np.ndarray:
    """(n,) a number of each document: a multiplicity over what is allowed, or a share of its words."""
    if name == "frames":
        return np.asarray(drawn.words_held("framed") / np.maximum(drawn.columns["frame_words"], 1))
    if name.startswith("passages"):
        _, _, level = name.partition("_")
        shared = drawn.columns[f"shared_{level}"] if level else drawn.words_held("shared")
        return np.asarray(shared / np.maximum(drawn.columns["words"], 1))
    return np.asarray(drawn.per_allowed(name))


@dataclass(frozen=True)
class Bounds:
    """The bounds of the rules that close the gate; `inf` switches a cause or rule off, as 0 does one from below.

    Attributes:
        near, twins, passages, frames, at_most: of the rule `narrow`.
        usual_size: documents up to which counts are as they stand.
        meaning, near_fraction: least distinct fractions.
        heavy: most of the tokens in one species.
        unread: most of the tokens that may be unread.
        extras: further causes.
    """

    near: float
    twins: float
    passages: float
    frames: float
    at_most: float
    meaning: float
    near_fraction: float
    heavy: float
    unread: float
    usual_size: int = USUAL_SIZE
    extras: tuple[Extra, ...] = ()

    @classmethod
    def of(cls, policy: Policy) -> "Bounds":
        """The bounds of a policy; those of a rule that is off never close."""
        narrow = policy.narrow or NarrowRule(at_most=1.0)
        return cls(
            narrow.near,
            narrow.twins,
            narrow.passages,
            narrow.frames,
            narrow.at_most,
            policy.meaning.at_least if policy.meaning else 0.0,
            policy.near.at_least if policy.near else 0.0,
            policy.heavy_species.at_most if policy.heavy_species else np.inf,
            policy.unread.at_most if policy.unread else np.inf,
            narrow.usual_size,
        )

    @property
    def causes(self) -> dict[str, Extra]:
        """Causes that make a document narrow, by name."""
        own = {
            "copies": Extra({"near": self.near}),
            "meaning": Extra({"twins": self.twins}),
            "passages": Extra({"passages": self.passages}),
            "frames": Extra({"frames": self.frames}),
        }
        return own | {str(extra): extra for extra in self.extras}


SHIPPED_BOUNDS = Bounds.of(SHIPPED)


@dataclass(frozen=True)
class Kept:
    """The record of a world.

    Attributes:
        facts: what it is, and what was found.
        drawn: its evidence document by document; None if it has none.
        said: share that others say too, counted over its texts; None if it was not counted.
    """

    facts: Mapping[str, Any]
    drawn: Drawn | None
    said: float | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.facts["name"])

    @property
    def narrow(self) -> float:
        """The share of its tokens that is truly narrow."""
        return float(self.facts["narrow"])

    @cached_property
    def truth(self) -> str:
        """Its true side: narrow, healthy, or borderline."""
        if self.narrow >= NARROW_FROM:
            return "narrow"
        is_healthy = self.narrow < HEALTHY_BELOW and float(self.facts["doubtful"]) < HEALTHY_BELOW
        return "healthy" if is_healthy else "borderline"

    @property
    def is_healthy_by_count(self) -> bool:
        """False if a count over its texts finds that it says more than a little again."""
        return self.said is None or self.said < HEALTHY_BELOW

    @property
    def family(self) -> str:
        """Its family; a healthy world with a small narrow part says so."""
        own = str(self.facts["family"])
        return own if self.truth == self.facts["side"] or self.truth == "borderline" else f"a little of {own}"

    @property
    def checks(self) -> list[dict[str, Any]]:
        """Checks of the verdict, as they were."""
        return list(self.facts["checks"])

    def measured(self, name: str) -> list[dict[str, Any]]:
        """Its checks of a name that may decide and have a number."""
        return [
            check
            for check in self.checks
            if check["name"] == name and check["severity"] == "fail" and check["observed"] is not None
        ]


def read_worlds(out: Path) -> list[Kept]:
    """All worlds of a folder, by name."""
    return [_read(path, out) for path in sorted((out / WORLDS).glob("*.json"))]


def _read(path: Path, out: Path) -> Kept:
    facts, counted = orjson.loads(path.read_bytes()), out / SAID / path.name
    said = orjson.loads(counted.read_bytes())["said"] if counted.is_file() else None
    rows = pq.read_table(out / ROWS / f"{path.stem}.parquet")
    if not rows.num_rows:
        return Kept(facts, None, said)
    at = rows.schema.get_field_index("is_narrow")
    rows = rows.set_column(at, "is_narrow", rows["is_narrow"].cast(pa.int64()))
    return Kept(facts, drawn_of(rows, Stage.DISTINCT, facts["tokens"], facts["answers"]), said)


@dataclass(frozen=True)
class Ruling:
    """A verdict, and the rules that keep the gate closed with what each says: NO-GO or UNKNOWN."""

    verdict: str
    closing: Mapping[str, str] = field(default_factory=dict)


def judged(world: Kept, bounds: Bounds) -> Ruling:
    """A world's verdict under other bounds. What does not depend on them stays as it was."""
    closing: dict[str, str] = {}
    for check in world.checks:
        is_closing = check["severity"] == "fail" and check["outcome"] != Outcome.PASS.value
        if is_closing and check["name"] not in JUDGED_ANEW:
            _close(closing, str(check["name"]), Outcome(check["outcome"]))
    for check in world.measured("near"):
        _close(closing, "near", settle(_estimate(check), bounds.near_fraction, None)[0])
    for check in world.measured("heavy_species"):
        if float(check["observed"]) > bounds.heavy:
            _close(closing, "heavy_species", Outcome.FAIL)
    if world.drawn is None:
        _close(closing, "narrow", Outcome.UNKNOWN)
    else:
        times = times_of(world.drawn.documents, bounds.usual_size)
        _close_by_rows(closing, replace(world.drawn, times=times), bounds)
    verdict = NO_GO if NO_GO in closing.values() else UNKNOWN if closing else GO
    return Ruling(verdict, closing)


def _close_by_rows(closing: dict[str, str], drawn: Drawn, bounds: Bounds) -> None:
    hits = np.any([cause.hits(drawn) for cause in bounds.causes.values()], axis=0)
    _close(closing, "narrow", settle(share_of_said(drawn, hits).estimate(), None, bounds.at_most)[0])
    if not drawn.is_read.any():
        _close(closing, "unread", Outcome.UNKNOWN)
        return
    said = drawn.mean_inverse(drawn.per_allowed("twins"))
    _close(closing, "meaning", settle(said.estimate(), bounds.meaning, None)[0])
    unread = drawn.share(~drawn.is_read).estimate()
    if settle(unread, None, bounds.unread)[0] is not Outcome.PASS:
        _close(closing, "unread", Outcome.UNKNOWN)


def _close(closing: dict[str, str], name: str, outcome: Outcome) -> None:
    """Note what a check says, the worst of each name."""
    if outcome is Outcome.FAIL:
        closing[name] = NO_GO
    elif outcome is Outcome.UNKNOWN:
        closing.setdefault(name, UNKNOWN)


def _estimate(check: Mapping[str, Any]) -> Estimate:
    return Estimate(value=check["observed"], low=check["low"], high=check["high"])


@dataclass(frozen=True)
class Rate:
    """Frequency of something that goes wrong.

    Attributes:
        hits: worlds that go wrong.
        worlds: of so many.
        low, high: 95 % interval in which worlds of one corpus count as one: the mean of the corpora's own shares, and
            as many trials as there are corpora.
        corpora: how many there are.
    """

    hits: int
    worlds: int
    low: float
    high: float
    corpora: int

    @property
    def value(self) -> float:
        """The share of the worlds."""
        return self.hits / max(1, self.worlds)

    def __str__(self) -> str:
        return f"{self.hits} of {self.worlds} ({self.value:.1%}) [{self.low:.1%}, {self.high:.1%}]"


def rate(wrong: Iterable[tuple[str, bool]]) -> Rate:
    """The rate of what is wrong, given by cluster."""
    by: dict[str, list[bool]] = {}
    for cluster, is_wrong in wrong:
        by.setdefault(cluster, []).append(is_wrong)
    hits, worlds = sum(map(sum, by.values())), sum(map(len, by.values()))
    shares = [float(np.mean(values)) for values in by.values()]
    low, high = _clopper_pearson(sum(shares), len(shares))
    return Rate(hits, worlds, low, high, len(shares))


def _clopper_pearson(hits: float, n: int) -> tuple[float, float]:
    """The interval, of hits that need not be a whole number."""
    tail = (1 - CONFIDENCE) / 2
    low = float(special.betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    return low, float(special.betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0


@dataclass(frozen=True)
class Errors:
    """The errors of a set of bounds."""

    false_go: Rate
    unknown_narrow: Rate
    false_no_go: Rate
    unknown: Rate

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Numbers that the plateau of a bound keeps."""
        return self.false_go.hits, self.unknown_narrow.hits, self.false_no_go.hits, self.unknown.hits

    @property
    def meets_targets(self) -> bool:
        """True if every rate is under its target."""
        found = {"false GO": self.false_go, "false NO-GO": self.false_no_go, "UNKNOWN": self.unknown}
        return all(found[name].value <= most for name, most in TARGETS.items())


def errors_of(worlds: Sequence[Kept], bounds: Bounds) -> Errors:
    """The errors over the worlds that are narrow or healthy."""
    return errors_from(worlds, [judged(world, bounds) for world in worlds])


def errors_from(worlds: Sequence[Kept], rulings: Sequence[Ruling]) -> Errors:
    """The same of rulings that were made."""

    def share(truth: str, verdict: str) -> Rate:
        pairs = zip(worlds, rulings, strict=True)
        return rate((str(w.facts["base"]), r.verdict == verdict) for w, r in pairs if w.truth == truth)

    return Errors(share("narrow", GO), share("narrow", UNKNOWN), share("healthy", NO_GO), share("healthy", UNKNOWN))


SWEEPS: dict[str, tuple[float, ...]] = {
    "twins": (3, 4, 5, 6, 8, 12, 16),
    "near": (2, 3, 5, 8, 16),
    "passages": (0.25, 0.35, 0.5, 0.65, 0.8),
    "frames": (0.4, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9),
    "usual_size": (1_000, 3_000, 10_000, 25_000, 100_000, 10**9),
    "at_most": (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1),
    "meaning": (0.0, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7),
    "near_fraction": (0.6, 0.7, 0.75, 0.8, 0.85, 0.9),
    "heavy": (1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05),
    "unread": (0.05, 0.1, 0.15, 0.2),
}
EXTRAS = (
    Extra({"opening": 64, "alike": 16}),
    Extra({"opening": 16, "alike": 16}),
    Extra({"opening": 16, "alike": 8}),
    Extra({"opening": 64}),
    Extra({"template": 8}),
    Extra({"template": 8, "alike": 8}),
    Extra({"seed": 8}),
    Extra({"seed": 8, "alike": 4}),
    Extra({"passages_2": 0.8}),
    Extra({"passages_2": 0.95}),
    Extra({"alike": 16}),
    Extra({"alike": 64}),
    Extra({"passages_2": 0.5, "alike": 8}),
    Extra({"passages_2": 0.65, "alike": 2}),
    Extra({"passages_8": 0.25, "alike": 8}),
    Extra({"passages_64": 0.25}),
)


def sweep(worlds: Sequence[Kept], bounds: Bounds, name: str, values: Sequence[float]) -> list[tuple[float, Errors]]:
    """The errors for several values of one bound, the others fixed."""
    changes: list[dict[str, Any]] = [{name: value} for value in values]
    return [(change[name], errors_of(worlds, replace(bounds, **change))) for change in changes]


def plateau(found: Sequence[tuple[float, Errors]], value: float) -> tuple[float, float]:
    """The range around a value of a swept bound in which no count changes."""
    values = [at for at, _ in found]
    here = values.index(value)
    counts = [errors.counts for _, errors in found]
    low = high = here
    while low > 0 and counts[low - 1] == counts[here]:
        low -= 1
    while high + 1 < len(values) and counts[high + 1] == counts[here]:
        high += 1
    return values[low], values[high]


def without(bounds: Bounds) -> dict[str, Bounds]:
    """The bounds without one rule or cause each."""
    never: dict[str, dict[str, Any]] = {
        "narrow": {"at_most": 1.0},
        "narrow copies": {"near": np.inf},
        "narrow meaning": {"twins": np.inf},
        "narrow passages": {"passages": np.inf},
        "narrow frames": {"frames": np.inf},
        "meaning": {"meaning": 0.0},
        "near": {"near_fraction": 0.0},
        "heavy": {"heavy": np.inf},
        "unread": {"unread": 1.0},
    }
    return {name: replace(bounds, **values) for name, values in never.items()}


def scores(world: Kept, bounds: Bounds) -> dict[str, float]:
    """For each rule a number that is large where it would close."""
    found = {
        name: max((float(c["observed"]) for c in world.measured(name)), default=0.0) for name in ("heavy_species",)
    }
    found["near"] = 1 - min((float(c["observed"]) for c in world.measured("near")), default=1.0)
    if world.drawn is None:
        return found
    drawn = world.drawn
    causes = bounds.causes
    for name, cause in causes.items():
        found[f"narrow {name}"] = float(share_of_said(drawn, cause.hits(drawn)).value)
    found["narrow"] = float(share_of_said(drawn, np.any([c.hits(drawn) for c in causes.values()], axis=0)).value)
    if drawn.is_read.any():
        found["meaning"] = 1 - float(drawn.mean_inverse(drawn.per_allowed("twins")).value)
        found["alike, not verified"] = 1 - float(drawn.mean_inverse(drawn.per_allowed("alike")).value)
    found["opening"] = 1 - float(drawn.mean_inverse(drawn.per_allowed("opening")).value)
    return found


def roc(narrow: Sequence[float], healthy: Sequence[float]) -> tuple[list[float], list[float], float]:
    """Shares of healthy and of narrow worlds at every threshold, and the area under the curve; ties count half."""
    thresholds = sorted({*narrow, *healthy}, reverse=True)
    values = np.array(narrow), np.array(healthy)
    x = [0.0, *(float((values[1] >= t).mean()) for t in thresholds)]
    y = [0.0, *(float((values[0] >= t).mean()) for t in thresholds)]
    return x, y, float(np.trapezoid(y, x))


def bound_names() -> list[str]:
    """Names of the bounds that are numbers."""
    return [entry.name for entry in fields(Bounds) if entry.name != "extras"]
