import pytest

from polyculture.report.heads import head_lines
from polyculture.takedown.account import without_texts
from schemas.dedupe_config import Action
from schemas.manifest import Manifest
from schemas.removals import SharedHead
from tests.unit.report.fakes import a_case

HEAD = SharedHead(
    words=169,
    documents=1234,
    sources={"web_code": 1234},
    share=0.31,
    removed=310,
    removed_for_it=120,
    text="licensed under the apache license, version 2.0 " * 3,
)
FOUND = "1,234 documents of web_code begin with the same 169 words (“licensed under"


def manifest(*heads: SharedHead, action: Action = Action.REMOVE, is_without: bool = False) -> Manifest:
    made = a_case().manifest
    assert made.removals is not None
    near = made.config.dedupe.near.model_copy(update={"action": action, "without_heads": is_without})
    dedupe = made.config.dedupe.model_copy(update={"near": near})
    config = made.config.model_copy(update={"dedupe": dedupe})
    return made.model_copy(update={"config": config, "removals": made.removals.model_copy(update={"heads": heads})})


@pytest.mark.parametrize(
    ("made", "end"),
    [
        (
            manifest(HEAD),
            "…”), 31 % of their text; compared with it, 310 were removed for another, 120 of these for the head alone: "
            "`dedupe: {near: {without_heads: true}}` compares without it.",
        ),
        (manifest(HEAD.model_copy(update={"removed": 0, "removed_for_it": 0})), "; none was removed for another."),
        (manifest(HEAD, is_without=True), "; compared without it, 310 were removed for another."),
        (manifest(HEAD, action=Action.MEASURE), "31 % of their text."),
    ],
)
def test_the_line_of_a_head(made: Manifest, end: str) -> None:
    (line,) = head_lines(made)
    assert line.startswith(FOUND)
    assert line.endswith(end)


def test_one_head_stands_for_the_others_and_a_takedown_leaves_no_words() -> None:
    made = manifest(HEAD, HEAD, HEAD)
    assert len(head_lines(made)) == 3
    (line,) = head_lines(made, most=1)
    assert line.endswith("The report names 2 more such heads.")
    removals = without_texts(made.removals)
    assert removals is not None
    assert {head.text for head in removals.heads} == {""}
