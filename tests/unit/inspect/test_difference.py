from polyculture.inspect.difference import compare_keys, compare_numbers
from schemas.profile import Estimate


def estimate(value: float, half: float = 0.0) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half)


def key(metric: str) -> tuple[str, str, str, str]:
    return "near", "documents", "all", metric


def test_numbers_apart_come_first_then_the_most_changed_then_what_only_one_run_has() -> None:
    before = {key("a"): estimate(1, 0.5), key("b"): estimate(10, 0.1), key("c"): estimate(5, 5), key("d"): estimate(1)}
    after = {key("a"): estimate(1.2, 0.5), key("b"): estimate(11, 0.1), key("c"): estimate(9, 5), key("e"): estimate(1)}
    rows = compare_numbers(before, after)
    assert [(row.metric, row.is_apart) for row in rows] == [
        ("b", True), ("c", False), ("a", False), ("d", False), ("e", False)
    ]  # fmt: skip
    assert rows[3].after is None
    assert rows[3].change is None


def test_intervals_that_touch_are_not_apart_and_nothing_changes_into_itself() -> None:
    assert not compare_numbers({key("a"): estimate(1, 1)}, {key("a"): estimate(3, 1)})[0].is_apart
    assert compare_numbers({key("a"): estimate(0)}, {key("a"): estimate(0)})[0].change == 0


def test_keys_are_found_by_the_names_of_sources_whatever_their_order() -> None:
    one, other = {"name": "x", "kind": "web"}, {"name": "y", "kind": "expert"}
    assert compare_keys({"sources": [one, other]}, {"sources": [other, one]}) == []
    changed = compare_keys({"sources": [one], "seed": 1}, {"sources": [{**one, "kind": "expert"}, other], "seed": 1})
    assert [(d.key, d.before, d.after) for d in changed] == [
        ("sources.x.kind", "web", "expert"), ("sources.y.kind", None, "expert"), ("sources.y.name", None, "y")
    ]  # fmt: skip
