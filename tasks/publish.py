"""Show a run in the Prefect dashboard: an artifact with the verdict, the table per source and where the report is."""

import re

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from polyculture.evidence import read_manifest, read_profile, read_verdict
from polyculture.markdown import plain, row
from polyculture.run_directory import RunDirectory
from polyculture.summary import source_rows
from schemas.verdict import Outcome


@task(cache_policy=NO_CACHE)
def show_verdict(directory: RunDirectory) -> None:
    """Create the artifact `verdict-<name>`."""
    manifest = read_manifest(directory)
    verdict = read_verdict(directory)
    profile = read_profile(directory, manifest)
    header, *rows = source_rows(manifest, profile)
    lines = [
        f"# {verdict.verdict.value}: {plain(manifest.name)}",
        "",
        *(f"- **{check.outcome.value}** {plain(check.message)}" for check in verdict.failed()),
        *(
            f"- warning: {plain(c.message)}"
            for c in verdict.checks
            if c.severity == "warn" and c.outcome is not Outcome.PASS
        ),
        "",
        row(header),
        "|" + "---|" * len(header),
        *map(row, rows),
        "",
        f"[Report]({(directory.report / 'index.html').absolute().as_uri()}), on the machine that ran it:",
        "",
        f"    {directory.report / 'index.html'}",
    ]
    key = "verdict-" + re.sub(r"[^a-z0-9]+", "-", manifest.name.lower()).strip("-")
    create_markdown_artifact("\n".join(lines), key=key, description=f"{verdict.verdict.value}: {manifest.name}")
