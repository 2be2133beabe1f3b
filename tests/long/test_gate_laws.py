"""The laws of the gate, each on narrow and on healthy worlds, from reading to the verdict."""

from collections.abc import Iterator

import pytest

from bench.gate.installed import package_corpora
from bench.gate.laws import BASES, LAWS, Judged, Law, base_world, judged_world, try_law
from bench.gate.run import reading_once
from bench.gate.worlds import Worlds

pytestmark = pytest.mark.long
PACKAGES = ("numpy", "scipy", "pyarrow", "polars", "prefect")


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    with reading_once():
        yield Worlds(package_corpora(PACKAGES), 11)


@pytest.fixture(scope="module")
def before(worlds: Worlds) -> dict[str, Judged]:
    return {name: judged_world(base_world(name, worlds)) for name in BASES}


def test_the_worlds_are_what_they_were_made_to_be(before: dict[str, Judged]) -> None:
    assert {name.split()[0]: judged.verdict for name, judged in before.items()} == {"narrow": "NO-GO", "healthy": "GO"}
    assert len(before) == 6


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"law {law.number}")
def test_a_law_holds(law: Law, name: str, worlds: Worlds, before: dict[str, Judged]) -> None:
    outcome = try_law(law, name, worlds, before[name])
    assert outcome.holds, str(outcome)
