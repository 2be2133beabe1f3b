"""Words and frames of the worked problems: everything that is drawn, and how a problem becomes a text."""

import random
import re
from dataclasses import dataclass
from fractions import Fraction

MIN_WORDS = 150
ARTICLE = re.compile(r"\b([Aa])(?= [aeio])")  # turns "a oven" into "an oven"; the vowel u stays ("a useful")

# Words of a group stand for each other anywhere in a text without touching its arithmetic. No word is in two groups,
# and none starts with a vowel sound, so that the article before it stays right.
GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(words.split())
    for group, words in {
        "mood": "careful patient curious cheerful quiet busy thoughtful diligent friendly meticulous keen seasoned"
        " young retired confident sensible methodical tireless forgetful sceptical generous modest punctual"
        " resourceful",
        "look": "small large remote coastal leafy modern historic windy sunny bustling peaceful northern southern"
        " western mountain riverside suburban distant neighbouring prosperous crowded snowy hilly foggy",
        "place": "village town city valley district harbour suburb county parish province settlement region borough"
        " community peninsula",
        "weekday": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "month": "January February March April May June July August September October November December",
        "colour": "red blue green yellow white black purple brown grey pink silver turquoise crimson",
        "manner": "carefully slowly calmly patiently neatly quietly briskly thoroughly methodically diligently steadily"
        " precisely cautiously",
        "quality": "useful common classic handy standard basic familiar reliable popular simple typical sturdy valuable"
        " memorable respectable",
    }.items()
}
PARTNERS: dict[str, tuple[str, ...]] = {word: words for words in GROUPS.values() for word in words}

SCENES = (
    "In a {look} {place}, a {mood} {role}",
    "One {weekday} in {month}, a {mood} {role} from a {look} {place}",
    "A {mood} {role} who worked in a {look} {place}",
    "Last {month}, a {mood} {role} near a {look} {place}",
    "Before breakfast one {weekday}, a {mood} {role} in the {place} square",
    "During {month}, the most {mood} {role} of a {look} {place}",
    "A {role}, known in the {look} {place} as a {mood} person,",
    "Late one {weekday}, a {mood} {role} in some {look} {place}",
)
CLOSINGS = (
    "A {quality} habit in {topic} is to write the unit beside every number before combining any of them.",
    "Anyone who works {manner} through {topic} will find that the setup takes longer than the calculation itself.",
    "Skipping the check is tempting, but a {quality} check costs far less time than a wrong result.",
    "Notice that nothing beyond {topic} was needed; reading the question {manner} did most of the work.",
    "Changing one of the given numbers and solving again {manner} is good practice for {topic}.",
    "This is a {quality} example of {topic}, and the same plan carries over to bigger numbers unchanged.",
    "Before moving on, go back {manner} and ask which of the given facts was used at which step.",
    "A sketch or a short table, drawn {manner}, would have led to the same conclusion.",
    "A {quality} way to avoid traps in {topic} is to reread the last line of the task before answering.",
    "If the result looks surprising, estimate it {manner} with rounded numbers and compare the size of both values.",
    "The {quality} idea behind this exercise is to name the unknown first and to compute afterwards.",
    "Students who meet {topic} for the first time may want to cover the solution and repeat it {manner}.",
)
LABELS = (
    ("Problem:", "Solution:", "Check:", "Answer:"),
    ("Question.", "Worked solution.", "Verification.", "Result."),
    ("Exercise", "Reasoning", "Cross-check", "Final answer:"),
    ("Task:", "Step-by-step solution:", "To verify:", "So the answer is:"),
    ("Here is the situation.", "Here is one way to solve it.", "Does it hold?", "In short:"),
)
MARKERS = (
    ("Step 1.", "Step 2.", "Step 3.", "Step 4.", "Step 5.", "Step 6."),
    ("1)", "2)", "3)", "4)", "5)", "6)"),
    ("To begin:", "Next:", "After that:", "Then:", "Now:", "At last:"),
    ("(a)", "(b)", "(c)", "(d)", "(e)", "(f)"),
    ("-", "-", "-", "-", "-", "-"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A worked problem before it is laid out; every field is one or more whole sentences, except `topic`."""

    topic: str
    facts: tuple[str, ...]
    question: str
    plan: str
    steps: tuple[str, ...]
    check: str
    answer: str


class Draw:
    """Seeded choices for one problem, decided by its key. A word of a group is never drawn twice."""

    def __init__(self, key: str) -> None:
        self._random = random.Random(key)
        self._used: set[str] = set()

    def number(self, low: int, high: int, step: int = 1) -> int:
        """One of low, low + step, ..., high."""
        return self._random.randrange(low, high + 1, step)

    def pick(self, *options: str) -> str:
        """One of the options."""
        return self._random.choice(options)

    def shuffled(self, *options: str) -> tuple[str, ...]:
        """The options in another order."""
        return tuple(self._random.sample(options, len(options)))

    def word(self, group: str) -> str:
        """A word of a group of `GROUPS` that this problem has not used."""
        word = self._random.choice([word for word in GROUPS[group] if word not in self._used])
        self._used.add(word)
        return word

    def fill(self, frame: str, **words: str) -> str:
        """A frame with its `{group}` places filled with drawn words, and the others with the given ones."""
        drawn = {group: self.word(group) for group in GROUPS if "{" + group + "}" in frame}
        return frame.format(**drawn, **words)

    def scene(self, *roles: str) -> str:
        """Subject of the opening sentence: somebody with one of the roles, somewhere; a verb in the past follows."""
        return self.fill(self.pick(*SCENES), role=self.pick(*roles))


def show(value: Fraction | int) -> str:
    """A number as people write it: an integer, a terminating decimal, else a fraction."""
    value = Fraction(value)
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.10g}"


def lay_out(problem: Problem, draw: Draw) -> str:
    """The text of a problem: situation, plan, steps, check, answer, closing remarks; `MIN_WORDS` words at least."""
    task, solution, check, answer = LABELS[draw.number(0, len(LABELS) - 1)]
    markers = MARKERS[draw.number(0, len(MARKERS) - 1)]
    steps = "\n".join(f"{marker} {step}" for marker, step in zip(markers, problem.steps, strict=False))
    closings = iter(draw.shuffled(*CLOSINGS))
    ending = [draw.fill(next(closings), topic=problem.topic)]
    while True:
        text = (
            f"{task} {' '.join(problem.facts)} {problem.question}\n\n{solution} {problem.plan}\n{steps}\n\n"
            f"{check} {problem.check}\n{answer} {problem.answer} {' '.join(ending)}"
        )
        if len(text.split()) >= MIN_WORDS:
            return ARTICLE.sub(r"\1n", text)
        ending.append(draw.fill(next(closings), topic=problem.topic))
