"""The report's tables of lexical measures."""

from dataclasses import dataclass

from polyculture.gate.lexical import worth_a_look
from polyculture.measure.lexical.measures import LEAST_RATIO, LEXICAL_MEASURES, MOST_BLOCKS, MOST_RATIO
from schemas.lexical import LexicalScope
from schemas.manifest import Manifest
from schemas.measures import Stage
from schemas.profile import Profile
from schemas.source_config import RESERVED_SCOPES


@dataclass(frozen=True, slots=True)
class LexicalTable:
    """The content of the section.

    Attributes:
        stage: stage of the numbers.
        names: names of the measures.
        rows: the union, the kinds, the sources by name; empty if nothing was measured.
        synthetic: the synthetic sources, those with most measures outside the bounds first.
        outside: measures whose ratio is worth a look, by source.
    """

    stage: Stage
    names: list[str]
    rows: list[list[LexicalScope]]
    synthetic: list[LexicalScope]
    outside: dict[str, list[str]]
    bounds: tuple[float, float] = (LEAST_RATIO, MOST_RATIO)
    most_blocks: int = MOST_BLOCKS
    block_words: int = 0
    block_bytes: int = 0
    block_documents: int = 0


def lexical_table(manifest: Manifest, profile: Profile, judged: Stage) -> LexicalTable:
    """The measures of the input for an audit, of what is distinct for a run; copies say nothing about words."""
    stage = Stage.INPUT if judged is Stage.INPUT else Stage.DISTINCT
    found = {scope.scope: scope for scope in profile.lexical if scope.stage is stage}
    names = list(LEXICAL_MEASURES)
    if not found:
        return LexicalTable(stage, names, [], [], {})
    kinds = [scope for name, scope in found.items() if name in RESERVED_SCOPES and name != "all"]
    sources = [found[account.name] for account in manifest.conservation if account.name in found]
    groups = [[found["all"]] if "all" in found else [], kinds, sources]
    synthetic = [scope for scope in sources if scope.ratios or scope.uncompared]
    outside = {scope.scope: worth_a_look(scope) for scope in synthetic}
    synthetic.sort(key=lambda scope: (-len(outside[scope.scope]), scope.uncompared is not None, scope.scope))
    size = next(iter(found.values()))
    return LexicalTable(
        stage,
        names,
        [group for group in groups if group],
        synthetic,
        outside,
        block_words=size.block_words,
        block_bytes=size.block_bytes,
        block_documents=size.block_documents,
    )
