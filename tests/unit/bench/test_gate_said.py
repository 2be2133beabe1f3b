"""The count over the texts of a world is a count by hand."""

import itertools

from bench.gate.narrow import Draft
from bench.gate.said import again, said_again
from bench.gate.worlds import World, WorldSource

WORDS = [f"word{number}" for number in range(400)]


def text(first: int, count: int = 20) -> str:
    return " ".join(WORDS[first : first + count])


def by_hand(texts: list[str]) -> list[bool]:
    def runs(words: list[str]) -> set[tuple[str, ...]]:
        return {tuple(words[at : at + 5]) for at in range(max(1, len(words) - 4))}

    held = [runs(one.split()) for one in texts]
    return [
        sum(2 * len(mine & other) >= len(mine) for at, other in enumerate(held) if at != number) >= 4
        for number, mine in enumerate(held)
    ]


def test_four_others_must_each_hold_half_of_the_runs() -> None:
    five = [text(0) + " " + text(100 + 20 * number, 10) for number in range(5)]
    half = [text(0, 12) + " " + text(300 + number, 12) for number in range(3)]
    texts = [*five, *half, text(50), text(51), text(380, 3), text(380, 3) + " more"]
    assert again(texts).tolist() == by_hand(texts)
    assert again(five).all()
    assert not again(five[:4]).any()  # three others each


def test_the_share_is_of_characters_at_the_rates_and_copies_count_once() -> None:
    five = [f"{text(0, 30)} end{number}" for number in range(5)]
    others = [text(40 + 20 * number) for number in range(10)]
    sources = (
        WorldSource("same", "web", tuple(Draft(one) for one in [*five, five[0]]), rate=2),
        WorldSource("other", "web", tuple(Draft(one) for one in others)),
    )
    narrow, whole = 2 * sum(map(len, five)), sum(map(len, others))
    assert said_again(World("w", "healthy", "f", "plain", "b", sources)) == narrow / (narrow + whole)


def test_the_order_of_the_texts_says_nothing() -> None:
    texts = [text(at, 15) for at in (0, 1, 2, 3, 4, 60, 61)]
    expected = dict(zip(texts, again(texts).tolist(), strict=True))
    for order in itertools.islice(itertools.permutations(texts), 0, 5_000, 700):
        assert dict(zip(order, again(list(order)).tolist(), strict=True)) == expected
