"""The verdict: GO, NO-GO or UNKNOWN, and every check that it follows from."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from schemas.gate_config import GateConfig
from schemas.ledger import EncoderUsed
from schemas.strict import Severity, Strict


class VerdictValue(StrEnum):
    """GO opens the gate. UNKNOWN means that the evidence is too thin, and keeps it closed."""

    GO = "GO"
    NO_GO = "NO-GO"
    UNKNOWN = "UNKNOWN"


class Outcome(StrEnum):
    """The outcome of one check."""

    PASS = "pass"  # noqa: S105 -- not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


class CheckResult(Strict):
    """One check: an expectation in one scope, or one of the gate's own conditions.

    Attributes:
        name: `expectation`; or the rule of the policy: narrow, near, meaning, heavy_species, passages, containment,
            unread, epochs, reference, coverage; or the condition: evidence, conservation, quarantine, truncated_input,
            changed_input, empty_source, empty_mixture, canary, unreadable_input, removed_fraction, cluster_size,
            component_size, removal_precision, seed_fan_out, lineage, lexical_ratio, policy, waiver.
        severity: a `warn` never decides the verdict; a check that is waived is a warning.
        relative_to: the number that observed, low, high and bound are ratios to, None if they are absolute.
        waiver: person who waives the check, reason and last day.
        observed, low, high: value and 95 % interval, None if there is no evidence.
        bound: the bound in words, e.g. `>= 0.8`.
        margin: distance of the nearer end of the interval from the bound, on its right side; negative on the wrong one.
        needed_probes: probes per source that would settle an UNKNOWN, about.
        message: one sentence for a person.
    """

    name: str
    outcome: Outcome
    severity: Severity
    scope: str
    stage: str | None = None
    lens: str | None = None
    metric: str | None = None
    weighting: str | None = None
    relative_to: str | None = None
    observed: float | None = None
    low: float | None = None
    high: float | None = None
    bound: str | None = None
    margin: float | None = None
    needed_probes: int | None = None
    waiver: str | None = None
    message: str


class VerdictLine(Strict):
    """One line of what a verdict says: what it is about, and the fact."""

    label: str
    text: str


class Verdict(Strict):
    """The verdict on one run; void for any other manifest.

    Attributes:
        headline: shares and their limits, in a sentence.
        lines: at most five more, by cause: which sources, with the fact in documents; the cheapest change that opens
            the gate; what to look at; which rules are not as they ship.
        as_of: the day that waivers were judged on; None if there are none.
        policy: the policy, if it was not the `gate` of the run's own configuration.
        last_go_sha256: manifest of the run that bounds were relative to, if there is one.
        encoder: the encoder that made the embeddings, if they were measured.
    """

    verdict: VerdictValue
    name: str
    judged: Literal["input", "mixture"]
    headline: str = ""
    lines: list[VerdictLine] = Field(default_factory=list)
    checks: list[CheckResult]
    manifest_sha256: str
    version: str
    as_of: date | None = None
    policy: GateConfig | None = None
    last_go_sha256: str | None = None
    encoder: EncoderUsed | None = None

    def says(self, check: CheckResult) -> bool:
        """True if the headline or a line says what a check found."""
        is_told = any(check.message in line.text for line in self.lines)
        return bool(self.headline) and (is_told or check.name in {"narrow", "unread", "policy"})

    def failed(self) -> list[CheckResult]:
        """The checks that close the gate, or leave it unsettled."""
        return [c for c in self.checks if c.severity == "fail" and c.outcome is not Outcome.PASS]
