import pytest

from polyculture.gate import judge
from polyculture.gate.expectations import settle
from schemas.accounts import FileAccount, SourceAccount
from schemas.config import CurationConfig
from schemas.dedupe_config import DedupeConfig
from schemas.manifest import Manifest
from schemas.measures import Weighting
from schemas.profile import Containment, Estimate, Profile, ScopeProfile, Trial
from schemas.removals import RemovalSummary
from schemas.verdict import Outcome, Verdict, VerdictValue
from tests.support.canary import healthy_canary
from tests.support.repetition import repetition_of

SHA = "0" * 64
NEAR = {"lens": "near", "metric": "distinct_fraction"}


def config(*expectations: dict[str, object], **source: object) -> CurationConfig:
    sources = [
        {"name": "a", "kind": "web", "paths": ["x"], **source},
        {"name": "b", "kind": "synthetic", "paths": ["y"]},
    ]
    gate = {"expectations": expectations or [{**NEAR, "scope": "each_source", "at_least": 0.8}]}
    return CurationConfig.model_validate({"name": "t", "sources": sources, "gate": gate})


def account(name: str, kind: str, file: dict[str, object], **changes: object) -> SourceAccount:
    values = {
        "name": name, "kind": kind, "read": 100, "quarantined": {}, "filtered": {}, "removed": {}, "unselected": 0,
        "kept": 100, "repeated": 0, "written": 100, "read_tokens": 10, "removed_tokens": 0, "unselected_tokens": 0,
        "kept_tokens": 10, "written_tokens": 10, "quarantine_limit": 0.05,
    }  # fmt: skip
    one = {
        "name": "x", "sha256": SHA, "bytes": 1, "format": "jsonl", "slots": 100, "documents": 100, "quarantined": {},
        "filtered": {}, "skipped": {}, "warnings": [], "is_tail_lost": False, "lost_bytes": 0,
    }  # fmt: skip
    return SourceAccount.model_validate({**values, "files": [FileAccount.model_validate({**one, **file})], **changes})


def removals(**changes: object) -> RemovalSummary:
    values: dict[str, object] = {
        "cluster_sizes": {1: 90, 5: 2}, "largest_clusters": [], "component_sizes": {5: 2}, "sampled": 8,
        "confirmed": 8, "precision_low": 0.63, "precision_high": 1.0,
    }  # fmt: skip
    return RemovalSummary.model_validate(values | changes)


def manifest(
    settings: CurationConfig,
    command: str = "run",
    file: dict[str, object] | None = None,
    summary: dict[str, object] | None = None,
    **changes: object,
) -> Manifest:
    return Manifest.model_validate(
        {
            "command": command, "name": "t", "identity_sha256": SHA, "config": settings, "config_sha256": SHA,
            "code_sha256": SHA, "version": "0", "python_unicode": "15", "libraries": {}, "tokenizer_sha256": SHA,
            "language_model_sha256": SHA, "plan": None, "files": [],
            "removals": removals(**(summary or {})) if command == "run" else None,
            "conservation": [account("a", "web", file or {}, **changes), account("b", "synthetic", {})],
        }
    )  # fmt: skip


def profile(
    value: float = 0.9, half: float = 0.01, stages: tuple[str, ...] = ("input", "distinct", "mixture")
) -> Profile:
    estimate = Estimate(value=value, low=value - half, high=value + half)
    scopes = [
        ScopeProfile.model_validate(
            {
                "stage": stage, "lens": "near", "weighting": "documents", "scope": scope, "kind": None,
                "documents": 1000, "tokens": 1, "probes": 100,
                "distinct_fraction": estimate, "duplicate_fraction": estimate,
                **dict.fromkeys(("duplicate_pairs", "hill_0", "hill_1", "hill_2"), estimate),
                "scale_surprise": Estimate(value=1 - value, low=1 - value - half, high=1 - value + half),
                "trials": [Trial(fraction=0.01, distinct_fraction=estimate)],
            }
        )
        for stage in stages
        for scope in ("all", "web", "synthetic", "a", "b")
    ]  # fmt: skip
    pair = Containment.model_validate(
        {"stage": "mixture", "lens": "near", "of": "b", "within": "a", "containment": estimate}
    )
    weighed = dict.fromkeys(Weighting, Estimate(value=0.95, low=0.94, high=0.96))
    return Profile(trial_fraction=0.01, threshold=0.8, scopes=scopes, containments=[pair], heavy=[], weighed=weighed)


def verdict(settings: CurationConfig, numbers: Profile | None, **changes: object) -> Verdict:
    evidence = manifest(settings, **changes)  # type: ignore[arg-type]
    numbers = belonging(numbers, evidence) if numbers is not None else None
    return judge(settings, evidence, SHA, numbers, repetition=repetition_of(evidence))


def belonging(numbers: Profile, evidence: Manifest) -> Profile:
    """The numbers, of as many documents as the manifest says, and a healthy canary."""
    counts = {}
    for one in evidence.conservation:
        counts["mixture", one.name] = one.written
        counts["input", one.name] = sum(file.documents for file in one.files)
    scopes = [
        scope.model_copy(update={"documents": counts.get((scope.stage.value, scope.scope), scope.documents)})
        for scope in numbers.scopes
    ]
    return numbers.model_copy(update={"scopes": scopes, "canary": healthy_canary(evidence)})


def test_an_interval_on_the_right_side_opens_the_gate() -> None:
    assert verdict(config(), profile(0.9)).verdict is VerdictValue.GO


def test_an_interval_on_the_wrong_side_closes_it() -> None:
    assert verdict(config(), profile(0.7)).verdict is VerdictValue.NO_GO


def test_an_interval_across_the_bound_is_unknown_and_says_how_many_probes_would_settle_it() -> None:
    found = verdict(config(), profile(0.805, 0.02))
    assert found.verdict is VerdictValue.UNKNOWN
    assert found.failed()[0].needed_probes == 100  # 2,000 probes * (.02 / .005)**2, but there are 100 documents


@pytest.mark.parametrize(
    "changes",
    [
        {"quarantined": {"bad_json": 6}, "kept": 94, "written": 94},
        {"kept": 99, "written": 99},
        {"written": 101},
        {"kept_tokens": 9},
        {"file": {"is_tail_lost": True}},
        {"file": {"is_changed": True}},
        {"file": {"documents": 0, "slots": 0}},
    ],
)
def test_bad_input_closes_the_gate_whatever_the_numbers_say(changes: dict[str, object]) -> None:
    assert verdict(config(), profile(0.99), **changes).verdict is VerdictValue.NO_GO


def test_a_truncated_file_may_be_accepted_by_its_digest() -> None:
    settings = config(accept_truncated=[SHA])
    assert verdict(settings, profile(), file={"is_tail_lost": True}).verdict is VerdictValue.GO
    other = config(accept_truncated=["1" * 64])
    assert verdict(other, profile(), file={"is_tail_lost": True}).verdict is VerdictValue.NO_GO


def test_no_numbers_are_no_go() -> None:
    assert verdict(config(), None).verdict is VerdictValue.NO_GO


@pytest.mark.parametrize("stages", [(), ("input",), ("input", "distinct")])
def test_missing_numbers_never_open_the_gate(stages: tuple[str, ...]) -> None:
    assert verdict(config(), profile(0.99, stages=stages)).verdict is not VerdictValue.GO


def test_accounts_of_other_sources_are_no_go() -> None:
    settings = config()
    foreign = manifest(settings).model_copy(update={"conservation": manifest(settings).conservation[:1]})
    assert judge(settings, foreign, SHA, profile()).verdict is VerdictValue.NO_GO


def test_an_empty_mixture_is_no_go() -> None:
    settings = config({**NEAR, "scope": "all", "at_least": 0})
    empty = {"unselected": 100, "unselected_tokens": 10, "kept": 0, "kept_tokens": 0, "written": 0, "written_tokens": 0}
    both = manifest(settings).model_copy(
        update={"conservation": [account("a", "web", {}, **empty), account("b", "synthetic", {}, **empty)]}
    )
    found = judge(settings, both, SHA, profile())
    assert "empty_mixture" in {check.name for check in found.failed()}
    assert found.verdict is VerdictValue.NO_GO


def test_a_warning_never_decides() -> None:
    settings = config({**NEAR, "at_least": 0.95, "severity": "warn"}, {**NEAR, "at_least": 0.5})
    found = verdict(settings, profile(0.7))
    assert found.verdict is VerdictValue.GO
    assert [c.outcome for c in found.checks if c.severity == "warn" and c.stage == "mixture"] == [Outcome.FAIL]


def test_a_leak_between_sources_names_the_pair() -> None:
    settings = config({"lens": "near", "metric": "containment", "scope": "synthetic", "at_most": 0.1})
    found = verdict(settings, profile(0.5))
    assert found.verdict is VerdictValue.NO_GO
    assert found.failed()[0].scope == "b in a"


def test_a_run_shows_what_it_finds_at_the_input_as_a_warning() -> None:
    mixed = profile(0.9, stages=("mixture",))
    thin = profile(0.3, stages=("input",))
    both = mixed.model_copy(update={"scopes": [*mixed.scopes, *thin.scopes]})
    found = verdict(config(), both)
    assert found.verdict is VerdictValue.GO
    warned = {(c.name, c.stage, c.scope) for c in found.checks if c.outcome is Outcome.FAIL}
    assert warned == {("expectation", "input", "a"), ("expectation", "input", "b"), ("near", "input", "all")}


def test_an_audit_does_not_judge_a_mixture_that_it_does_not_write() -> None:
    settings = config({**NEAR, "at_least": 0.8}, {**NEAR, "stage": "mixture", "at_least": 0.8})
    empty = {"unselected": 100, "unselected_tokens": 10, "kept": 0, "kept_tokens": 0, "written": 0, "written_tokens": 0}
    found = verdict(settings, profile(0.9, stages=("input", "distinct")), command="audit", **empty)
    assert found.verdict is VerdictValue.GO
    assert "an audit writes no mixture" in " ".join(check.message for check in found.checks)


@pytest.mark.parametrize(
    ("estimate", "bounds", "outcome"),
    [
        ((0.8, 0.8, 0.8), {"at_least": 0.8}, Outcome.PASS),
        ((0.8, 0.79, 0.81), {"at_least": 0.8}, Outcome.UNKNOWN),
        ((0.7, 0.6, 0.79), {"at_least": 0.8}, Outcome.FAIL),
        ((0.1, 0.05, 0.1), {"at_most": 0.1}, Outcome.PASS),
        ((0.2, 0.11, 0.3), {"at_most": 0.1}, Outcome.FAIL),
        ((0.5, 0.4, 0.6), {"at_least": 0.3, "at_most": 0.7}, Outcome.PASS),
        ((0.5, 0.4, 0.6), {"at_least": 0.3, "at_most": 0.55}, Outcome.UNKNOWN),
    ],
)
def test_bounds_are_compared_with_the_whole_interval(
    estimate: tuple[float, float, float], bounds: dict[str, float], outcome: Outcome
) -> None:
    value, low, high = estimate
    found = settle(Estimate(value=value, low=low, high=high), bounds.get("at_least"), bounds.get("at_most"))
    assert found[0] is outcome


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_an_estimate_cannot_hold_nan(number: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Estimate(value=number, low=0, high=1)


@pytest.mark.parametrize(
    ("limits", "summary", "closing"),
    [
        ({"max_removed_fraction": 0.29}, {}, {"removed_fraction"}),
        ({"max_removed_fraction": 0.5, "sources": {"a": 0.1}}, {}, {"removed_fraction"}),
        ({"max_cluster_documents": 4}, {}, {"cluster_size"}),
        ({}, {"sampled": 200, "confirmed": 150, "precision_high": 0.81}, {"removal_precision"}),
        ({"max_component_documents": 4}, {}, set()),  # reported, and never decides
        ({"max_removed_fraction": 0.3, "max_cluster_documents": 5}, {}, set()),
        ({"max_removed_fraction": 0.1, "sources": {"a": 0.3}}, {}, set()),
    ],
)
def test_removing_too_much_closes_the_gate(
    limits: dict[str, object], summary: dict[str, object], closing: set[str]
) -> None:
    dedupe = DedupeConfig.model_validate({"limits": limits})
    settings = config().model_copy(update={"dedupe": dedupe})
    given = verdict(settings, profile(), summary=summary, removed={"near": 30}, kept=70, written=70)
    assert {check.name for check in given.failed()} == closing
    assert given.verdict is (VerdictValue.NO_GO if closing else VerdictValue.GO)
    component = next(check for check in given.checks if check.name == "component_size")
    assert (component.outcome is Outcome.FAIL) == ("max_component_documents" in limits)


def test_a_run_that_does_not_say_what_it_removed_is_no_go() -> None:
    evidence = manifest(config()).model_copy(update={"removals": None})
    assert judge(config(), evidence, SHA, profile()).verdict is VerdictValue.NO_GO


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"loss": "a pointer: run git lfs pull", "format": "unknown"}, "is not read: a pointer: run git lfs pull; or"),
        ({"loss": "cut", "format": "unknown+gzip"}, "is not read: cut; or list its sha256"),
        ({"loss": "b.txt: damaged", "format": "tar+zstd", "lost_bytes": 7}, "part of"),
        (
            {"loss": "gzip: cut", "format": "jsonl+gzip", "lost_bytes": 7},
            "(7 bytes not read): gzip: cut; fetch it again",
        ),
        ({"lost_bytes": 0}, "cut within its last record"),
    ],
)
def test_a_lost_file_says_why_and_what_to_do(file: dict[str, object], said: str) -> None:
    found = verdict(config(), profile(), file={"is_tail_lost": True, **file})
    messages = [check.message for check in found.failed() if check.name == "truncated_input"]
    assert len(messages) == 1
    assert said in messages[0]
    assert ("fetch it again" in messages[0]) == (not str(file.get("format", "")).startswith("unknown"))


@pytest.mark.parametrize(
    ("file", "metric", "said"),
    [
        ({"format": "tar", "members": {"text": 3, "jsonl": 9}}, "mixed_formats", "9 jsonl, 3 text"),
        ({"format": "tar", "members": {"jsonl": 9}}, "mixed_formats", None),
        ({"format": "text"}, "mixed_formats", None),
    ],
)
def test_a_source_of_several_formats_is_warned_of(file: dict[str, object], metric: str, said: str | None) -> None:
    found = verdict(config(), profile(), file=file)
    messages = [check.message for check in found.checks if check.name == metric]
    assert [said in message for message in messages if said] == ([True] if said else [])
    assert len(messages) == (said is not None)


@pytest.mark.parametrize(
    ("form", "largest", "is_warned"),
    [("text", 10_000, True), ("text+gzip", 10_000, True), ("text", 9_000, False), ("jsonl", 10_000, False)],
)
def test_one_document_that_is_a_whole_source_is_warned_of(form: str, largest: int, *, is_warned: bool) -> None:
    changes = {"read_tokens": 10_000, "kept_tokens": 10_000, "written_tokens": 10_000, "largest_tokens": largest}
    found = verdict(config(), profile(), file={"format": form}, **changes)
    messages = [check.message for check in found.checks if check.name == "one_document"]
    assert len(messages) == is_warned
    assert all("text_records: blank_lines" in message for message in messages)
