import pytest

from polyculture.mixture.plan.repetition import effective_tokens


@pytest.mark.parametrize(("epochs", "ratio"), [(2, 1.968), (4, 3.726), (8, 6.624), (16, 10.58), (40, 15.17)])
def test_repeated_tokens_are_worth_what_muennighoff_et_al_publish(epochs: int, ratio: float) -> None:
    assert effective_tokens(1e9, epochs) == pytest.approx(ratio * 1e9, rel=5e-4)


@pytest.mark.parametrize(("epochs", "value"), [(1, 1.0), (16, 0.38), (40, 0.08)])
def test_one_more_token_is_worth_less_the_more_often_it_was_seen(epochs: int, value: float) -> None:
    step = effective_tokens(1e6, epochs + 1e-4) - effective_tokens(1e6, epochs)
    assert step / 100 == pytest.approx(value, abs=0.005)


def test_less_than_an_epoch_is_what_was_taken() -> None:
    assert effective_tokens(1000, 0.25) == 250
    with pytest.raises(ValueError, match="0 or more"):
        effective_tokens(1000, -1)
