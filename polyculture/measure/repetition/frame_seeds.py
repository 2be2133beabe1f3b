"""Seeds of frames: four words of a stretch of 24 in four of its places, by which stretches with a frame are met."""

from typing import Any

import numpy as np
from numba import types

from polyculture.compute.compiled import compiled, read_only, tuple_of
from polyculture.measure.repetition.grams import NOT_THERE, Hashes, Numbers
from schemas.repetition import FRAME_WORDS

PATTERNS = (
    (0, 9, 12, 20), (0, 17, 21, 23), (0, 1, 8, 15), (0, 2, 6, 21), (0, 4, 12, 16), (0, 7, 11, 18), (0, 3, 5, 6),
    (0, 5, 14, 19), (0, 8, 13, 18), (0, 6, 9, 13),
)  # fmt: skip
MOST_STANDING = 4  # stretches that no frame connects and one seed may have
_STARTS = np.uint64(1 << 20)  # a bit that half of all words have
PLACES = np.array(PATTERNS, np.int64)
FACTORS = np.array(
    [[pow(0x9E3779B97F4A7C15, 5 * number + place + 1, 2**64) for place in range(4)] for number in range(len(PATTERNS))],
    np.uint64,
)


@compiled()
def seed_at(words: Hashes, at: int, pattern: int, places: Numbers, factors: Hashes) -> Any:
    """Hash of the words in the places of a pattern, from a word on."""
    return (
        words[at] * factors[pattern, 0]
        + words[at + places[pattern, 1]] * factors[pattern, 1]
        + words[at + places[pattern, 2]] * factors[pattern, 2]
        + words[at + places[pattern, 3]] * factors[pattern, 3]
    )


@compiled()
def starts_stretch(word: Any) -> Any:
    """True if stretches that begin with a word are looked up: with half of all words, by their hashes."""
    return word & _STARTS != 0


@compiled(types.int64(read_only(types.uint64), read_only(types.int64), types.uint64[::1], types.int64[::1]))
def write_seeds(words: Hashes, offsets: Numbers, seeds: Hashes, starts: Numbers) -> int:
    """Write the seeds and the first word of each, as far as there is room; returns how many there are."""
    found = 0
    for stretch in range(len(offsets) - 1):
        for at in range(offsets[stretch], offsets[stretch + 1] - FRAME_WORDS + 1):
            if starts_stretch(words[at]):
                for pattern in range(len(PLACES)):
                    if found < len(seeds):
                        seeds[found], starts[found] = seed_at(words, at, pattern, PLACES, FACTORS), at
                    found += 1
    return found


@compiled()
def have_frame(left: Hashes, at: int, right: Hashes, place: int, least: int) -> bool:
    """True if two stretches have so many different words in common, each in the same place of both."""
    missed = 0
    for step in range(FRAME_WORDS):
        if left[at + step] != right[place + step]:
            missed += 1
            if missed > FRAME_WORDS - least:
                return False
    different = 0
    for step in range(FRAME_WORDS):
        word = left[at + step]
        if word == right[place + step]:
            is_new = True
            for before in range(step):
                if left[at + before] == word and right[place + before] == word:
                    is_new = False
                    break
            if is_new:
                different += 1
    return different >= least


@compiled(
    types.int64(
        tuple_of(read_only(types.uint64), read_only(types.int64)), read_only(types.uint64), types.int64,
        types.int64[::1], types.int64[::1],
    )
)  # fmt: skip
def let_stand(seeds: tuple[Hashes, Numbers], words: Hashes, least: int, standing: Numbers, places: Numbers) -> int:
    """Let the first stretches of each seed stand for others that have a frame in common with them.

    A seed of more stretches that have none in common is but a turn of phrase, and left out.

    Args:
        seeds: (n,) ascending, and (n,) first word of each.
        words: of drawn documents.
        least: different words of a frame.
        standing: (n,) written: number of the stretch that stands for each, or `NOT_THERE`.
        places: (n,) written: first word of each stretch that stands for others.

    Returns:
        How many stand for others; those of one seed follow one another.
    """
    keys, starts = seeds
    found = first = begin = 0
    is_left_out = False
    for number in range(len(keys)):
        if keys[number] != keys[begin]:
            first, begin, is_left_out = found, number, False
        standing[number] = NOT_THERE
        if is_left_out:
            continue
        for other in range(first, found):
            if have_frame(words, starts[number], words, places[other], least):
                standing[number] = other
                break
        if standing[number] == NOT_THERE:
            is_left_out = found - first == MOST_STANDING
            if is_left_out:
                standing[begin : number + 1] = NOT_THERE
                found = first
            else:
                standing[number], places[found] = found, starts[number]
                found += 1
    return found
