from pathlib import Path

import pytest

from polyculture.configuration import load_config
from polyculture.errors import ConfigError
from schemas.policy import SHIPPED

GOOD = """name: demo
sources:
  - {name: docs, kind: web, paths: ["*.jsonl"]}
  - {name: code, kind: expert, paths: ["code.jsonl"]}
"""


def load(tmp_path: Path, text: str | bytes) -> object:
    path = tmp_path / "config.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_config(path)


def test_a_small_configuration_has_the_documented_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    assert config.dedupe.near.threshold == 0.8  # type: ignore[attr-defined]
    assert config.gate.rules == SHIPPED  # type: ignore[attr-defined]
    assert config.mixture.tokens is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (GOOD.replace("kind: web", "kind: wib"), 3, "sources.0.kind: Input should be 'web', 'expert' or 'synthetic'"),
        (GOOD.replace("paths", "path"), 3, "did you mean 'paths'?"),
        (GOOD + "seeds: 4\n", 5, "did you mean 'seed'?"),
        (GOOD.replace("name: code", "name: docs"), 1, "the name 'docs' is used twice"),
        (GOOD.replace("name: code", "name: web"), 4, "is a scope of expectations"),
        (GOOD.replace("name: code", "name: ../x"), 4, "sources.1.name"),
        (GOOD + "mixture: {rates: {dosc: 1}}\n", 1, "unknown source 'dosc'; known: docs, code"),
        (GOOD + "mixture: {rates: {docs: -1}}\n", 5, "greater than or equal to 0"),
        (GOOD + "mixture: {rates: {docs: 0, code: 0}}\n", 1, "the mixture would be empty"),
        (GOOD + "mixture: {rates: {docs: .nan}}\n", 5, "mixture.rates.docs"),
        (GOOD + "mixture: {max_epochs: 2, rates: {docs: 3}}\n", 1, "above max_epochs"),
        (GOOD + "gate: {expectations: [{lens: near, metric: distinct_fraction}]}\n", 5, "at_least or at_most"),
        (
            GOOD + "gate: {expectations: [{lens: semantc, metric: distinct_fraction, at_least: 1}]}\n",
            5,
            "'exact', 'near', 'template'",
        ),
        (
            GOOD + "gate: {expectations: [{lens: near, metric: distinct_fraction, at_least: 1, scope: dox}]}\n",
            1,
            "unknown 'dox'; known: all, code, docs",
        ),
        (GOOD + "gate: {rules: {narow: {}}}\n", 5, "did you mean 'narrow'"),
        (GOOD + "gate:\n  rules:\n    narrow: {at_most: 2}\n", 7, "less than or equal to 1"),
        (GOOD + "gate: {rules: {narrow: on}}\n", 5, "narrow"),
        (GOOD + "reference: [dosc]\n", 1, "unknown source 'dosc'; known: docs, code"),
        (GOOD + "reference: [docs, docs]\n", 1, "named twice"),
        (
            GOOD + "gate: {expectations: [{lens: near, metric: hill_1, relative_to: reference, at_least: 0.6}]}\n",
            1,
            "there is no reference",
        ),
        (
            GOOD + "gate: {expectations: [{lens: near, metric: containment, weighting: tokens, at_most: 0.1}]}\n",
            5,
            "leave weighting out",
        ),
        (GOOD + "gate: {waivers: [{check: quarantine, reason: x, until: 2026-01-01}]}\n", 5, "by: is missing"),
        (GOOD.replace("kind: web", "kind: web, answers_per_prompt: 2"), 3, "only a synthetic source"),
        (GOOD + "dedupe: {near: {threshold: 1.5}}\n", 5, "less than or equal to 1"),
        (GOOD + "dedupe: {near: {threshold: 0.6666666666666666}}\n", 5, "more than 6 decimals"),
        (GOOD.replace("name: demo", "name: -demo"), 1, "name"),
        (
            GOOD + "mixture: {phases: [{name: a-b, tokens: 9}, {name: a.b, tokens: 9}]}\n",
            5,
            "names that differ in `-`, `.` and `_` alone",
        ),
        (
            GOOD + "mixture:\n  stages:\n    - {name: a, tokens: 9}\n    - {name: b, token: 9}\n",
            8,
            "mixture.phases.1.token",
        ),
        (GOOD + "mixture: {stages: [], phases: []}\n", 5, "the older name of `phases`"),
        (GOOD + "dedupe: {survivors: [web]}\n", 5, "name each of expert, web, synthetic once"),
        (GOOD + "name: again\n", 5, "is given twice"),
        (GOOD.replace('["code.jsonl"]', "&a [x]"), 4, "anchors and aliases"),
        (GOOD + "seed: !!python/object/apply:os.system ['true']\n", 5, "the tag"),
        *((GOOD.replace("name: demo", f"name: {word}"), 1, "stand in quotes") for word in ("no", "Yes", "ON", "off")),
        (GOOD + "seed: 12:30:45\n", 5, "valid integer, unable to parse string as an integer, got '12:30:45'"),
        (GOOD + "mixture: {tokens: 1:30}\n", 5, "mixture.tokens"),
        (GOOD + "seed: 010\n", 5, "read a number that starts with 0 differently"),
        (GOOD + "seed: 0o17\n", 5, "read a number that starts with 0 differently"),
        (GOOD + "seed: 2024-05-18\n", 5, "got '2024-05-18'"),
        (GOOD + "mixture:\n  <<: {tokens: 5}\n", 6, "merge keys (<<) are not allowed; write the values out"),
        (GOOD + "mixture: {<<: [{tokens: 5}]}\n", 5, "merge keys"),
        ("{a: " * 21 + "1" + "}" * 21, 1, "nested deeper than 20 levels"),
        ("name: [unclosed", 1, "not valid YAML"),
        ("", 1, "valid"),
        ("- a\n- b\n", 1, "valid"),
        (b"name: \xff\n", None, "not UTF-8"),
        ("a: " * 80_000, 1, "not valid YAML"),
        ("[" * 20_000, None, "config.yaml"),
        ("x" * 300_000, None, "larger than 256 KiB"),
    ],
)
def test_a_mistake_is_named_with_its_key_its_line_and_the_cure(
    tmp_path: Path, text: str | bytes, line: int | None, words: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)
    assert words in str(error.value)
    assert line is None or f"config.yaml:{line}:" in str(error.value)


def test_phases_are_read_under_their_older_name(tmp_path: Path) -> None:
    older, newer = (
        load(tmp_path, GOOD + f"mixture: {{{key}: [{{name: a, tokens: 9}}]}}\n") for key in ("stages", "phases")
    )
    assert older == newer
    assert "stages" not in newer.mixture.model_dump()  # type: ignore[attr-defined]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, GOOD.replace("kind: web", "kind: wib").replace("kind: expert", "kind: expart"))
    assert str(error.value).count("\n") == 1


@pytest.mark.parametrize("length", [0, 5_000])
def test_a_configuration_on_one_line_of_json_is_read(tmp_path: Path, length: int) -> None:
    config = load(tmp_path, GOOD)
    lists = [f"takedown-{i}" for i in range(length // 10)]
    written = config.model_copy(update={"exclude": tuple(lists)}).model_dump_json()  # type: ignore[attr-defined]
    assert "\n" not in written
    assert load(tmp_path, written).exclude == tuple(lists)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("written", "name"),
    [("2024-05-18", "2024-05-18"), ("'no'", "no"), ('"007"', "007"), ("y", "y"), ("1.2.3", "1.2.3"), ("0x", "0x")],
)
def test_a_name_that_another_version_of_yaml_would_change_is_text(tmp_path: Path, written: str, name: str) -> None:
    assert load(tmp_path, GOOD.replace("demo", written)).name == name  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("written", "number"), [("0", 0), ("20_261_122", 20261122), ("0x1F", 31), ("1e3", 1000), ("+7", 7)]
)
def test_numbers_are_read_as_yaml_1_2_has_them(tmp_path: Path, written: str, number: int) -> None:
    assert load(tmp_path, GOOD + f"seed: {written}\n").seed == number  # type: ignore[attr-defined]


def test_days_of_waivers_are_read_as_before(tmp_path: Path) -> None:
    waiver = "{check: quarantine, reason: small, by: Ada, until: 2026-03-01}"
    found = load(tmp_path, GOOD + f"gate: {{waivers: [{waiver}]}}\n")
    assert found.gate.waivers[0].until.isoformat() == "2026-03-01"  # type: ignore[attr-defined]
