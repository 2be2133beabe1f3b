"""Show a run in the Prefect dashboard: an artifact with the verdict, the table per source and where the report is."""

import re

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from polyculture.evidence import read_manifest, read_profile, read_verdict
from polyculture.run_directory import RunDirectory
from polyculture.sources.record import safe_detail
from polyculture.summary import lexical_lines, source_rows
from schemas.verdict import CheckResult, Outcome


@task(cache_policy=NO_CACHE)
def show_verdict(directory: RunDirectory) -> None:
    """Create the artifact `verdict-<name>`."""
    manifest = read_manifest(directory)
    verdict = read_verdict(directory)
    profile = read_profile(directory, manifest)
    warnings = [c for c in verdict.checks if c.severity == "warn" and c.outcome is not Outcome.PASS]
    header, *rows = source_rows(manifest, profile)
    lines = [
        f"# {verdict.verdict.value}: {_plain(manifest.name)}",
        "",
        *(f"- **{check.outcome.value}** {_told(check)}" for check in verdict.failed()),
        *(f"- waived: {_told(c)}" for c in warnings if c.waiver),
        *(f"- warning: {_told(c)}" for c in warnings if not c.waiver),
        "",
        _row(header),
        "|" + "---|" * len(header),
        *map(_row, rows),
        "",
        *(_plain(line) + "\n" for line in lexical_lines(profile)),
        f"[Report]({(directory.report / 'index.html').absolute().as_uri()}), on the machine that ran it:",
        "",
        f"    {directory.report / 'index.html'}",
    ]
    key = "verdict-" + re.sub(r"[^a-z0-9]+", "-", manifest.name.lower()).strip("-")
    create_markdown_artifact("\n".join(lines), key=key, description=f"{verdict.verdict.value}: {manifest.name}")


def _told(check: CheckResult) -> str:
    """The message, which names a waiver, and the bound, which says what it is relative to."""
    return _plain(check.message + (f" (wanted {check.bound})" if check.bound else ""))


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(map(_plain, cells)) + " |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: nothing in it becomes a link, an image, a table cell or HTML."""
    safe = safe_detail(text, 500)
    escaped = re.sub(r"[!-,/:-@\[-^`{-~]", lambda found: f"&#{ord(found[0])};", safe)
    # A zero-width space keeps bare addresses from becoming links.
    return escaped.replace("&#58;&#47;&#47;", "&#58;\u200b&#47;&#47;").replace("www.", "www\u200b.")
