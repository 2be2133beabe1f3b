"""Answers about mixtures that nobody has made: what they would hold, and which one is best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from polyculture.api.display import Panel, as_html, as_text
from polyculture.api.frames import compared_frame
from polyculture.errors import ConfigError
from polyculture.mixture.plan.auto import LEFT_OUT
from polyculture.mixture.plan.plan_file import write_plan
from polyculture.mixture.plan.worth_words import worth_words
from schemas.documents import Kind
from schemas.planned import FractionRange, PlanFile, SourceRange
from schemas.what_if import WhatIfAnswer

Bounds = float | tuple[float, float]  # the largest share of the mixture's tokens, or the least and the largest
Range = TypeVar("Range", bound=FractionRange)


@dataclass(frozen=True, slots=True, repr=False)
class WhatIfResult:
    """A mixture at rates of your own, beside the run's.

    Attributes:
        answer: all numbers, as `polyculture what-if --json` prints them.
    """

    answer: WhatIfAnswer

    def sources(self) -> pl.DataFrame:
        """Sources of the mixture.

        Returns:
            A row per source: source, kind, documents and tokens that it has, rate (epochs), mixture_tokens,
            token_fraction (0..1), effective_tokens (its part of the mixture's worth) and last_epoch (what a token of
            its last epoch is worth, 0..1), and own_rate, the run's.
        """
        own = {source.name: source.rate for source in self.answer.own.sources}
        rows = [
            {
                "source": source.name,
                "kind": source.kind.value,
                **source.model_dump(exclude={"name", "kind", "is_rate_given"}),
                "own_rate": own[source.name],
            }
            for source in self.answer.mixture.sources
        ]
        return pl.DataFrame(rows)

    def numbers(self) -> pl.DataFrame:
        """Diversity of the mixture, and of the run's own.

        Returns:
            A row per lens and metric: value, low, high (95 % interval) and own_value, own_low, own_high.
        """
        return compared_frame(self.answer.mixture, self.answer.own)

    def __repr__(self) -> str:
        return as_text(self._panel())

    def _repr_html_(self) -> str:
        return as_html(self._panel())

    def _panel(self) -> Panel:
        rows = [["lens", "documents", "distinct fraction", "hill_1", "own distinct", "own hill_1"]]
        for lens in self.answer.mixture.lenses:
            own = self.answer.own.lens(lens.lens)
            mine = [f"{own.distinct_fraction.value:.3f}", f"{own.hill_1.value:,.0f}"] if own else ["-", "-"]
            numbers = [f"{lens.documents:,.0f}", f"{lens.distinct_fraction.value:.3f}", f"{lens.hill_1.value:,.0f}"]
            rows.append([lens.lens.value, *numbers, *mine])
        rates = ", ".join(f"{source.name} {source.rate:.3g}" for source in self.answer.mixture.sources)
        worth = [f"{worth_words(mixture.worth)}." for mixture in [self.answer.mixture] if mixture.worth is not None]
        return Panel(f"What if, on {self.answer.run}", rows, [f"Epochs: {rates}.", *worth])


@dataclass(frozen=True, slots=True, repr=False)
class PlanResult:
    """The mixture that is best at an objective within a budget and limits.

    Attributes:
        answer: the plan, bound to the run's digests, as `polyculture plan --json` prints it.
    """

    answer: PlanFile

    @property
    def rates(self) -> dict[str, float]:
        """Epochs of each source's distinct documents; `Run.what_if` takes them."""
        best = self.answer.planned.best.sources
        return {source.name: source.rate if source.rate > LEFT_OUT else 0.0 for source in best}

    def frontier(self) -> pl.DataFrame:
        """Mixtures on the way from the run's own to the best.

        Returns:
            A row per mixture: moved_fraction (of the tokens, 0..1), objective, distinct_fraction, hill_1, and the rate
            (epochs) of every source in a column `rate_SOURCE`.
        """
        rows = [
            {
                "moved_fraction": choice.moved_fraction,
                "objective": choice.objective,
                "distinct_fraction": choice.distinct_fraction.value,
                "hill_1": choice.hill_1.value,
                **{f"rate_{source.name}": source.rate for source in choice.sources},
            }
            for choice in self.answer.planned.frontier
        ]
        return pl.DataFrame(rows)

    def save(self, path: str | Path) -> None:
        """Write the plan as a file that `mixture: {rates: {file: ...}}` takes.

        Raises:
            OutputError: it cannot be written.
        """
        write_plan(Path(path), self.answer)

    def __repr__(self) -> str:
        return as_text(self._panel())

    def _repr_html_(self) -> str:
        return as_html(self._panel())

    def _panel(self) -> Panel:
        planned = self.answer.planned
        rows = [["source", "kind", "epochs", "tokens", "share"]]
        for source in planned.best.sources:
            numbers = [f"{self.rates[source.name]:.3g}", f"{source.tokens:,.0f}", f"{source.token_fraction:.3f}"]
            rows.append([source.name, source.kind.value, *numbers])
        found = f"Objective {planned.best.objective:.6g}, {planned.certainty}; at most {planned.bound:.6g} is possible."
        held = f"Held by: {'; '.join(planned.best.binding)}." if planned.best.binding else "Held by no limit."
        return Panel(f"Plan for {self.answer.run}: {planned.objective}", rows, [found, held])


def kind_limits(limits: Mapping[str, Bounds] | None) -> dict[Kind, FractionRange]:
    """Limits by kind, from what a caller wrote.

    Raises:
        ConfigError: a kind is unknown, or a bound is not in 0..1.
    """
    for name in limits or {}:
        if name not in set(Kind):
            raise ConfigError(f"kinds: unknown kind {name!r}; known: {', '.join(Kind)}")
    return {Kind(name): _range("kinds", name, bounds, FractionRange) for name, bounds in (limits or {}).items()}


def source_limits(limits: Mapping[str, Bounds] | None, known: Sequence[str]) -> dict[str, SourceRange]:
    """Limits by source, from what a caller wrote.

    Raises:
        ConfigError: a source is unknown, or a bound is not in 0..1.
    """
    for name in limits or {}:
        if name not in known:
            raise ConfigError(f"sources: unknown source {name!r}; known: {', '.join(known)}")
    return {name: _range("sources", name, bounds, SourceRange) for name, bounds in (limits or {}).items()}


def _range(where: str, name: str, bounds: Bounds, kind: type[Range]) -> Range:
    least, most = bounds if isinstance(bounds, tuple) else (0.0, bounds)
    if not 0 <= least <= most <= 1:
        raise ConfigError(f"{where}: {name}: wanted a share, or (least, largest), in 0..1; got {bounds!r}")
    return kind(min_fraction=least, max_fraction=most)
