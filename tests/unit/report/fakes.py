"""Plausible manifests, profiles and verdicts to render, without a run."""

from dataclasses import dataclass, replace

import numpy as np

from polyculture.measure.ledger.profile import CURVE_FRACTIONS
from schemas.accounts import FileAccount, FileDigest, SourceAccount
from schemas.config import CurationConfig
from schemas.documents import Kind
from schemas.ledger import Weighting
from schemas.manifest import Manifest
from schemas.measures import TRIAL_FRACTIONS, Lens, Stage
from schemas.plan import MixturePlan, SourcePlan
from schemas.profile import Containment, Estimate, Profile, ScopeProfile, Trial
from schemas.removals import RemovalCluster, RemovalSummary
from schemas.source_config import SourceConfig
from schemas.verdict import CheckResult, Outcome, Verdict, VerdictValue

DIGEST = "0123456789abcdef" * 4


@dataclass(frozen=True)
class FakeSource:
    """A source whose documents are singles, but for a share that lies in species of equal size."""

    name: str
    kind: Kind
    documents: int
    redundant: float
    size: int

    def distinct(self, fraction: float) -> float:
        """What a trial of the fraction would see."""
        seen = (1 - (1 - fraction) ** self.size) / (self.size * fraction)
        return 1 - self.redundant + self.redundant * seen


@dataclass(frozen=True)
class Case:
    """Arguments of `render_report`."""

    manifest: Manifest
    profile: Profile
    verdict: Verdict


DOCS = FakeSource("docs", Kind.WEB, 48_211, 0.11, 4)
FUNCTIONS = FakeSource("functions", Kind.EXPERT, 9_640, 0.02, 2)
SOLVED = FakeSource("solved_problems", Kind.SYNTHETIC, 120_000, 0.95, 40)
VARIED = FakeSource("solved_problems", Kind.SYNTHETIC, 120_000, 0.06, 3)
THREE = [DOCS, FUNCTIONS, SOLVED]


def many(number: int) -> list[FakeSource]:
    """Sources of all kinds, from varied to redundant."""
    kinds, generator = list(Kind), np.random.default_rng(3)
    return [
        FakeSource(
            f"{('crawl', 'textbooks', 'generated')[i % 3]}_{('en', 'de', 'fr', 'science', 'law')[i % 5]}_{i:02d}",
            kinds[i % 3],
            int(10 ** generator.uniform(3, 6.4)),
            float(generator.beta(1, 6 if i % 3 else 12)) if i % 7 else 0.62,
            int(generator.integers(2, 60)),
        )
        for i in range(number)
    ]


def an_estimate(value: float, probes: int) -> Estimate:
    half = 1.96 * (max(value * (1 - value), 1e-4) / probes) ** 0.5
    return Estimate(value=value, low=max(0.0, value - half), high=min(1.0, value + half))


def an_exact(value: float) -> Estimate:
    return Estimate(value=value, low=value, high=value)


def a_scope(stage: Stage, lens: Lens, name: str, kind: Kind | None, members: list[FakeSource]) -> ScopeProfile:
    documents = sum(source.documents for source in members)
    probes = 2000 * len(members)
    ease = {Stage.INPUT: 1.0, Stage.DISTINCT: 0.05, Stage.MIXTURE: 0.98}[stage] * (1.0 if lens is Lens.NEAR else 0.3)

    def at(fraction: float) -> float:
        distinct = sum(source.documents * source.distinct(fraction) for source in members) / documents
        return 1 - ease * (1 - distinct)

    def estimate(value: float) -> Estimate:
        is_counted = documents < 10_000
        return Estimate(value=value, low=value, high=value) if is_counted else an_estimate(value, probes)

    surprise = at(0.01) - at(1)
    return ScopeProfile(
        stage=stage,
        lens=lens,
        weighting=Weighting.DOCUMENTS,
        scope=name,
        kind=kind,
        documents=documents,
        tokens=documents * 700,
        probes=probes,
        distinct_fraction=estimate(at(1)),
        duplicate_fraction=estimate(ease * sum(s.redundant * s.documents for s in members) / documents),
        duplicate_pairs=an_exact(3.0 * documents),
        hill_0=an_exact(at(1) * documents),
        hill_1=an_exact(0.8 * at(1) * documents),
        hill_2=an_exact(0.5 * at(1) * documents),
        scale_surprise=Estimate(value=surprise, low=surprise - 0.012, high=surprise + 0.012),
        trials=[
            Trial(fraction=f, distinct_fraction=estimate(at(f))) for f in sorted({*CURVE_FRACTIONS, *TRIAL_FRACTIONS})
        ],
    )


def a_profile(sources: list[FakeSource], stages: tuple[Stage, ...] = tuple(Stage)) -> Profile:
    scopes: list[ScopeProfile] = []
    containments: list[Containment] = []
    for stage in stages:
        for lens in (Lens.EXACT, Lens.NEAR):
            scopes.append(a_scope(stage, lens, "all", None, sources))
            for kind in Kind:
                members = [source for source in sources if source.kind is kind]
                if members:
                    scopes.append(a_scope(stage, lens, kind.value, kind, members))
            scopes.extend(a_scope(stage, lens, s.name, s.kind, [s]) for s in sources)
            containments.extend(
                Containment(
                    stage=stage, lens=lens, of=a.name, within=b.name, containment=an_estimate(overlap(i, j), 2000)
                )
                for i, a in enumerate(sources)
                for j, b in enumerate(sources)
                if a.name != b.name
            )
    return Profile(trial_fraction=0.01, threshold=0.8, scopes=scopes, containments=containments, heavy=[])


def overlap(of: int, within: int) -> float:
    """A share of twins, mostly 0."""
    return round(((of * 7 + within * 13) % 17) / 17, 2) ** 4 if (of + 2 * within) % 3 == 1 else 0.0


def a_file(
    name: str, documents: int, *, bad: int = 0, warnings: tuple[str, ...] = (), is_cut: bool = False
) -> FileAccount:
    return FileAccount(
        name=name,
        sha256=DIGEST,
        bytes=documents * 3000,
        format="jsonl+zstd",
        slots=documents + bad,
        documents=documents,
        quarantined={"bad_json": bad} if bad else {},
        filtered={},
        skipped={},
        warnings=list(warnings),
        is_tail_lost=is_cut,
        lost_bytes=4096 if is_cut else 0,
    )


def an_account(source: FakeSource, *, is_repeated: bool) -> SourceAccount:
    folder = f"data/{source.name}"
    near, exact = int(source.documents * source.redundant * 0.6), int(source.documents * source.redundant * 0.25)
    bad, filtered, unselected = source.documents // 200, source.documents // 50, source.documents // 20
    kept = source.documents - near - exact - bad - filtered - unselected
    repeated = kept // 2 if is_repeated else 0
    return SourceAccount(
        name=source.name,
        kind=source.kind,
        read=source.documents,
        quarantined={"bad_json": bad},
        filtered={"media_type": filtered // 2, "too_short": filtered - filtered // 2},
        filtered_tokens={"too_short": (filtered - filtered // 2) * 700},
        removed={"exact": exact, "near": near},
        unselected=unselected,
        kept=kept,
        repeated=repeated,
        written=kept + repeated,
        read_tokens=(kept + near + exact + unselected) * 700,
        removed_tokens=(near + exact) * 700,
        unselected_tokens=unselected * 700,
        kept_tokens=kept * 700,
        written_tokens=(kept + repeated) * 700,
        quarantine_limit=0.05,
        files=[
            a_file(f"{folder}/part-000.jsonl.zst", source.documents, bad=bad, warnings=("2 lines end in CR LF",)),
            a_file(f"data/{source.name}/part-001.jsonl.zst", 10, is_cut=source.kind is Kind.WEB),
            a_file(f"data/{source.name}/part-002.jsonl.zst", 10),
        ],
    )


def a_manifest(sources: list[FakeSource], *, lacking: int = 0) -> Manifest:
    accounts = [an_account(source, is_repeated=source.kind is Kind.EXPERT) for source in sources]
    plans = [
        SourcePlan(
            name=account.name,
            kind=account.kind,
            asked_rate=1.0,
            rate=1.5 if account.repeated else 0.95,
            whole_copies=1 if account.repeated else 0,
            threshold=0.5 if account.repeated else 0.95,
            available_documents=account.kept + account.unselected,
            available_tokens=account.kept_tokens + account.unselected_tokens,
            tokens=account.written_tokens,
            limit="max_epochs" if account.repeated else None,
        )
        for account in accounts
    ]
    tokens = sum(plan.tokens for plan in plans)
    return Manifest(
        command="run",
        name="demo",
        identity_sha256=DIGEST,
        config=CurationConfig(
            name="demo", sources=tuple(SourceConfig(name=s.name, kind=s.kind, paths=("data/*",)) for s in sources)
        ),
        config_sha256=DIGEST,
        code_sha256=DIGEST,
        version="0.1.0",
        python_unicode="14.0.0",
        libraries={"numpy": "2.4.6", "pyarrow": "26.0.0"},
        tokenizer_sha256=DIGEST,
        language_model_sha256=DIGEST,
        plan=MixturePlan(
            budget_tokens=tokens + lacking, scale=0.9512, tokens=tokens, lacking_tokens=lacking, sources=plans
        ),
        removals=RemovalSummary(
            cluster_sizes={1: 900, 2: 40, 7: 1},
            largest_clusters=(
                RemovalCluster(
                    kept_id="web:1",
                    documents=7,
                    sources={sources[0].name: 7},
                    least_similarity=0.81,
                    examples=("a", "b"),
                ),
            ),
            component_sizes={2: 40, 9: 1},
            sampled=46,
            confirmed=46,
            precision_low=0.92,
            precision_high=1.0,
        ),
        conservation=accounts,
        files=[FileDigest(path="shards/train-00000-of-00001.arrow", sha256=DIGEST, bytes=1000, rows=10)],
    )


def a_check(profile: Profile, scope: str, metric: str = "distinct_fraction") -> CheckResult:
    """The check of a default expectation, judged on the value alone."""
    found = profile.scope(Stage.MIXTURE, Lens.NEAR, scope)
    assert found is not None
    estimate: Estimate = getattr(found, metric)
    margin = estimate.low - 0.8 if metric == "distinct_fraction" else 0.1 - estimate.high
    holds = margin >= 0
    return CheckResult(
        name="expectation",
        outcome=Outcome.PASS if holds else Outcome.FAIL,
        severity="fail",
        scope=scope,
        stage="mixture",
        lens="near",
        metric=metric,
        observed=estimate.value,
        low=estimate.low,
        high=estimate.high,
        bound=">= 0.8" if metric == "distinct_fraction" else "<= 0.1",
        margin=margin,
        message=f"{scope}: near {metric} is {estimate.value:.3f} at stage mixture",
    )


def a_verdict(profile: Profile, value: VerdictValue, checks: list[CheckResult]) -> Verdict:
    always = [
        CheckResult(
            name="conservation",
            outcome=Outcome.PASS,
            severity="fail",
            scope="all",
            message="every record slot is accounted for",
        ),
        CheckResult(
            name="truncated_input", outcome=Outcome.FAIL, severity="warn", scope="docs", message="1 file is cut short"
        ),
    ]
    return Verdict(
        verdict=value, name="demo", judged="mixture", checks=[*always, *checks], manifest_sha256=DIGEST, version="0.1.0"
    )


def a_case(sources: list[FakeSource] | None = None, *, value: VerdictValue | None = None, lacking: int = 0) -> Case:
    """A run over the sources, three by default; the verdict follows from their numbers unless it is given."""
    chosen = THREE if sources is None else sources
    profile = a_profile(chosen)
    scopes = ["all", *(source.name for source in chosen)]
    checks = [a_check(profile, s, metric) for s in scopes for metric in ("distinct_fraction", "scale_surprise")]
    if value is None:
        value = VerdictValue.NO_GO if any(c.outcome is Outcome.FAIL for c in checks) else VerdictValue.GO
    return Case(a_manifest(chosen, lacking=lacking), profile, a_verdict(profile, value, checks))


def an_unknown_case() -> Case:
    """One source's interval straddles its bound."""
    case = a_case([DOCS, FUNCTIONS, VARIED])
    changes = {"outcome": "unknown", "observed": 0.81, "low": 0.762, "high": 0.858, "needed_probes": 9400}
    check = CheckResult.model_validate(a_check(case.profile, "docs").model_dump() | changes)
    others = [c for c in case.verdict.checks if (c.scope, c.metric) != ("docs", "distinct_fraction")]
    verdict = case.verdict.model_copy(update={"verdict": VerdictValue.UNKNOWN, "checks": [*others, check]})
    return replace(case, verdict=verdict)


def cases() -> dict[str, Case]:
    """One of each, by name."""
    return {
        "no_go": a_case(),
        "many": a_case(many(29)),
        "go": a_case([DOCS, FUNCTIONS, VARIED], lacking=12_500_000),
        "unknown": an_unknown_case(),
    }
