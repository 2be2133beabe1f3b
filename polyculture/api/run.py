"""A finished run in a notebook: its verdict, numbers, removed documents and shards, and mixtures not made yet."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from polyculture.api.display import Panel, as_html, as_text
from polyculture.api.frames import curve_frame, examples_frame, profile_frame
from polyculture.api.mixtures import Bounds, PlanResult, WhatIfResult, kind_limits, source_limits
from polyculture.errors import ConfigError, PolycultureError
from polyculture.evidence.evidence import damaged_ledger, read_profile
from polyculture.gate.opening import open_gate
from polyculture.mixture.plan.plan_run import PlanLimits, plan_run
from polyculture.mixture.plan.run_ledger import RunLedger, read_run_ledger
from polyculture.mixture.plan.supply import ledger_supply, rates_of_shares
from polyculture.mixture.plan.terms import parse_terms
from polyculture.mixture.plan.what_if import what_ifs
from polyculture.shards.listing import TRAIN
from polyculture.storage.hashing import file_sha256
from polyculture.storage.run_directory import RunDirectory, is_intact, read_manifest, read_verdict
from schemas.gate_cure import GateCure
from schemas.manifest import Manifest
from schemas.measures import Lens, Stage, Weighting
from schemas.profile import Profile
from schemas.removed import REMOVED_SCHEMA
from schemas.verdict import Verdict
from schemas.what_if import WhatIfAnswer

if TYPE_CHECKING:
    from polyculture.shards.reader import ShardReader

SHOWN_CHECKS = 5
Word = TypeVar("Word", Lens, Weighting)


class Run:
    """A finished run, opened by `polyculture.open_run`. Every file is compared with the manifest before it is read.

    Attributes:
        path: the run directory.
        manifest: everything that the run consists of, with what became of every record.
        verdict: GO, NO-GO or UNKNOWN, and the checks that it follows from.
    """

    def __init__(self, path: Path, manifest: Manifest, verdict: Verdict) -> None:
        self.path, self.manifest, self.verdict = path, manifest, verdict
        self._directory = RunDirectory(path)

    def profile(self) -> pl.DataFrame:
        """Every number of the run.

        Returns:
            A row per stage, lens, weighting, scope and metric: value, low and high (95 % interval), and the kind of the
            scope where it has one. The first call works them out from the ledger, in tenths of a second.

        Raises:
            PolycultureError: the ledger is damaged.
        """
        return profile_frame(self._profile)

    def scale_curve(self) -> pl.DataFrame:
        """Distinct fractions that smaller trials would have seen.

        Returns:
            A row per stage, lens, weighting, scope and trial: fraction (of the documents, 1 is all), value, low, high.

        Raises:
            PolycultureError: the ledger is damaged.
        """
        return curve_frame(self._profile)

    def examples(self, lens: str | None = None) -> pl.DataFrame:
        """The largest groups of documents that a lens takes for one.

        Args:
            lens: `exact`, `near`, `template` and so on; all that were measured if None.

        Returns:
            A row per group, the largest first: stage, lens, documents, tokens, sources (documents of each), and the
            document_id and first words (snippet) of one member.

        Raises:
            ConfigError: there is no such lens.
            PolycultureError: the ledger is damaged.
        """
        return examples_frame(self._profile, None if lens is None else _word("lens", lens, Lens).value)

    def removed(self) -> pl.LazyFrame:
        """Documents that deduplication removed.

        Returns:
            A lazy frame; `.collect()` reads it. Columns: document_id, source, reason (`exact` or `near`), kept_id and
            kept_source (who stayed), similarity (0..1), text_tokens. Without rows for an audit.

        Raises:
            PolycultureError: a file is missing, or not the one that the manifest lists.
        """
        listed = [f for f in self.manifest.files if f.path.startswith(f"{self._directory.removed.name}/")]
        for file in listed:
            if not is_intact(self.path, file):
                raise self._damaged(f"{file.path} is missing, or not the bytes that the manifest lists")
        if not listed:
            return pl.DataFrame(pl.from_arrow(REMOVED_SCHEMA.empty_table())).lazy()
        return pl.scan_parquet([self.path / file.path for file in listed], glob=False)

    def what_if(
        self,
        rates: Mapping[str, float] | None = None,
        *,
        shares: Mapping[str, float] | None = None,
        tokens: int | None = None,
        lenses: Sequence[str] | None = None,
        weighting: str = "documents",
    ) -> WhatIfResult:
        """Estimate another mixture of the run's distinct documents, beside its own; no data is read.

        Args:
            rates: epochs by source, 0 to 1000; 1 for a source that is not named.
            shares: in place of `rates`, shares of the mixture's tokens: of every source, with sum 1.
            tokens: of a mixture of shares; as many as repeat nothing if None.
            lenses: some that were measured; None for all.
            weighting: `documents` or `tokens`: what means are over.

        Returns:
            The numbers with 95 % intervals. Milliseconds to tenths of a second.

        Raises:
            ConfigError: a source, rate, share, lens or weighting is not one, rates and shares are both given, or the
                run is an audit.
            PolycultureError: the ledger is damaged.
        """
        if shares is not None and rates is not None:
            raise ConfigError("rates and shares are both given; keep one")
        if tokens is not None and shares is None:
            raise ConfigError("tokens is the size of a mixture of shares; rates decide it themselves; leave it out")
        if tokens is not None and tokens < 1:
            raise ConfigError(f"tokens: wanted a number of at least 1; got {tokens!r}")
        wanted = None if lenses is None else [_word("lenses", lens, Lens) for lens in lenses]
        by, run = _word("weighting", weighting, Weighting), self._ledger
        asked = dict(rates or {}) if shares is None else rates_of_shares(ledger_supply(run.ledger), shares, tokens)
        mixture, own = what_ifs(run.ledger, [asked, run.own_rates], wanted, by)
        name, digest = run.manifest.name, run.manifest_sha256
        return WhatIfResult(WhatIfAnswer(run=name, manifest_sha256=digest, mixture=mixture, own=own))

    def plan(  # noqa: PLR0913 -- one argument an option, by name
        self,
        objectives: str | Sequence[str] = "hill_1",
        *,
        tokens: int | None = None,
        max_epochs: float | None = None,
        kinds: Mapping[str, Bounds] | None = None,
        sources: Mapping[str, Bounds] | None = None,
        seed: int = 0,
    ) -> PlanResult:
        """Find the mixture that is best at an objective within a budget and limits; nothing is made.

        Args:
            objectives: `METRIC[@LENS][=WEIGHT]`, or several, which are summed; the lens is near where none stands.
            tokens: of the mixture; as many as the run's own has if None.
            max_epochs: largest rate of a source; the configuration's if None, else 4.
            kinds: limits on shares of the mixture's tokens, 0..1: the largest, or a pair of the least and the largest.
            sources: the same of sources.
            seed: of the random starts.

        Returns:
            The plan. Tenths of a second to some seconds.

        Raises:
            ConfigError: an option is not as above, limits contradict each other, or the run is an audit.
            PolycultureError: the ledger is damaged.
        """
        terms = parse_terms("objectives", [objectives] if isinstance(objectives, str) else objectives)
        if max_epochs is not None and not 0 < max_epochs <= 1000:
            raise ConfigError(f"max_epochs: wanted a number above 0, at most 1000; got {max_epochs!r}")
        if tokens is not None and tokens < 1:
            raise ConfigError(f"tokens: wanted a number of at least 1; got {tokens!r}")
        names = [source.name for source in self.manifest.config.sources]
        limits = PlanLimits(tokens, max_epochs, kind_limits(kinds), source_limits(sources, names))
        return PlanResult(plan_run(self._ledger, terms, limits, seed))

    def open_gate(self) -> GateCure:
        """Find the cheapest change of rates that opens a gate which narrow text keeps closed; nothing is made.

        Returns:
            The change: rates in epochs by source, what they cost in tokens, and how much of what a source says is kept.

        Raises:
            PolycultureError: the evidence is damaged, or was made by an earlier version.
        """
        return open_gate(self._directory)

    def shards(self, *, batch_rows: int = 1, columns: Sequence[str] | None = None, group: str = TRAIN) -> "ShardReader":
        """A reader of the mixture, in the order in which training reads it.

        Args:
            batch_rows: rows of a block: the batch size of one rank.
            columns: what to read; all columns if None.
            group: `train`, a phase of training, or `validation`.

        Returns:
            An iterator over rows as dictionaries, which can be shared between ranks and resumed.

        Raises:
            ConfigError: the run has no such shards; an audit has none.
            PolycultureError: a shard is missing or of another size.
        """
        from polyculture.shards.reader import ShardReader  # noqa: PLC0415 -- only shards need pyarrow

        digest = self.verdict.manifest_sha256
        return ShardReader(self.path, batch_rows=batch_rows, columns=columns, group=group, manifest_sha256=digest)

    @cached_property
    def _profile(self) -> Profile:
        try:
            problem = damaged_ledger(self._directory, self.manifest)
            if problem is None:
                return read_profile(self._directory, self.manifest)
        except (OSError, ValueError) as error:
            problem = str(error).splitlines()[0]
        raise self._damaged(problem)

    @cached_property
    def _ledger(self) -> RunLedger:
        return read_run_ledger(self.path)

    def _damaged(self, problem: str) -> PolycultureError:
        return PolycultureError(f"{self.path}: damaged: {problem}; `polyculture verify {self.path}` says more")

    def __repr__(self) -> str:
        return as_text(self._panel())

    def _repr_html_(self) -> str:
        return as_html(self._panel())

    def _panel(self) -> Panel:
        judged = Stage(self.verdict.judged)
        try:
            profile: Profile | None = self._profile
            notes: list[str] = []
        except PolycultureError as error:  # a display never fails
            profile, notes = None, [f"damaged: {error}"]
        is_mixture = self.manifest.holds_mixture
        names = ["removed", "written"] if is_mixture else ["measured"]
        rows = [["source", "kind", "read", *names, "tokens", "distinct"]]
        for account in self.manifest.conservation:
            scope = profile.scope(judged, Lens.NEAR, account.name) if profile else None
            counts = (
                (account.read, sum(account.removed.values()), account.written, account.written_tokens)
                if is_mixture
                else (account.read, account.documents, account.read_tokens)
            )
            distinct = f"{scope.distinct_fraction.value:.3f}" if scope else "-"
            rows.append([account.name, account.kind.value, *(f"{count:,}" for count in counts), distinct])
        notes += [self.verdict.headline] if self.verdict.headline else []
        notes += [f"{line.label}: {line.text}" for line in self.verdict.lines]
        failed = [check for check in self.verdict.failed() if not self.verdict.says(check)]
        notes += [f"{check.outcome.value}: {check.message}" for check in failed[:SHOWN_CHECKS]]
        more = len(failed) - SHOWN_CHECKS
        notes += [f"and {more} more checks that keep the gate closed, in `.verdict.failed()`"] if more > 0 else []
        return Panel(f"Run {self.manifest.name}", rows, notes, self.verdict.verdict.value)


def open_run(path: str | Path) -> Run:
    """Open a finished run.

    Args:
        path: the folder given to `--out`, or a copy of a published one.

    Returns:
        The run. Reads the manifest and the verdict; all else when it is asked for.

    Raises:
        ConfigError: the folder is not a finished run.
        PolycultureError: manifest or verdict are damaged, or the verdict is another run's.
    """
    directory = RunDirectory(Path(path))
    if not directory.manifest.is_file() or not directory.verdict.is_file():
        missing = directory.verdict.name if directory.manifest.is_file() else directory.manifest.name
        raise ConfigError(f"{path} is not a finished run (it has no {missing}); name the folder given to --out")
    try:
        run = Run(directory.root, read_manifest(directory), read_verdict(directory))
    except (OSError, ValueError) as error:
        raise PolycultureError(
            f"{path}: damaged: {str(error).splitlines()[0]}; `polyculture verify {path}` says more"
        ) from error
    if run.verdict.manifest_sha256 != file_sha256(directory.manifest):
        raise PolycultureError(
            f"{path}: verdict.json belongs to another manifest.json; `polyculture gate {path}` judges it again"
        )
    return run


def _word(name: str, text: str, kind: type[Word]) -> Word:
    if text not in set(kind):
        raise ConfigError(f"{name}: unknown {kind.__name__.lower()} {text!r}; known: {', '.join(kind)}")
    return kind(text)
