"""Seeds of the demo's synthetic corpus: worked problems with computed, correct solutions, in 30 families."""

import re
from collections.abc import Callable

from demo.problems import chance, money, motion, numbers, science, shapes
from demo.problems.wording import Draw, Problem, lay_out

FAMILIES: dict[str, Callable[[Draw], Problem]] = {
    "ages": numbers.ages,
    "border": shapes.border,
    "braking": motion.braking,
    "break-even": money.break_even,
    "committee": chance.committee,
    "compound-interest": money.compound_interest,
    "cylinder": shapes.cylinder,
    "density": science.density,
    "depreciation": money.depreciation,
    "discount": money.discount_and_tax,
    "expected-value": chance.expected_value,
    "fuel": science.fuel,
    "joint-work": motion.joint_work,
    "ladder": shapes.ladder,
    "map-scale": shapes.map_scale,
    "meeting": motion.meeting,
    "mixture": science.mixture,
    "ratio": numbers.ratio,
    "remainders": numbers.remainders,
    "resistors": science.resistors,
    "river": motion.river,
    "seat-rows": numbers.seat_rows,
    "shortcut": shapes.shortcut,
    "survey": chance.survey,
    "tank": motion.tank,
    "tickets": money.tickets,
    "timetable": numbers.timetable,
    "two-draws": chance.two_draws,
    "warm-water": science.warm_water,
    "weighted-mean": chance.weighted_mean,
}
NUMBER = re.compile(r"\d+")


def seed_problems(count: int) -> list[tuple[str, str]]:
    """Ids and texts of `count` different worked problems, the families in turn. No two state the same numbers.

    The first problems of a longer list are those of a shorter one.
    """
    names = sorted(FAMILIES)
    stated: set[tuple[str, ...]] = set()
    seeds: list[tuple[str, str]] = []
    attempt = 0
    while len(seeds) < count:
        name = names[len(seeds) % len(names)]
        draw = Draw(f"{name}/{attempt}")
        attempt += 1
        problem = FAMILIES[name](draw)
        key = (name, *NUMBER.findall(" ".join(problem.facts)))
        if key not in stated:
            stated.add(key)
            seeds.append((f"{name}-{len(seeds) // len(names):04d}", lay_out(problem, draw)))
    return seeds
