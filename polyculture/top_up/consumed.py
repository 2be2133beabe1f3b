"""The part of a run's shards that a training run has already read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyculture.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ShardTokens:
    """A shard in the order of the mixture, and the tokens of its rows."""

    name: str
    tokens: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Consumed:
    """The rows that were read: the first ones of each shard.

    Attributes:
        rows: (shards,) rows read of each shard, in order.
        tokens: read.
        remaining_tokens: not read.
    """

    rows: NDArray[np.int64]
    tokens: int
    remaining_tokens: int


def consumed_by_step(shards: Sequence[ShardTokens], step: int, tokens_per_step: int) -> Consumed:
    """Work out what a training run that reads the shards in order has read after so many steps.

    A document whose first token was read counts as read: the run has begun it.

    Args:
        shards: shards in order.
        step: optimiser steps done, 0 or more.
        tokens_per_step: tokens per step of the whole job, all ranks together.

    Raises:
        ConfigError: the steps need more tokens than the shards hold.
    """
    wanted = step * tokens_per_step
    total = sum(int(shard.tokens.sum()) for shard in shards)
    if wanted > total:
        raise ConfigError(
            f"--consumed: {step:,} steps of {tokens_per_step:,} tokens are {wanted:,}, and the shards hold {total:,}; "
            "check the step and --tokens-per-step, or name the shards that were read again"
        )
    rows, before = [], 0
    for shard in shards:
        starts = before + np.cumsum(shard.tokens) - shard.tokens
        rows.append(int(np.searchsorted(starts, wanted, side="left")) if wanted > before else 0)
        before += int(shard.tokens.sum())
    return _counted(shards, np.array(rows, np.int64))


def consumed_shards(shards: Sequence[ShardTokens], names: Sequence[str]) -> Consumed:
    """Work out what a training run has read that has read these shards whole.

    Args:
        shards: shards in order.
        names: file names of shards, in any order; of an earlier top-up, after `top-up-N/`. Other folders are ignored.

    Raises:
        ConfigError: a name is not one of the shards.
    """
    known = [shard.name for shard in shards]
    wanted = {name if name in known else Path(name).name for name in names}
    strangers = sorted(wanted - set(known))
    if strangers:
        raise ConfigError(
            f"--consumed: {strangers[0]!r} is no shard of this run; its shards are {known[0]} .. {known[-1]}; "
            "a number is a step, and needs --tokens-per-step"
        )
    return _counted(shards, np.array([len(s.tokens) if s.name in wanted else 0 for s in shards], np.int64))


def _counted(shards: Sequence[ShardTokens], rows: NDArray[np.int64]) -> Consumed:
    read = sum(int(shard.tokens[:count].sum()) for shard, count in zip(shards, rows, strict=True))
    return Consumed(rows, read, sum(int(shard.tokens.sum()) for shard in shards) - read)
