"""`polyculture what-if` and `polyculture plan`: mixtures that nobody has made, from the ledger of a finished run."""

from pathlib import Path
from typing import Annotated

import typer

from cli.counts import count_of
from cli.inspect_commands import require_run
from polyculture.errors import ConfigError
from schemas.measures import Lens, Weighting

Run = Annotated[Path, typer.Argument(help="Run directory.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Rates = Annotated[
    str, typer.Option("--rates", help="Epochs of each source, as a=1,b=0.3; 1 for a source that is not named.")
]
Shares = Annotated[
    str,
    typer.Option("--shares", help="In place of --rates: shares of the tokens, as a=0.7,b=0.3; every source, sum 1."),
]
SharesTokens = Annotated[
    int | None,
    typer.Option(
        "--tokens",
        parser=count_of(),
        metavar="N",
        help="With --shares: tokens of the mixture, such as 2B or 500M.",
        show_default="as many as repeat nothing",
    ),
]
Lenses = Annotated[list[str] | None, typer.Option("--lens", help="Lens to show; may be repeated.", show_default="all")]
By = Annotated[Weighting, typer.Option("--by", help="Weighting of means: by documents or by tokens.")]
Objectives = Annotated[
    list[str] | None,
    typer.Option(
        "--objective",
        help="What to maximise: hill_1, hill_1_of_copies, hill_2, distinct_fraction or spread, as "
        "METRIC[@LENS][=WEIGHT]; several are summed.",
        show_default="hill_1",
    ),
]
PlanLens = Annotated[str, typer.Option("--lens", help="Lens of the objectives that name none.")]
Tokens = Annotated[
    int | None,
    typer.Option(
        "--tokens",
        parser=count_of(),
        metavar="N",
        help="Tokens of the mixture, such as 2B or 500M.",
        show_default="as many as the run's mixture has",
    ),
]
MaxEpochs = Annotated[
    float | None,
    typer.Option("--max-epochs", help="Largest rate of a source.", show_default="the configuration's, else 4"),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Limit on a kind's share of the tokens, as 'synthetic<=0.3'; repeatable."),
]
Sources = Annotated[
    list[str] | None, typer.Option("--source", help="The same for a source, as 'crawl>=0.1'; repeatable.")
]
OpenGate = Annotated[
    bool, typer.Option("--open-gate", help="Find the cheapest change of rates that opens the run's gate instead.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random starts.")]
Out = Annotated[Path | None, typer.Option("--out", help="File to write the plan to, bound to the run's digests.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("what-if")(what_if)
    app.command("plan")(plan)


def what_if(  # noqa: PLR0913, PLR0917 -- one option each
    run: Run,
    rates: Rates = "",
    shares: Shares = "",
    tokens: SharesTokens = None,
    lenses: Lenses = None,
    by: By = Weighting.DOCUMENTS,
    as_json: Json = False,
) -> None:
    """Estimate any mixture of a finished run's distinct documents, beside the run's own; no data is read."""
    from cli.mixture_options import parse_lenses, parse_rates

    if rates and shares:
        raise ConfigError("--rates and --shares are both given; keep one")
    if tokens is not None and not shares:
        raise ConfigError("--tokens is the size of a mixture of --shares; rates decide it themselves; leave it out")
    asked = parse_rates(shares or rates, "--shares" if shares else "--rates")
    shown = parse_lenses(lenses or [])
    require_run(run)
    from cli.display import print_result
    from cli.mixture_display import print_what_if
    from polyculture.mixture.plan.run_ledger import read_run_ledger
    from polyculture.mixture.plan.supply import ledger_supply, rates_of_shares
    from polyculture.mixture.plan.what_if import what_ifs
    from schemas.what_if import WhatIfAnswer

    found = read_run_ledger(run)
    wanted = rates_of_shares(ledger_supply(found.ledger), asked, tokens) if shares else asked
    mixture, own = what_ifs(found.ledger, [wanted, found.own_rates], shown or None, by)
    answer = WhatIfAnswer(run=found.manifest.name, manifest_sha256=found.manifest_sha256, mixture=mixture, own=own)
    print_result(answer, as_json, lambda: print_what_if(answer))


def plan(  # noqa: PLR0913, PLR0917 -- one option each
    run: Run,
    objectives: Objectives = None,
    lens: PlanLens = Lens.NEAR.value,
    tokens: Tokens = None,
    max_epochs: MaxEpochs = None,
    kinds: Kinds = None,
    sources: Sources = None,
    seed: Seed = 0,
    open_gate: OpenGate = False,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Find the mixture that is best at an objective within a budget and limits, and the way to it; nothing is made."""
    if open_gate:
        if objectives or tokens or max_epochs or kinds or sources or out:
            raise ConfigError("--open-gate asks for nothing but a run and --json; leave the other options out")
        _open_gate(run, as_json)
        return
    from cli.mixture_options import parse_kinds, parse_lenses, parse_limits, parse_objectives

    terms = parse_objectives(objectives or ["hill_1"], parse_lenses([lens])[0])
    limits, of_sources = parse_kinds(kinds or []), parse_limits("--source", sources or [])
    if max_epochs is not None and not 0 < max_epochs <= 1000:
        raise ConfigError(f"--max-epochs: {max_epochs:g} is not in 0..1000, 0 excluded")
    require_run(run)
    from cli.display import print_result
    from cli.mixture_display import print_plan
    from polyculture.mixture.plan.plan_file import write_plan
    from polyculture.mixture.plan.plan_run import PlanLimits, plan_run
    from polyculture.mixture.plan.run_ledger import read_run_ledger

    wanted = PlanLimits(tokens, max_epochs, limits, of_sources)
    answer = plan_run(read_run_ledger(run), terms, wanted, seed)
    if out is not None:
        write_plan(out, answer)
    print_result(answer, as_json, lambda: print_plan(answer, out))


def _open_gate(run: Path, as_json: bool) -> None:
    require_run(run)
    from cli.display import print_result
    from cli.mixture_display import print_cure
    from polyculture.gate.opening import open_gate
    from polyculture.storage.run_directory import RunDirectory

    found = open_gate(RunDirectory(run))
    print_result(found, as_json, lambda: print_cure(found))
