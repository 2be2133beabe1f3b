"""A run as the Prefect dashboard shows it: the verdict, the table per source and where the report is."""

import re
from dataclasses import dataclass

from polyculture.evidence.evidence import read_profile
from polyculture.mixture.plan.worth_words import worth_sentences
from polyculture.report.summary import lexical_lines, phase_rows, source_rows
from polyculture.storage.messages import escaped, plain, row
from polyculture.storage.run_directory import RunDirectory, read_manifest, read_verdict
from schemas.plan import MixturePlan
from schemas.verdict import CheckResult, Outcome


@dataclass(frozen=True, slots=True)
class Shown:
    """An artifact: its key, its description and its text in Markdown."""

    key: str
    description: str
    text: str


def shown_verdict(directory: RunDirectory) -> Shown:
    """The artifact `verdict-<name>` of a run that was judged.

    Raises:
        OSError, ValueError, PolycultureError: manifest, verdict or ledger cannot be read.
    """
    manifest = read_manifest(directory)
    verdict = read_verdict(directory)
    profile = read_profile(directory, manifest)
    warnings = [c for c in verdict.checks if c.severity == "warn" and c.outcome is not Outcome.PASS]
    header, *rows = source_rows(manifest, profile)
    lines = [
        f"# {verdict.verdict.value}: {plain(manifest.name)}",
        "",
        *([plain(verdict.headline) + ".", ""] if verdict.headline else []),
        *(f"- **{plain(line.label)}** {plain(line.text)}" for line in verdict.lines),
        "",
        *(f"- **{check.outcome.value}** {_told(check)}" for check in verdict.failed() if not verdict.says(check)),
        *(f"- waived: {_told(c)}" for c in warnings if c.waiver),
        *(f"- warning: {_told(c)}" for c in warnings if not c.waiver),
        "",
        row(header),
        "|" + "---|" * len(header),
        *map(row, rows),
        "",
        *(plain(line) + "\n" for line in lexical_lines(profile)),
        *(plain(line) + "\n" for line in (worth_sentences(profile.worth) if profile.worth else [])),
        *(_plan(manifest.plan) if manifest.plan else []),
        f"[Report]({(directory.report / 'index.html').absolute().as_uri()}), on the machine that ran it:",
        "",
        f"    {escaped(str(directory.report / 'index.html'))}",
    ]
    key = "verdict-" + re.sub(r"[^a-z0-9]+", "-", manifest.name.lower()).strip("-")
    return Shown(key, f"{verdict.verdict.value}: {manifest.name}", "\n".join(lines))


def _told(check: CheckResult) -> str:
    """The message, which names a waiver, and the bound, which says what it is relative to."""
    return plain(check.message + (f" (wanted {check.bound})" if check.bound else ""))


def _plan(plan: MixturePlan) -> list[str]:
    """The table of phases, if there are several, and what has to be said of the plan."""
    rows = phase_rows(plan)
    table = [row(rows[0]), "|" + "---|" * len(rows[0]), *map(row, rows[1:]), ""] if rows else []
    said = [f"- **{plain(warning)}**" for warning in plan.warnings] + [f"- {plain(note)}" for note in plan.notes]
    return [*table, *said, ""] if said else table
