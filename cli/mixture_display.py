"""Terminal output about mixtures that nobody has made."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.tables import print_whole
from cli.worth_display import print_worth
from polyculture.mixture.plan.worth_words import worth_words
from polyculture.storage.messages import safe_detail
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
    console = Console(highlight=False)
    shown = f"{100 * cure.narrow.value:.3g} % of the tokens are narrow; the limit is {100 * cure.limit:g} %."
    console.print(shown, soft_wrap=True)
    if cure.is_open:
        console.print("The narrow share keeps nothing closed.")
    elif cure.left is None:
        console.print("No change of rates opens the gate: too much of every source is narrow. Replace text.")
    else:
        left, cost = 100 * cure.left.value, 100 * cure.cost
        console.print(f"These rates leave {left:.3g} % narrow and give up {cost:.3g} % of the tokens:", soft_wrap=True)
        console.print()
        console.print("mixture:\n  rates:", markup=False)
        for name, rate in cure.rates.items():
            console.print(
                f"    {safe_detail(name)}: {rate:g}  # keeps {100 * cure.kept[name]:.0f} % of what it says",
                markup=False,
                soft_wrap=True,
            )
        console.print()
    if cure.others:
        console.print(
            f"Other checks keep the gate closed whatever the rates are: {', '.join(cure.others)}.", soft_wrap=True
        )


def print_what_if(answer: WhatIfAnswer) -> None:
    """Sources and their shares, then each lens beside the run's own mixture."""
    console = Console(highlight=False)
    mixture, own = answer.mixture, answer.own
    print_whole(_sources_table(answer))
    shares = ", ".join(f"{kind.value} {share:.3f}" for kind, share in mixture.kinds.items())
    before = ", ".join(f"{kind.value} {share:.3f}" for kind, share in own.kinds.items())
    console.print(f"Token shares of kinds: {shares}; the run's own: {before}.", soft_wrap=True)
    unnamed = [source.name for source in mixture.sources if not source.is_rate_given]
    if unnamed:
        console.print(f"Rate 1, since not named in --rates: {', '.join(map(safe_detail, unnamed))}.", soft_wrap=True)
    if mixture.worth is not None:
        print_worth(console, mixture.worth)
        if own.worth is not None:
            console.print(f"The run's own: {worth_words(own.worth)}.", soft_wrap=True)
    if mixture.vectors is not None and own.vectors is not None:
        console.print()
        print_whole(_vectors_table(mixture.vectors, own.vectors))
        _print_encoder(console, mixture)
    for lens in mixture.lenses:
        console.print()
        print_whole(_lens_table(lens, own.lens(lens.lens)))
        if lens.documents < mixture.documents * (1 - 1e-9):
            console.print(
                f"The lens {lens.lens.value} says something about {lens.documents:,.0f} of the mixture's "
                f"{mixture.documents:,.0f} documents.",
                style="dim",
                soft_wrap=True,
            )
        print_whole(_margins_table(lens))
    if mixture.unmeasured:
        names = ", ".join(lens.value for lens in mixture.unmeasured)
        console.print(f"\nNothing in this mixture is measured by: {names}.", soft_wrap=True)
    console.print(
        f"\nEstimates over {mixture.weighting.value} with 95 % intervals of the probes; expected values, about which a "
        "mixture that is drawn scatters.",
        style="dim",
        soft_wrap=True,
    )


def _sources_table(answer: WhatIfAnswer) -> Table:
    table = _table(
        "source", "kind", "distinct documents", "tokens", "epochs", "share", "worth", "last epoch", "own epochs",
        "own share",
    )  # fmt: skip
    for source, own in zip(answer.mixture.sources, answer.own.sources, strict=True):
        table.add_row(
            safe_detail(source.name),
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
    table.add_row(
        "all", "", f"{sum(s.documents for s in mixture.sources):,}", f"{mixture.tokens:,.0f}", "", "",
        f"{mixture.effective_tokens:,.0f}", "", "", "",
    )  # fmt: skip
    return table


def _vectors_table(vectors: VectorsWhatIf, own: VectorsWhatIf) -> Table:
    table = _table("embeddings", "what if", "the run's own", left=1)
    table.add_row("documents", f"{vectors.documents:,.0f}", f"{own.documents:,.0f}")
    for words, name in (("RKE", "rke"), ("Vendi score", "vendi_score")):
        both = getattr(vectors, name), getattr(own, name)
        table.add_row(words, *("unmeasured" if value is None else f"{value:.1f}" for value in both))
    return table


def _print_encoder(console: Console, mixture: WhatIf) -> None:
    """Print the encoder, and the documents that it says nothing about."""
    used, vectors = mixture.encoder, mixture.vectors
    if used is None or vectors is None:
        return
    unmeasured = f"; {vectors.unmeasured:,.0f} documents are unmeasured" if vectors.unmeasured >= 1 else ""
    console.print(
        f"Encoder {used.name} {used.revision[:8]}, background {used.background[:8] or 'none'}, "
        f"{used.dimensions} dimensions{unmeasured}.",
        style="dim",
        soft_wrap=True,
        markup=False,
    )


def _lens_table(lens: LensWhatIf, own: LensWhatIf | None) -> Table:
    table = _table(lens.lens.value, "what if", "the run's own", left=1)
    table.add_row("documents", f"{lens.documents:,.0f}", f"{own.documents:,.0f}" if own else "-")
    for words, name in _METRICS:
        table.add_row(words, _known(getattr(lens, name)), _known(getattr(own, name)) if own else "-")
    for number, trial in enumerate(lens.trials):
        if trial.fraction != 1:
            before = _shown(own.trials[number].distinct_fraction) if own else "-"
            table.add_row(f"  a {trial.fraction:.4g} trial, mixed afresh", _shown(trial.distinct_fraction), before)
    for number, sample in enumerate(lens.samples):
        before = _shown(own.samples[number].distinct_fraction) if own else "-"
        table.add_row(f"  a {sample.fraction:.4g} sample of the stream", _shown(sample.distinct_fraction), before)
    return table


def _margins_table(lens: LensWhatIf) -> Table:
    table = _table("one epoch more of", "distinct fraction", "Hill 1", "Hill 1 per million tokens", left=1)
    for margin in lens.margins:
        table.add_row(
            safe_detail(margin.source),
            f"{margin.distinct_fraction:+.4f}",
            f"{margin.hill_1:+,.0f}",
            f"{margin.hill_1_per_million_tokens:+,.0f}",
        )
    return table


def print_plan(answer: PlanFile, out: Path | None) -> None:
    """The best mixture beside the prior, what holds it, the frontier, and what to put into a configuration."""
    console = Console(highlight=False)
    planned, request = answer.planned, answer.planned.request
    console.print(f"Maximise {planned.objective}, {_limits(request)}.", soft_wrap=True, markup=False)
    print_whole(_rates_table(request, planned.best))
    word = Text(planned.certainty, style="bold green" if planned.certainty == "global" else "bold yellow")
    tried = "" if planned.certainty == "global" else f" (best of {planned.starts} starts)"
    console.print(
        Text.assemble(
            f"Objective {planned.best.objective:.6g}, ",
            word,
            f"{tried}; no mixture within the limits has more than {planned.bound:.6g}.",
        ),
        soft_wrap=True,
    )
    for term in planned.best.terms if len(planned.best.terms) > 1 else []:
        console.print(f"  {term.name}: {term.value:.6g}", markup=False)
    for term in planned.best.terms:
        if term.exact is not None:
            console.print(
                f"  By the exact law of copies {term.exact:.6g}: the form lies {term.value - term.exact:.4f} above.",
                soft_wrap=True,
                markup=False,
            )
    if planned.worth is not None:
        print_worth(console, planned.worth)
    held = "; ".join(planned.best.binding) or "no limit but the budget"
    console.print(f"Held by: {held}.", soft_wrap=True, markup=False)
    console.print(f"\nFrom the prior rates to the best, through the lens {request.objectives[0].lens.value}:")
    print_whole(_frontier_table(planned.frontier))
    rates = ", ".join(f"{source.name}: {source.rate:.6g}" for source in planned.best.sources)
    console.print("\nIn a configuration:", style="dim")
    console.print(
        f"mixture: {{tokens: {request.budget_tokens}, max_epochs: {request.max_epochs:g}, rates: {{{rates}}}}}",
        soft_wrap=True,
        markup=False,
    )
    if out is not None:
        console.print(f"Plan: {out}", soft_wrap=True, markup=False)


def _limits(request: PlanRequest) -> str:
    words = [f"{request.budget_tokens:,} tokens", f"at most {request.max_epochs:g} epochs"]
    named = [(kind.value, limit) for kind, limit in request.kinds.items()] + list(request.sources.items())
    for name, limit in named:
        words += [f"{name} <= {limit.max_fraction:g}"] if limit.max_fraction < 1 else []
        words += [f"{name} >= {limit.min_fraction:g}"] if limit.min_fraction > 0 else []
    return ", ".join(words)


def _rates_table(request: PlanRequest, best: Choice) -> Table:
    table = _table("source", "kind", "own epochs", "epochs", "tokens", "share")
    for source in best.sources:
        table.add_row(
            safe_detail(source.name),
            source.kind.value,
            f"{request.prior_rates.get(source.name, 1.0):.3g}",
            f"{source.rate:.3g}",
            f"{source.tokens:,.0f}",
            f"{source.token_fraction:.3f}",
        )
    return table


def _frontier_table(frontier: list[Choice]) -> Table:
    table = _table("tokens moved", "objective", "distinct fraction", "Hill 1", "shares", left=0)
    table.columns[-1].justify = "left"
    for choice in frontier:
        shares = " ".join(f"{source.token_fraction:.2f}" for source in choice.sources)
        table.add_row(
            f"{choice.moved_fraction:.3f}",
            f"{choice.objective:.6g}",
            _shown(choice.distinct_fraction),
            _shown(choice.hill_1),
            shares,
        )
    return table


def _known(estimate: Estimate) -> str:
    return _shown(estimate) if estimate.says_something else "unknown"


def _shown(estimate: Estimate) -> str:
    """`0.973 [0.970, 0.976]`, or whole numbers; without the interval if it was counted."""
    form = ",.0f" if max(abs(estimate.value), abs(estimate.high)) >= 100 else ".3f"
    value, low, high = (f"{number:{form}}" for number in (estimate.value, estimate.low, estimate.high))
    return value if low == high else f"{value} [{low}, {high}]"


def _table(*names: str, left: int = 2) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(names):
        table.add_column(name, justify="left" if number < left else "right", no_wrap=True)
    return table
