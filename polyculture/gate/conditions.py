"""Conditions on any run, whatever its configuration expects: input read whole, and everything accounted for."""

from collections import Counter
from collections.abc import Iterator

from schemas.accounts import FileAccount, SourceAccount
from schemas.config import CurationConfig
from schemas.filtered import IN_PARENT
from schemas.manifest import ExclusionAccount, Manifest, TakedownAccount
from schemas.strict import Severity
from schemas.verdict import CheckResult, Outcome

WARN_QUARANTINED_FRACTION = 0.001
MOST_OF_A_SOURCE = 0.9  # of the tokens, in one document of a text file
LONG_TOKENS = 10_000  # of a document that is the only file of its source
MOST_TAKEN_DOWN = 0.001  # of the tokens: more moves a distinct fraction by more than its interval


def condition(name: str, scope: str, holds: bool, message: str, severity: Severity = "fail") -> CheckResult:
    """The result of a check that either holds or does not."""
    outcome = Outcome.PASS if holds else Outcome.FAIL
    return CheckResult(name=name, outcome=outcome, severity=severity, scope=scope, message=message)


def counted(  # noqa: PLR0913 -- one argument a field, by name
    name: str,
    scope: str,
    value: float,
    limit: float,
    message: str,
    *,
    outcome: Outcome | None = None,
    severity: Severity = "fail",
    unit: str = "",
    stage: str | None = None,
    lens: str | None = None,
) -> CheckResult:
    """The result of a check that a counted number is at most a limit.

    Args:
        name: name of the check.
        scope: scope that was counted.
        value: the number.
        limit: the most that it may be.
        message: one sentence for a person.
        outcome: PASS or FAIL by the limit if None.
        severity: whether the check may decide the verdict.
        unit: words after the limit, e.g. ` of the tokens`.
        stage: stage of the number, if it was measured.
        lens: lens that it was measured through.
    """
    return CheckResult(
        name=name,
        outcome=outcome or (Outcome.PASS if value <= limit else Outcome.FAIL),
        severity=severity,
        scope=scope,
        stage=stage,
        lens=lens,
        observed=value,
        low=value,
        high=value,
        bound=f"<= {limit if isinstance(limit, int) else format(limit, 'g')}{unit}",
        margin=limit - value,
        message=message,
    )


def conditions(config: CurationConfig, manifest: Manifest) -> Iterator[CheckResult]:
    """Check what must hold for any verdict but NO-GO, whatever the expectations."""
    accounts = manifest.conservation
    named = sorted(account.name for account in accounts) == sorted(source.name for source in config.sources)
    yield condition(
        "evidence", "all", named, "every source has an account" if named else "the accounts name other sources"
    )
    lost = sum(account.imbalance() for account in accounts)
    message = "every record slot is accounted for" if not lost else f"{lost} record slots are unaccounted for"
    yield condition("conservation", "all", lost == 0, message)
    if manifest.holds_mixture:
        written = sum(account.written for account in accounts)
        yield condition("empty_mixture", "all", written > 0, f"the shards hold {written:,} documents")
    if manifest.exclusions is not None and manifest.exclusions.unmatched:
        yield condition("exclude", "all", False, unmatched_words(manifest.exclusions), "warn")
    if manifest.takedown is not None:
        yield _taken_down(manifest, manifest.takedown)
    for account in accounts:
        yield from _source_conditions(config, account)


def _taken_down(manifest: Manifest, takedown: TakedownAccount) -> CheckResult:
    """Check that the numbers, measured before a takedown, are still those of the shards."""
    left = sum(account.written_tokens for account in manifest.conservation)
    share = takedown.trained_tokens / max(1, left + takedown.trained_tokens)
    message = (
        f"{takedown.documents:,} documents were taken down after the measurement, {100 * share:.3g} % of the tokens; "
        + ("measure anew with `exclude:` to judge what is left" if share > MOST_TAKEN_DOWN else "the numbers hold")
    )
    outcome = Outcome.UNKNOWN if share > MOST_TAKEN_DOWN else Outcome.PASS
    return counted("takedown", "all", share, MOST_TAKEN_DOWN, message, outcome=outcome, unit=" of the tokens")


def unmatched_words(account: ExclusionAccount) -> str:
    """Say that takedown lists name what is not there: perhaps long gone, perhaps misspelt."""
    shown = ", ".join(account.examples[:3]) + (", ..." if account.unmatched > 3 else "")
    return f"{account.unmatched:,} of {account.entries:,} takedown entries name no document of the input: {shown}"


def _source_conditions(config: CurationConfig, account: SourceAccount) -> Iterator[CheckResult]:
    """Conditions on one source's input."""
    # a source whose every document a top-up's parent holds already was not empty
    documents = sum(file.documents + file.filtered.get(IN_PARENT, 0) for file in account.files)
    filtered = 0 if documents else sum(account.filtered.values())
    gone = f"; {filtered:,} were filtered" if filtered else ""
    said = f"{account.name}: {documents:,} documents were {'left' if filtered else 'read'}{gone}"
    yield condition("empty_source", account.name, documents > 0, said)
    yield _quarantine(account)
    yield from _layout_conditions(account)
    accepted = next((s.accept_truncated for s in config.sources if s.name == account.name), ())
    for file in account.files:
        if file.is_tail_lost:
            known = file.sha256 in accepted
            yield condition("truncated_input", account.name, known, f"{account.name}: {_loss(file, is_known=known)}")
        if file.is_changed:
            yield condition(
                "changed_input",
                account.name,
                False,
                f"{account.name}: {file.name} changed while it was read; run again",
            )
        if not file.slots and not file.skipped:
            yield condition(
                "unreadable_input", account.name, False, f"{account.name}: {file.name} holds no record", "warn"
            )


def _loss(file: FileAccount, *, is_known: bool) -> str:
    """Say what of a file was not read, why, and what to do: a file that was recognised as no data says that itself."""
    why = f": {file.loss}" if file.loss else ""
    listing = "list its sha256 under accept_truncated"
    if file.format.partition("+")[0] == "unknown":
        return f"{file.name} is not read{why}; " + ("accepted by accept_truncated" if is_known else f"or {listing}")
    where = f"{file.lost_bytes:,} bytes not read" if file.lost_bytes else "cut within its last record"
    part = "part" if file.format.startswith("tar") else "the end"
    cure = "accepted by accept_truncated" if is_known else f"fetch it again, or {listing}"
    return f"{part} of {file.name} cannot be read ({where}){why}; {cure}"


def _formats(file: FileAccount) -> dict[str, int]:
    """The formats that a file's documents came in, and how many files, or members of an archive, had each."""
    return file.members or {file.format.partition("+")[0]: 1}


def _layout_conditions(account: SourceAccount) -> Iterator[CheckResult]:
    """Name what was left out as no data, and warn of a source whose files are not what they were taken for."""
    for left in account.left_out:
        yield condition("side_files", account.name, True, f"{account.name}: {left.line}", "warn")
    formats: Counter[str] = Counter()
    for file in account.files:
        formats.update(_formats(file) if file.documents else {})
    if len(formats) > 1:
        shown = ", ".join(f"{count:,} {name}" for name, count in formats.most_common())
        said = f"{account.name} mixes files of {len(formats)} formats: {shown}; are all of them data?"
        yield condition("mixed_formats", account.name, False, said, "warn")
    share = account.largest_tokens / account.read_tokens if account.read_tokens else 0.0
    texts = [file for file in account.files if "text" in _formats(file) and file.documents]
    is_long = account.largest_tokens >= LONG_TOKENS or len(account.files) > 1 or formats.total() > 1
    if texts and share > MOST_OF_A_SOURCE and is_long:
        name = max(texts, key=lambda file: file.bytes).name
        said = (
            f"{account.name}: one document holds {100 * share:.0f} % of the tokens, probably {name}; "
            "if its paragraphs are documents, `text_records: blank_lines`"
        )
        yield condition("one_document", account.name, False, said, "warn")


def _quarantine(account: SourceAccount) -> CheckResult:
    """Quarantined slots, over those that might have been used: a filter's documents would not have been."""
    quarantined = sum(account.quarantined.values())
    usable = account.read - sum(account.filtered.values())
    share = quarantined / usable if usable else 0.0
    within = share <= account.quarantine_limit
    reasons = ", ".join(
        f"{count} {reason}" for reason, count in sorted(account.quarantined.items(), key=lambda i: -i[1])
    )
    message = f"{account.name}: {quarantined:,} of {usable:,} record slots quarantined" + (
        f": {reasons}" if reasons else ""
    )
    severity: Severity = "fail"
    outcome = Outcome.PASS if within else Outcome.FAIL
    if within and share > WARN_QUARANTINED_FRACTION:
        severity, outcome = "warn", Outcome.FAIL
    limit = account.quarantine_limit
    return counted("quarantine", account.name, share, limit, message, outcome=outcome, severity=severity)
