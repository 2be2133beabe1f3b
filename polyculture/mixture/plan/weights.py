"""Rates from a file: a plan, or weights that were learned elsewhere; bound to the data that they were made from."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from polyculture.configuration import load_values
from polyculture.errors import ConfigError
from polyculture.mixture.plan.limits import Supply
from polyculture.mixture.plan.phases import PhaseRates
from polyculture.mixture.plan.shares import UNNOTICED, whole_shares
from polyculture.storage.hashing import file_sha256
from schemas.config import CurationConfig
from schemas.mixture_config import MixtureTerms, RatesFile
from schemas.plan import MixturePlan
from schemas.planned import PlanFile
from schemas.strict import Sha256, Strict

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
MOST_EPOCHS = 1000.0


class LearnedWeights(Strict):
    """Weights of sources, such as DoReMi's (Xie et al. 2023, arXiv:2305.10429), and the data that they belong to."""

    weights: dict[str, Weight] = Field(min_length=1)
    holds: Literal["token_fractions", "rates"] | None = None
    data_sha256: Sha256 | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """The content of a file of rates.

    Attributes:
        by_source: weight of each source.
        is_shares: whether the weights are shares of the mixture's tokens; else they are epochs.
        tokens: tokens of the mixture that they were made for, if the file says so.
        data_sha256: digest of the data that they were made from.
        file_sha256: digest of the file.
    """

    by_source: Mapping[str, float]
    is_shares: bool
    tokens: int | None
    data_sha256: str
    file_sha256: str


def open_weights(config: CurationConfig, base: Path, data_sha256: str) -> dict[str, Weights]:
    """Read every file of rates that a configuration names.

    Args:
        config: the configuration.
        base: its folder.
        data_sha256: digest of the data of this run.

    Returns:
        Weights by the file's name as configured.

    Raises:
        ConfigError: a file is none, does not say which data it belongs to, belongs to others, or does not give each
            source one weight.
    """
    found = {}
    for file, weights in read_named_weights(config, base).items():
        _refuse_stale(base / file, weights, data_sha256)
        found[file] = weights
    return found


def read_named_weights(config: CurationConfig, base: Path) -> dict[str, Weights]:
    """The same before the data of this run are known: to whose data the weights belong is not checked."""
    found = {}
    for terms in config.mixture.terms:
        if isinstance(terms.rates, RatesFile):
            weights = _read_weights(base / terms.rates.file, terms.rates)
            _check_names(terms.rates.file, weights, [source.name for source in config.sources])
            found[terms.rates.file] = weights
    return found


def read_weights(path: Path, asked: RatesFile, data_sha256: str) -> Weights:
    """Read one file of rates for the data of this run; see `open_weights`."""
    found = _read_weights(path, asked)
    _refuse_stale(path, found, data_sha256)
    return found


def _read_weights(path: Path, asked: RatesFile) -> Weights:
    try:
        digest = file_sha256(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; name a plan or a file of weights") from error
    values = load_values(path)
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: no weights: write {{source: weight}}")
    read = _FORMATS.get(str(values.get("format")), _learned)
    try:
        found = read(path, values, asked)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigError(f"{path}: {place}: {first['msg']}, got {first['input']!r:.60}") from error
    return replace(found, file_sha256=digest)


def _refuse_stale(path: Path, found: Weights, data_sha256: str) -> None:
    if found.data_sha256 != data_sha256:
        stated = found.data_sha256 or "none"
        cure = (
            "plan or learn them again on these data, or name the file that belongs to them"
            if found.data_sha256
            else f"if they were learned on exactly these data, write `data_sha256: {data_sha256}` beside `file`"
        )
        raise ConfigError(f"{path}: stale weights: made from data {stated}, here are data {data_sha256}; {cure}")


def _of_plan(path: Path, values: Mapping[str, object], _: RatesFile) -> Weights:
    plan = PlanFile.model_validate_json(json.dumps(values))
    rates = {source.name: source.rate for source in plan.planned.best.sources}
    del path
    return Weights(rates, False, plan.planned.request.budget_tokens, plan.data_sha256, "")


def _of_run(path: Path, values: Mapping[str, object], _: RatesFile) -> Weights:
    plan = MixturePlan.model_validate_json(json.dumps(values))
    if len(plan.phases) > 1:
        raise ConfigError(f"{path}: a plan of {len(plan.phases)} phases; rates of one mixture are wanted")
    rates = {source.name: source.rate for source in plan.sources}
    return Weights(rates, False, plan.budget_tokens, plan.data_sha256 or "", "")


def _learned(path: Path, values: Mapping[str, object], asked: RatesFile) -> Weights:
    wrapped = values if isinstance(values.get("weights"), dict) else {"weights": values}
    learned = LearnedWeights.model_validate(wrapped)
    if learned.data_sha256 and asked.data_sha256 and learned.data_sha256 != asked.data_sha256:
        raise ConfigError(f"{path}: states data {learned.data_sha256}, the configuration {asked.data_sha256}; keep one")
    holds = learned.holds or asked.holds
    return Weights(
        learned.weights, holds == "token_fractions", None, learned.data_sha256 or asked.data_sha256 or "", ""
    )


_FORMATS: dict[str, Callable[[Path, Mapping[str, object], RatesFile], Weights]] = {
    "polyculture-plan-1": _of_plan,
    "polyculture-mixture-1": _of_run,
}


def _check_names(file: str, weights: Weights, names: Sequence[str]) -> None:
    unknown, absent = sorted(set(weights.by_source) - set(names)), sorted(set(names) - set(weights.by_source))
    if unknown:
        raise ConfigError(f"mixture.rates: {file}: unknown source {unknown[0]!r}; known: {', '.join(names)}")
    if absent:
        raise ConfigError(f"mixture.rates: {file}: no weight for {', '.join(absent)}; write 0 to leave a source out")
    if not any(weight > 0 for weight in weights.by_source.values()):
        raise ConfigError(f"mixture.rates: {file}: every weight is 0, so the mixture would be empty")
    for name, weight in weights.by_source.items():
        if not weights.is_shares and weight > MOST_EPOCHS:
            raise ConfigError(f"mixture.rates: {file}: {name}: {weight:g} is above {MOST_EPOCHS:g} epochs")


def rates_of(
    weights: Weights, supplies: Sequence[Supply], budget_tokens: int | None
) -> tuple[dict[str, float], list[str]]:
    """Weights as epochs of the sources.

    Args:
        weights: weight of every source.
        supplies: supplies of the sources.
        budget_tokens: budget that shares are of; without one, they are of the largest mixture that repeats nothing.

    Returns:
        Rates by source, and what has to be said of them: a sum that was not 1, sources that are left out.

    Raises:
        ConfigError: a source has a share and no documents.
    """
    notes = [f"{name} has weight 0: left out." for name, weight in sorted(weights.by_source.items()) if weight == 0]
    if not weights.is_shares:
        return dict(weights.by_source), notes
    total = sum(weights.by_source.values())
    if abs(total - 1) > UNNOTICED:
        notes.append(f"The weights sum to {total:.6g}, not 1: all were divided by it.")
    shares = {name: weight / total for name, weight in weights.by_source.items()}
    empty = [supply.name for supply in supplies if supply.tokens == 0 and shares[supply.name] > 0]
    if empty:
        raise ConfigError(f"mixture.rates: {empty[0]} has a weight, but no distinct documents; give it 0")
    largest = min(supply.tokens / shares[supply.name] for supply in supplies if shares[supply.name] > 0)
    tokens = largest if budget_tokens is None else budget_tokens
    return {s.name: shares[s.name] * tokens / s.tokens if s.tokens else 0.0 for s in supplies}, notes


def ask_known(terms: MixtureTerms, supplies: Sequence[Supply], weights: Mapping[str, Weights]) -> PhaseRates | None:
    """What a phase asks for whatever those before it took: shares, fixed rates or a file's; None for `auto`."""
    if terms.shares is not None:
        shares, notes = whole_shares(terms.shares, supplies)
        return PhaseRates({}, "shares", terms.tokens, notes, shares)
    if isinstance(terms.rates, RatesFile):
        found = weights[terms.rates.file]
        rates, notes = rates_of(found, supplies, terms.tokens)
        total = sum(found.by_source.values())
        asked = {name: weight / total for name, weight in found.by_source.items()} if found.is_shares else None
        return PhaseRates(rates, found.file_sha256, terms.tokens, notes, asked)
    return None if terms.rates == "auto" else PhaseRates(terms.fixed_rates, "fixed", terms.tokens)
