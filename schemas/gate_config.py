"""The configuration of the gate: expectations and waivers."""

from datetime import date
from typing import Literal, get_args

from pydantic import Field, model_validator

from schemas.measures import COUNTS, OF_A_REFERENCE, SPACE_METRICS, Lens, Metric, RelativeTo, Space, Stage, Weighting
from schemas.policy import RULES, Judge, Policy
from schemas.strict import Bound, Severity, Strict


class Expectation(Strict):
    """A bound that the evidence must satisfy."""

    lens: Lens | Space = Field(
        description="The sense in which two documents are one species; `semantic` for measures of embeddings as a "
        "whole (rke, vendi_score, coverage, rare_cell_recall)."
    )
    metric: Metric = Field(description="The number that is bounded.")
    weighting: Weighting = Field(
        Weighting.DOCUMENTS, description="`documents`: every document counts the same; `tokens`: by its tokens."
    )
    stage: Stage | None = Field(
        None,
        description="input, distinct or mixture; absent: the one that the command judges (audit: input, run: mixture).",
    )
    scope: str = Field("all", description="all, each_source, each_kind, or the name of a kind or source.")
    relative_to: RelativeTo | None = Field(
        None,
        description="The number is bounded as a ratio to this one; with `reference`, counts are per document, and "
        "rke is at the same number of documents; `ceiling` is for coverage and rare_cell_recall.",
    )
    at_least: Bound | None = Field(None, description="Lower bound; a fraction, or a number of documents or pairs.")
    at_most: Bound | None = Field(None, description="Upper bound.")
    severity: Severity = Field("fail", description="fail decides the verdict; warn is only shown.")

    @model_validator(mode="after")
    def _check(self) -> "Expectation":
        if self.at_least is None and self.at_most is None:
            raise ValueError("an expectation needs at_least or at_most")
        self._check_space()
        is_fraction = self.metric not in {*COUNTS, Metric.RKE, Metric.VENDI_SCORE} and self.relative_to is None
        if is_fraction and max(self.at_least or 0, self.at_most or 0) > 1:
            raise ValueError(f"{self.metric.value} is a fraction: its bounds lie in 0..1")
        if self.metric is Metric.CONTAINMENT and self.weighting is not Weighting.DOCUMENTS:
            raise ValueError("containment is measured by documents; leave weighting out")
        if self.metric is Metric.CONTAINMENT and self.relative_to is RelativeTo.REFERENCE:
            raise ValueError("containment is of a pair of sources; it cannot be relative to the reference")
        return self

    def _check_space(self) -> None:
        """Refuse a wrong lens, weighting or bound of an expectation on embeddings as a whole."""
        is_space, metric = self.metric in SPACE_METRICS, self.metric.value
        if is_space and not isinstance(self.lens, Space):
            raise ValueError(f"{metric} has no species: write lens: semantic")
        if isinstance(self.lens, Space) and not is_space:
            raise ValueError(f"{metric} needs a tau: write lens: semantic_80, semantic_90 or semantic_95")
        if is_space and self.weighting is not Weighting.DOCUMENTS:
            raise ValueError(f"{metric} is measured by documents; leave weighting out")
        if self.relative_to is RelativeTo.CEILING and self.metric not in OF_A_REFERENCE:
            raise ValueError("relative_to: ceiling is for coverage and rare_cell_recall; write reference or last_go")
        if self.relative_to is RelativeTo.REFERENCE and self.metric in OF_A_REFERENCE:
            raise ValueError(f"{metric} is of the reference already; write relative_to: ceiling, or leave it out")


# The gate's own conditions that a person may waive. Evidence that is missing or does not balance cannot be waived.
WAIVABLE = frozenset(
    {
        "expectation", "quarantine", "truncated_input", "unreadable_input", "removed_fraction", "cluster_size",
        "component_size", "removal_precision", "seed_fan_out", "lineage", "lexical_ratio", "takedown", *RULES,
    }
)  # fmt: skip

# What the gate only warns of, unless the policy is strict.
StrictCheck = Literal[
    "lineage", "seed_fan_out", "heavy_species", "passages", "containment", "component_size", "unreadable_input",
    "lexical_ratio",
]  # fmt: skip
STRICT_CHECKS: frozenset[str] = frozenset(get_args(StrictCheck))


class Waiver(Strict):
    """A failing check that somebody answers for until a day; it is printed and does not decide."""

    check: str = Field(
        max_length=200,
        description="Name of a check (`quarantine`), or lens/metric or lens/metric/scope; `*` stands for any part.",
    )
    scope: str = Field("*", max_length=200, description="Scope of the check as printed; `*`: any.")
    reason: str = Field(min_length=1, max_length=500, description="The reason, in a sentence.")
    by: str = Field(min_length=1, max_length=200, description="Name of the person who answers for it.")
    until: date = Field(description="Last day on which it holds, YYYY-MM-DD.")

    @property
    def parts(self) -> tuple[str, str, str] | None:
        """Lens, metric and scope of a pattern; None of a name."""
        if "/" not in self.check:
            return None
        lens, metric, *rest = self.check.split("/", 2)
        return lens, metric, rest[0] if rest else "*"

    @model_validator(mode="after")
    def _check(self) -> "Waiver":
        if self.parts is None:
            if self.check not in WAIVABLE:
                raise ValueError(f"check: unknown {self.check!r}; known: {', '.join(sorted(WAIVABLE))}, or lens/metric")
            return self
        lens, metric, scope = self.parts
        for part, known in ((lens, [*Lens, *Space]), (metric, list(Metric))):
            if part != "*" and part not in known:
                raise ValueError(f"check: unknown {part!r} in {self.check!r}; known: {', '.join(known)}, or *")
        if {lens, metric, scope, self.scope} == {"*"}:
            raise ValueError("check: this would waive everything; name a lens, a metric or a scope")
        return self


class GateConfig(Strict):
    """The demands of the verdict on the evidence."""

    trial_fraction: float = Field(
        0.01, gt=0, lt=1, description="Size of the trial run that scale_surprise compares with."
    )
    rules: Policy = Field(
        Policy(), description="Changes to the rules that ship, by id: `narrow: {at_most: 0.1}`, or `near: off`."
    )
    expectations: tuple[Expectation, ...] = Field((), description="Bounds of one's own, asked beside the rules.")
    judge: Judge = Field(
        "meaning",
        description="`words`: the verdict is asked for by words alone, without embeddings, and says so; else what is "
        "not read by meaning is UNKNOWN.",
    )
    run_cost: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Cost of the training run; the verdict gives shares in it too."
    )
    last_go: str | None = Field(
        None,
        min_length=1,
        description="Run directory of the last run that was GO, relative to the configuration file.",
    )
    strict: bool | tuple[StrictCheck, ...] = Field(
        False,
        description="true: every warning of the gate's own checks closes it; or the names of those whose warnings do.",
    )
    waivers: tuple[Waiver, ...] = Field((), description="Failing checks that somebody answers for by name.")
