"""Terminal output about mixtures that nobody has made."""

from pathlib import Path

from cli.terminal import Grid, Terminal
from cli.worth_display import print_worth
from polyculture.mixture.plan.worth_words import worth_words
from schemas.gate_cure import GateCure
from schemas.planned import Choice, PlanFile, PlanRequest
from schemas.profile import Estimate
from schemas.what_if import LensWhatIf, VectorsWhatIf, WhatIf, WhatIfAnswer

_METRICS = (
    ("distinct fraction", "distinct_fraction"),
    ("duplicate fraction", "duplicate_fraction"),
    ("duplicate pairs", "duplicate_pairs"),
    ("Hill 0", "hill_0"),
    ("Hill 1", "hill_1"),
    ("Hill 2", "hill_2"),
)


def print_cure(cure: GateCure) -> None:
    """The change of rates that opens the gate, as it is pasted into the configuration."""
    terminal = Terminal()
    shown = f"{100 * cure.narrow.value:.3g} % of the tokens are narrow; the limit is {100 * cure.limit:g} %."
    terminal.line(shown)
    if cure.is_open:
        terminal.line("The narrow share keeps nothing closed.")
    elif cure.left is None:
        terminal.line("No change of rates opens the gate: too much of every source is narrow. Replace text.")
    else:
        left, cost = 100 * cure.left.value, 100 * cure.cost
        what = "rates" if cure.shares is None else "shares"
        terminal.line(f"These {what} leave {left:.3g} % narrow and give up {cost:.3g} % of the tokens:")
        terminal.line()
        terminal.line("mixture:")
        if cure.tokens is not None:
            terminal.line(f"  tokens: {cure.tokens}")
        terminal.line(f"  {what}:")
        for name, value in (cure.rates if cure.shares is None else cure.shares).items():
            kept = f"  # keeps {100 * cure.kept[name]:.0f} % of what it says" if name in cure.kept else ""
            terminal.line(f"    {name}: {value:g}{kept}")
        terminal.line()
    if cure.others:
        terminal.line(f"Other checks keep the gate closed whatever the rates are: {', '.join(cure.others)}.")


def print_what_if(answer: WhatIfAnswer) -> None:
    """Sources and their shares, then each lens beside the run's own mixture."""
    terminal = Terminal()
    mixture, own = answer.mixture, answer.own
    _sources_table(answer).show()
    shares = ", ".join(f"{kind.value} {share:.3f}" for kind, share in mixture.kinds.items())
    before = ", ".join(f"{kind.value} {share:.3f}" for kind, share in own.kinds.items())
    terminal.line(f"Token shares of kinds: {shares}; the run's own: {before}.")
    unnamed = [source.name for source in mixture.sources if not source.is_rate_given]
    if unnamed:
        terminal.line(f"Rate 1, since not named in --rates: {', '.join(unnamed)}.")
    if mixture.worth is not None:
        print_worth(terminal, mixture.worth)
        if own.worth is not None:
            terminal.line(f"The run's own: {worth_words(own.worth)}.")
    if mixture.vectors is not None and own.vectors is not None:
        terminal.line()
        _vectors_table(mixture.vectors, own.vectors).show()
        _print_encoder(terminal, mixture)
    for lens in mixture.lenses:
        terminal.line()
        _lens_table(lens, own.lens(lens.lens)).show()
        if lens.documents < mixture.documents * (1 - 1e-9):
            terminal.line(
                f"The lens {lens.lens.value} says something about {lens.documents:,.0f} of the mixture's "
                f"{mixture.documents:,.0f} documents.",
                style="dim",
            )
        _margins_table(lens).show()
    if mixture.unmeasured:
        names = ", ".join(lens.value for lens in mixture.unmeasured)
        terminal.line()
        terminal.line(f"Nothing in this mixture is measured by: {names}.")
    terminal.line()
    terminal.line(
        f"Estimates over {mixture.weighting.value} with 95 % intervals of the probes; expected values, about which a "
        "mixture that is drawn scatters.",
        style="dim",
    )


def _sources_table(answer: WhatIfAnswer) -> Grid:
    grid = Grid(
        "source", "kind", "distinct documents", "tokens", "epochs", "share", "worth", "last epoch", "own epochs",
        "own share", words=2,
    )  # fmt: skip
    for source, own in zip(answer.mixture.sources, answer.own.sources, strict=True):
        grid.row(
            source.name,
            source.kind.value,
            f"{source.documents:,}",
            f"{source.mixture_tokens:,.0f}",
            f"{source.rate:.3g}",
            f"{source.token_fraction:.3f}",
            f"{source.effective_tokens:,.0f}",
            "-" if source.last_epoch is None else f"{source.last_epoch:.2f}",
            f"{own.rate:.3g}",
            f"{own.token_fraction:.3f}",
        )
    mixture = answer.mixture
    grid.row(
        "all", "", f"{sum(s.documents for s in mixture.sources):,}", f"{mixture.tokens:,.0f}", "", "",
        f"{mixture.effective_tokens:,.0f}", "", "", "",
    )  # fmt: skip
    return grid


def _vectors_table(vectors: VectorsWhatIf, own: VectorsWhatIf) -> Grid:
    grid = Grid("embeddings", "what if", "the run's own", words=1)
    grid.row("documents", f"{vectors.documents:,.0f}", f"{own.documents:,.0f}")
    for words, name in (("RKE", "rke"), ("Vendi score", "vendi_score")):
        both = getattr(vectors, name), getattr(own, name)
        grid.row(words, *("unmeasured" if value is None else f"{value:.1f}" for value in both))
    return grid


def _print_encoder(terminal: Terminal, mixture: WhatIf) -> None:
    """Print the encoder, and the documents that it says nothing about."""
    used, vectors = mixture.encoder, mixture.vectors
    if used is None or vectors is None:
        return
    unmeasured = f"; {vectors.unmeasured:,.0f} documents are unmeasured" if vectors.unmeasured >= 1 else ""
    terminal.line(
        f"Encoder {used.name} {used.revision[:8]}, background {used.background[:8] or 'none'}, "
        f"{used.dimensions} dimensions{unmeasured}.",
        style="dim",
    )


def _lens_table(lens: LensWhatIf, own: LensWhatIf | None) -> Grid:
    grid = Grid(lens.lens.value, "what if", "the run's own", words=1)
    grid.row("documents", f"{lens.documents:,.0f}", f"{own.documents:,.0f}" if own else "-")
    for words, name in _METRICS:
        grid.row(words, _known(getattr(lens, name)), _known(getattr(own, name)) if own else "-")
    for number, trial in enumerate(lens.trials):
        if trial.fraction != 1:
            before = _shown(own.trials[number].distinct_fraction) if own else "-"
            grid.row(f"  a {trial.fraction:.4g} trial, mixed afresh", _shown(trial.distinct_fraction), before)
    for number, sample in enumerate(lens.samples):
        before = _shown(own.samples[number].distinct_fraction) if own else "-"
        grid.row(f"  a {sample.fraction:.4g} sample of the stream", _shown(sample.distinct_fraction), before)
    return grid


def _margins_table(lens: LensWhatIf) -> Grid:
    grid = Grid("one epoch more of", "distinct fraction", "Hill 1", "Hill 1 per million tokens", words=1)
    for margin in lens.margins:
        grid.row(
            margin.source,
            f"{margin.distinct_fraction:+.4f}",
            f"{margin.hill_1:+,.0f}",
            f"{margin.hill_1_per_million_tokens:+,.0f}",
        )
    return grid


def print_plan(answer: PlanFile, out: Path | None) -> None:
    """The best mixture beside the prior, what holds it, the frontier, and what to put into a configuration."""
    terminal = Terminal()
    planned, request = answer.planned, answer.planned.request
    terminal.line(f"Maximise {planned.objective}, {_limits(request)}.")
    _rates_table(request, planned.best).show()
    style = "bold green" if planned.certainty == "global" else "bold yellow"
    tried = "" if planned.certainty == "global" else f" (best of {planned.starts} starts)"
    terminal.line(
        f"Objective {planned.best.objective:.6g}, ",
        (planned.certainty, style),
        f"{tried}; no mixture within the limits has more than {planned.bound:.6g}.",
    )
    for term in planned.best.terms if len(planned.best.terms) > 1 else []:
        terminal.line(f"  {term.name}: {term.value:.6g}")
    for term in planned.best.terms:
        if term.exact is not None:
            terminal.line(
                f"  By the exact law of copies {term.exact:.6g}: the form lies {term.value - term.exact:.4f} above.",
            )
    if planned.worth is not None:
        print_worth(terminal, planned.worth)
    held = "; ".join(planned.best.binding) or "no limit but the budget"
    terminal.line(f"Held by: {held}.")
    terminal.line()
    terminal.line(f"From the prior rates to the best, through the lens {request.objectives[0].lens.value}:")
    _frontier_table(planned.frontier).show()
    rates = ", ".join(f"{source.name}: {source.rate:.6g}" for source in planned.best.sources)
    terminal.line()
    terminal.line("In a configuration:", style="dim")
    terminal.line(
        f"mixture: {{tokens: {request.budget_tokens}, max_epochs: {request.max_epochs:g}, rates: {{{rates}}}}}"
    )
    if out is not None:
        terminal.line(f"Plan: {out}")


def _limits(request: PlanRequest) -> str:
    words = [f"{request.budget_tokens:,} tokens", f"at most {request.max_epochs:g} epochs"]
    named = [(kind.value, limit) for kind, limit in request.kinds.items()] + list(request.sources.items())
    for name, limit in named:
        words += [f"{name} <= {limit.max_fraction:g}"] if limit.max_fraction < 1 else []
        words += [f"{name} >= {limit.min_fraction:g}"] if limit.min_fraction > 0 else []
    return ", ".join(words)


def _rates_table(request: PlanRequest, best: Choice) -> Grid:
    grid = Grid("source", "kind", "own epochs", "epochs", "tokens", "share", words=2)
    for source in best.sources:
        grid.row(
            source.name,
            source.kind.value,
            f"{request.prior_rates.get(source.name, 1.0):.3g}",
            f"{source.rate:.3g}",
            f"{source.tokens:,.0f}",
            f"{source.token_fraction:.3f}",
        )
    return grid


def _frontier_table(frontier: list[Choice]) -> Grid:
    grid = Grid("tokens moved", "objective", "distinct fraction", "Hill 1", "shares", words=0, is_last_words=True)
    for choice in frontier:
        shares = " ".join(f"{source.token_fraction:.2f}" for source in choice.sources)
        grid.row(
            f"{choice.moved_fraction:.3f}",
            f"{choice.objective:.6g}",
            _shown(choice.distinct_fraction),
            _shown(choice.hill_1),
            shares,
        )
    return grid


def _known(estimate: Estimate) -> str:
    return _shown(estimate) if estimate.says_something else "unknown"


def _shown(estimate: Estimate) -> str:
    """`0.973 [0.970, 0.976]`, or whole numbers; without the interval if it was counted."""
    form = ",.0f" if max(abs(estimate.value), abs(estimate.high)) >= 100 else ".3f"
    value, low, high = (f"{number:{form}}" for number in (estimate.value, estimate.low, estimate.high))
    return value if low == high else f"{value} [{low}, {high}]"
