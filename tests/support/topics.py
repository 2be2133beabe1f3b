"""Short English texts about topics: a varied corpus, and one that says the same few things in other words."""

import random

TOPICS = [
    "river bridge flood dam canal delta ferry harbour",
    "violin orchestra melody rhythm concert choir piano opera",
    "enzyme protein cell membrane tissue genome bacteria virus",
    "court judge verdict statute appeal lawyer jury trial",
    "goal striker league referee stadium penalty coach match",
    "flour oven butter recipe dough sugar kitchen cake",
    "planet orbit telescope comet galaxy rocket lunar solar",
    "loan interest mortgage bank credit debt inflation bond",
    "soldier regiment battle siege treaty cavalry fortress army",
    "compiler pointer loop array thread kernel debug syntax",
    "glacier avalanche summit ridge climber snow altitude ice",
    "wheat harvest tractor barn cattle soil plough farm",
    "theorem proof integer algebra matrix polynomial prime vector",
    "airport pilot runway turbulence cockpit wing jet flight",
    "painting canvas sculpture gallery portrait fresco museum brush",
    "parliament minister election senate ballot party vote law",
    "whale coral reef shark plankton tide ocean squid",
    "surgeon patient fever vaccine hospital nurse dose clinic",
    "railway locomotive signal station carriage timetable track tunnel",
    "poem novel chapter author verse stanza fiction plot",
    "battery voltage circuit magnet copper resistor current motor",
    "forest beetle moss oak pine mushroom deer fern",
    "tailor cotton loom fabric needle linen wool dye",
    "market shop price customer discount cashier shelf receipt",
]
LINKS = ["about", "with", "under", "before", "after", "near", "without", "during", "against", "between"]


def about(generator: random.Random, topics: list[int], words: int = 6) -> str:
    """A text about some topics, in words of its own."""
    chosen = [word for topic in topics for word in generator.sample(TOPICS[topic].split(), words)]
    generator.shuffle(chosen)
    return " ".join(part for word in chosen for part in (word, generator.choice(LINKS))) + f" {generator.random():.6f}"


def varied_texts(count: int, seed: int) -> list[str]:
    """Each about three topics of its own."""
    generator = random.Random(seed)
    return [about(generator, generator.sample(range(len(TOPICS)), 3)) for _ in range(count)]


def paraphrased_texts(count: int, seed: int, subjects: int = 4) -> list[str]:
    """Each about one of few subjects, which are three topics each; no two texts are the same."""
    generator = random.Random(seed)
    known = [generator.sample(range(len(TOPICS)), 3) for _ in range(subjects)]
    return [about(generator, generator.choice(known), words=7) for _ in range(count)]
