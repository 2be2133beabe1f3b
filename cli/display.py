"""Terminal output: progress while a run lasts, then the verdict and a table of its sources."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cli.tables import needed_width, print_whole
from cli.worth_display import print_worth
from polyculture.evidence.evidence import read_profile
from polyculture.report.heads import head_lines
from polyculture.report.summary import FRACTIONS, lexical_lines, phase_rows, source_rows, vector_lines
from polyculture.storage.messages import safe_detail
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


class ProgressDisplay:
    """One line per stage on standard error, with what is done and the seconds it took."""

    def __init__(self, enabled: bool) -> None:
        """Show nothing unless `enabled`."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<18}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not enabled)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, what: str, done: int, total: int | None) -> None:
        """Show that `done` of `total` of a stage are done; a total of None is unknown."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)


def print_result(result: BaseModel, as_json: bool, show: Callable[[], None]) -> None:
    """Print what a command found: as JSON on standard output for machines, or as `show` shows it to people."""
    if as_json:
        print(result.model_dump_json())
    else:
        show()


def print_verdict(directory: RunDirectory, verdict: Verdict, as_json: bool) -> None:
    """Print the verdict, why, the table per source, and where the report is."""
    print_result(verdict, as_json, lambda: _show_verdict(directory, verdict))


def _show_verdict(directory: RunDirectory, verdict: Verdict) -> None:
    console = Console(highlight=False)
    manifest = read_manifest(directory)
    try:
        profile = read_profile(directory, manifest)
    except (OSError, ValueError):
        profile = None  # the verdict says that the ledger is damaged
    if profile is not None:
        _print_numbers(console, manifest, profile)
    for check in verdict.checks:
        if check.name == "canary" and check.outcome is Outcome.PASS:
            console.print(f"{check.message}.", style="dim")
    console.print()
    _print_text(console, verdict)
    _print_checks(console, [c for c in verdict.failed() if not verdict.says(c)], "that keep the gate closed")
    warnings = [c for c in verdict.checks if c.severity == "warn" and c.outcome is not Outcome.PASS]
    warnings = [c for c in warnings if c.waiver or not verdict.says(c)]
    _print_checks(console, [c for c in warnings if c.waiver], "that are waived", len(warnings))
    _print_checks(console, [c for c in warnings if not c.waiver], "that warn")
    console.print(f"Report: {directory.report / 'index.html'}", soft_wrap=True)


def _print_numbers(console: Console, manifest: Manifest, profile: Profile) -> None:
    """The table per source, and what became of the budget."""
    print_sources(console, source_rows(manifest, profile))
    console.print(
        "Distinct fractions through the near lens, ± half of the 95 % interval; counted where no interval stands.",
        style="dim",
    )
    for line in lexical_lines(profile):
        console.print(line, style="dim")
    for line in vector_lines(profile, manifest.held_stage):
        console.print(safe_detail(line, 400), style="dim", soft_wrap=True, markup=False)
    if profile.worth is not None:
        print_worth(console, profile.worth)
    for line in head_lines(manifest, most=1):
        console.print(line, style="dim", soft_wrap=True, markup=False)
    plan = manifest.plan
    if plan is not None:
        _print_plan(console, plan)
    held = manifest.validation
    if held is not None:
        console.print(
            f"Held out for validation: {held.documents:,} documents, {held.tokens:,} tokens; {held.twins:,} twins of "
            "theirs are left out of training.",
            soft_wrap=True,
        )


def print_sources(console: Console, rows: list[list[str]]) -> None:
    """The table per source; on a terminal that is too narrow for it, counts and fractions one below the other."""
    table = _table(rows)
    if needed_width(table) <= console.width:
        print_whole(table)
        return
    print_whole(_table([row[: -len(FRACTIONS)] for row in rows]))
    console.print()
    print_whole(_table([[row[0], *row[-len(FRACTIONS) :]] for row in rows], words=1))


def _print_plan(console: Console, plan: MixturePlan) -> None:
    """Print the budget, phase by phase, and the plan's notes and warnings."""
    if plan.budget_tokens is not None:
        scaled = f"; all rates scaled by {plan.scale:.4g}" if plan.scale is not None else ""
        console.print(f"Budget {plan.budget_tokens:,} tokens; written {plan.tokens:,}{scaled}.")
        for part in plan.sources:
            if part.limit:
                console.print(f"  {part.name} is held at {part.rate:.3g} epochs by {part.limit}.")
    rows = phase_rows(plan)
    if rows:
        table = _table(rows)
        table.columns[-1].justify = "left"
        print_whole(table)
    if plan.lacking_tokens:
        console.print(
            f"The budget lacks {plan.lacking_tokens:,} tokens: supply and limits allow no more.", style="yellow"
        )
    for sentence in plan.warnings:
        console.print(Text(safe_detail(sentence, 1000), style="yellow"), soft_wrap=True)
    for sentence in plan.notes:
        console.print(Text(safe_detail(sentence, 1000)), soft_wrap=True)


def _print_text(console: Console, verdict: Verdict) -> None:
    """The verdict, its headline and its lines, each beside its label."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(verdict.verdict.value, style=STYLES[verdict.verdict]), Text(safe_detail(verdict.headline, 500)))
    for line in verdict.lines:
        table.add_row(Text(f"  {safe_detail(line.label)}", style="bold"), Text(safe_detail(line.text, 500)))
    console.print(table)


def _print_checks(console: Console, checks: list[CheckResult], what: str, most: int = SHOWN_CHECKS) -> None:
    styles = {Outcome.FAIL: "red", Outcome.UNKNOWN: "yellow", Outcome.PASS: ""}
    for check in checks[:most]:
        _print_check(console, check, styles[check.outcome] if check.severity == "fail" else "dim")
    if len(checks) > most:
        console.print(f"  and {len(checks) - most} more checks {what}, in the report", style="dim")


def _print_check(console: Console, check: CheckResult, style: str) -> None:
    word = check.outcome.value if check.severity == "fail" else "waived" if check.waiver else "warning"
    bound = f" (wanted {check.bound})" if check.bound else ""
    probes = f"; measure.probes: {check.needed_probes} would settle it, about" if check.needed_probes else ""
    console.print(Text(f"  {word}: {safe_detail(check.message, 500)}{bound}{probes}", style=style), soft_wrap=True)


def _table(rows: list[list[str]], words: int = 2) -> Table:
    """A table whose first columns hold words, and the others numbers."""
    header, *body = rows
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number < words else "right", no_wrap=True)
    for row in body:
        table.add_row(*map(safe_detail, row))
    return table
