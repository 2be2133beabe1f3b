"""Terminal output of a run: the verdict, and a table of its sources."""

from collections.abc import Callable

from pydantic import BaseModel

from cli.terminal import Terminal, grid_of, print_json
from cli.worth_display import print_worth
from polyculture.evidence.evidence import read_profile
from polyculture.report.heads import head_lines
from polyculture.report.summary import (
    FRACTIONS,
    delivery_rows,
    lexical_lines,
    phase_rows,
    source_rows,
    vector_lines,
    written_words,
)
from polyculture.storage.run_directory import RunDirectory, read_manifest
from schemas.manifest import Manifest
from schemas.plan import MixturePlan
from schemas.profile import Profile
from schemas.verdict import CheckResult, Outcome, Verdict, VerdictValue

EXIT_CODES = {VerdictValue.GO: 0, VerdictValue.NO_GO: 3, VerdictValue.UNKNOWN: 4}
STYLES = {VerdictValue.GO: "bold green", VerdictValue.NO_GO: "bold red", VerdictValue.UNKNOWN: "bold yellow"}
OUTCOME_EXIT_CODES = {Outcome.PASS: 0, Outcome.FAIL: 3, Outcome.UNKNOWN: 4}
OUTCOME_STYLES = {Outcome.PASS: "bold green", Outcome.FAIL: "bold red", Outcome.UNKNOWN: "bold yellow"}
SHOWN_CHECKS = 6
MOST_ALIKE = 2  # checks of one name and outcome that are shown each


def print_result(result: BaseModel, as_json: bool, show: Callable[[], None]) -> None:
    """Print what a command found: as JSON on standard output for machines, or as `show` shows it to people."""
    if as_json:
        print_json(result)
    else:
        show()


def print_verdict(directory: RunDirectory, verdict: Verdict, as_json: bool) -> None:
    """Print the verdict, why, the table per source, and where the report is."""
    print_result(verdict, as_json, lambda: _show_verdict(directory, verdict))


def _show_verdict(directory: RunDirectory, verdict: Verdict) -> None:
    terminal = Terminal()
    manifest = read_manifest(directory)
    try:
        profile = read_profile(directory, manifest)
    except (OSError, ValueError):
        profile = None  # the verdict says that the ledger is damaged
    if profile is not None:
        _print_numbers(terminal, manifest, profile, verdict)
    for check in verdict.checks:
        if check.name == "side_files":
            terminal.line(check.message, style="dim")
        if check.name == "canary" and check.outcome is Outcome.PASS:
            terminal.line(f"{check.message}.", style="dim")
    terminal.line()
    _print_text(terminal, verdict)
    _print_checks(terminal, [c for c in verdict.failed() if not verdict.says(c)], "that keep the gate closed")
    warnings = [c for c in verdict.checks if c.severity == "warn" and c.outcome is not Outcome.PASS]
    said = _said_of_the_plan(manifest) if profile is not None else frozenset()
    warnings = [c for c in warnings if c.waiver or not (verdict.says(c) or c.message in said or c.name == "budget")]
    _print_checks(terminal, [c for c in warnings if c.waiver], "that are waived", len(warnings))
    _print_checks(terminal, [c for c in warnings if not c.waiver], "that warn")
    terminal.line(f"Report: {directory.report / 'index.html'}")


def _said_of_the_plan(manifest: Manifest) -> frozenset[str]:
    """Messages of checks that `_print_plan` has printed already."""
    return frozenset(sentence.rstrip(".") for sentence in (manifest.plan.warnings if manifest.plan is not None else ()))


def _print_numbers(terminal: Terminal, manifest: Manifest, profile: Profile, verdict: Verdict) -> None:
    """The table per source, and what became of the budget, but for what the lines of the verdict say below."""
    print_sources(terminal, source_rows(manifest, profile))
    terminal.line(
        "Distinct fractions through the near lens, ± half of the 95 % interval; counted where no interval stands.",
        style="dim",
    )
    for line in [*lexical_lines(profile), *vector_lines(profile, manifest.held_stage)]:
        terminal.line(line, style="dim")
    if manifest.takedown is not None:
        terminal.line("Worth, phases and all that was measured are those of the run before the takedown.", style="dim")
    if profile.worth is not None:
        print_worth(terminal, profile.worth)
    for line in head_lines(manifest, most=1):
        terminal.line(line, style="dim")
    plan = manifest.plan
    if plan is not None:
        _print_plan(terminal, manifest, plan, frozenset(line.text for line in verdict.lines))
    held = manifest.validation
    if held is not None:
        terminal.line(
            f"Held out for validation: {held.documents:,} documents, {held.tokens:,} tokens; {held.twins:,} twins of "
            "theirs are left out of training."
        )


def print_sources(terminal: Terminal, rows: list[list[str]]) -> None:
    """The table per source; on a terminal that is too narrow for it, counts and fractions one below the other."""
    grid = grid_of(rows, words=2)
    if grid.width <= terminal.width:
        grid.show()
        return
    grid_of([row[: -len(FRACTIONS)] for row in rows], words=2).show()
    terminal.line()
    grid_of([[row[0], *row[-len(FRACTIONS) :]] for row in rows]).show()


def _print_plan(terminal: Terminal, manifest: Manifest, plan: MixturePlan, said: frozenset[str]) -> None:
    """Print what was asked and delivered, the budget, phase by phase, and the plan's notes and warnings."""
    grid_of(delivery_rows(plan)).show()
    if plan.budget_tokens is not None:
        is_scaled = plan.scale is not None and all(phase.rates_from != "shares" for phase in plan.phases)
        scaled = f"; all rates scaled by {plan.scale:.4g}" if is_scaled else ""
        terminal.line(f"Budget {plan.budget_tokens:,} tokens; {written_words(manifest)}{scaled}.")
        for part in plan.sources:
            if part.limit:
                terminal.line(f"  {part.name} is held at {part.rate:.3g} epochs by {part.limit}.")
    rows = phase_rows(plan)
    if rows:
        grid_of(rows, words=2, is_last_words=True).show()
    if plan.lacking_tokens:
        terminal.line(
            f"The budget lacks {plan.lacking_tokens:,} tokens: supply and limits allow no more.", style="yellow"
        )
    for sentence in plan.warnings:
        if sentence.rstrip(".") not in said:
            terminal.line(sentence, style="yellow")
    for sentence in plan.notes:
        terminal.line(sentence)


def _print_text(terminal: Terminal, verdict: Verdict) -> None:
    """The verdict, its headline and its lines, each beside its label."""
    lines = [((f"  {line.label}", "bold"), line.text) for line in verdict.lines]
    terminal.labelled([((verdict.verdict.value, STYLES[verdict.verdict]), verdict.headline), *lines])


def _print_checks(terminal: Terminal, checks: list[CheckResult], what: str, most: int = SHOWN_CHECKS) -> None:
    """Print the first of what many sources have in common, and how many more there are."""
    styles = {Outcome.FAIL: "red", Outcome.UNKNOWN: "yellow", Outcome.PASS: ""}
    kinds: dict[tuple[str, Outcome], list[CheckResult]] = {}
    for check in checks:
        kinds.setdefault((check.name, check.outcome), []).append(check)
    lines: list[tuple[CheckResult, int]] = []
    for alike in kinds.values():
        lines += [(alike[0], len(alike) - 1)] if _are_told_by_one(alike) else [(check, 0) for check in alike]
    for check, more in lines[:most]:
        _print_check(terminal, check, styles[check.outcome] if check.severity == "fail" else "dim", more)
    left = sum(1 + more for _, more in lines[most:])
    if left:
        terminal.line(f"  and {left} more checks {what}, in the report", style="dim")


def _are_told_by_one(alike: list[CheckResult]) -> bool:
    """True if checks are warnings that many sources share; what closes the gate, and each file, is told of."""
    is_warning = all(check.severity == "warn" and not check.waiver for check in alike)
    return is_warning and MOST_ALIKE < len(alike) == len({check.scope for check in alike})


def _print_check(terminal: Terminal, check: CheckResult, style: str, more: int) -> None:
    word = check.outcome.value if check.severity == "fail" else "waived" if check.waiver else "warning"
    bound = f" (wanted {check.bound})" if check.bound else ""
    probes = f"; measure.probes: {check.needed_probes} would settle it, about" if check.needed_probes else ""
    alike = f"; and {more} more sources, in the report" if more else ""
    terminal.line(f"  {word}: {check.message}{bound}{probes}{alike}", style=style)
