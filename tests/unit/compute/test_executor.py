import random
from pathlib import Path

import pytest

from polyculture.compute.executor import EXECUTORS, in_groups, make_executor, run_worthwhile


def double(value: int) -> int:
    return 2 * value


def write(folder: Path, name: str) -> str:
    (folder / name).write_text(name)
    return name


@pytest.mark.parametrize("name", EXECUTORS)
def test_every_executor_gives_results_in_the_order_of_the_calls(name: str, tmp_path: Path) -> None:
    with make_executor(2, name) as executor:
        assert executor.workers == 2
        assert list(executor.run(double, [(value,) for value in range(20)])) == [2 * value for value in range(20)]
        assert list(executor.run(write, [(tmp_path, str(number)) for number in range(3)])) == ["0", "1", "2"]
        assert list(executor.run(double, [])) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]


def test_an_unknown_executor_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown executor 'cluster'; known: local, in_process"):
        make_executor(1, "cluster")
    with pytest.raises(ValueError, match="at least 1, got 0"):
        make_executor(0)


def test_small_calls_start_no_process() -> None:
    class Refusing:
        workers = 1

        def run(self, *_: object) -> None:
            raise AssertionError("a process was started")

    assert list(run_worthwhile(Refusing(), double, [(4,), (5,)], is_small=True)) == [8, 10]  # type: ignore[arg-type]
    assert list(run_worthwhile(Refusing(), double, [], is_small=True)) == []  # type: ignore[arg-type]

    with pytest.raises(AssertionError, match="was started"):
        list(run_worthwhile(Refusing(), double, [(4,)], is_small=False))  # type: ignore[arg-type]


def test_groups_hold_all_items_in_order_and_all_but_the_last_are_worth_a_call() -> None:
    generator = random.Random(5)
    for _ in range(200):
        sizes = [generator.choice([0, 1, 5, 40]) for _ in range(generator.randrange(30))]
        groups = in_groups(sizes, 30)
        assert [number for first, end in groups for number in range(first, end)] == list(range(len(sizes)))
        assert all(sum(sizes[first:end]) >= 30 > sum(sizes[first : end - 1]) for first, end in groups[:-1])
