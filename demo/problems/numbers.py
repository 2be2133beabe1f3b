"""Worked problems about whole numbers: timetables, remainders, seat rows, ages, ratios."""

from math import gcd

from demo.problems.wording import Draw, Problem


def timetable(draw: Draw) -> Problem:
    """Least common multiple of two intervals."""
    common, p, q = draw.number(2, 12), draw.number(3, 13), draw.number(3, 13)
    if gcd(p, q) != 1 or p == q:
        q = p + 1
    first, second = common * p, common * q
    together, span = common * p * q, draw.number(2, 6)
    things = (
        ("bus", "tram"),
        ("lighthouse", "buoy"),
        ("church bell", "school bell"),
        ("ferry", "train"),
        ("sprinkler", "pump"),
    )
    one, two = things[draw.number(0, len(things) - 1)]
    who = draw.scene("watchman", "inspector", "clockmaker", "station master", "passenger")
    return Problem(
        "least common multiples",
        (
            draw.pick(
                f"{who} noticed that a {one} and a {two} gave their signals at the same instant.",
                f"{who} wrote down the moment at which a {one} and a {two} signalled together.",
            ),
            *draw.shuffled(
                draw.pick(
                    f"The {one} repeats every {first} minutes.",
                    f"Between two signals of the {one} lie {first} minutes.",
                ),
                draw.pick(
                    f"The {two} repeats every {second} minutes.", f"For the {two} the interval is {second} minutes."
                ),
            ),
        ),
        draw.pick(
            f"After how many minutes does it happen again, and how often in {span * together} minutes?",
            f"When is the next coincidence, and how many follow within {span * together} minutes?",
        ),
        draw.pick(
            "The next coincidence is at the smallest number that both intervals divide.",
            "Look for the least common multiple; the greatest common divisor gives it quickly.",
            "Multiples of both intervals are wanted, and the smallest of them comes first.",
        ),
        (
            f"The greatest common divisor of {first} and {second} is {common}.",
            draw.pick("The product of the intervals is", "Multiplying both gives")
            + f" {first} * {second} = {first * second}.",
            draw.pick("Divided by the common divisor this is", "The least common multiple is therefore")
            + f" {first * second} / {common} = {together}.",
            draw.pick("The number of coincidences is", "Within the given span there are")
            + f" {span * together} / {together} = {span}, the first moment not counted.",
        ),
        f"Both divide it: {together} / {first} = {q} and {together} / {second} = {p}, and these two have no"
        " common factor.",
        f"They coincide every {together} minutes, and {span} times in the given span.",
    )


def remainders(draw: Draw) -> Problem:
    """The smallest number with two given remainders."""
    m, n = draw.number(5, 17), draw.number(6, 23)
    while gcd(m, n) != 1:
        n += 1
    number = draw.number(max(m, n) + 2, m * n - 1)
    a, b = number % m, number % n
    tried = list(range(b, number + 1, n))
    thing = draw.pick("walnut", "coin", "pebble", "chestnut", "stamp", "postcard", "shell", "bolt")
    who = draw.scene("collector", "grocer", "grandmother", "banker", "sailor")
    return Problem(
        "remainders",
        (
            draw.pick(
                f"{who} had fewer than {m * n} {thing}s.",
                f"{who} counted a heap of {thing}s, certainly fewer than {m * n}.",
            ),
            *draw.shuffled(
                draw.pick(
                    f"In rows of {m}, there were {a} left over.",
                    f"Dealt out in groups of {m}, they left a remainder of {a}.",
                ),
                draw.pick(
                    f"In rows of {n}, there were {b} left over.",
                    f"Dealt out in groups of {n}, they left a remainder of {b}.",
                ),
            ),
        ),
        draw.pick(f"How many {thing}s were there?", "What was the exact number?"),
        draw.pick(
            f"Since {m} and {n} have no common factor, exactly one number below their product fits both conditions.",
            "List the numbers that leave the right remainder for one divisor, and test them with the other.",
            "Start from one condition and walk in steps that keep it true until the other one holds too.",
        ),
        (
            f"Numbers that leave {b} on division by {n} are {b}, {b + n}, {b + 2 * n} and so on in steps of {n}.",
            f"On division by {m} their remainders move by the same amount each time, because {n} leaves {n % m}.",
            f"The wanted remainder {a} appears after {len(tried) - 1} steps, that is at {b} + {len(tried) - 1} *"
            f" {n} = {number}.",
            f"The next candidate would be {number} + {m} * {n} = {number + m * n}, which is too many.",
        ),
        f"Both conditions hold: {number // m} * {m} + {a} = {number} and {number // n} * {n} + {b} = {number}.",
        f"There were {number} {thing}s.",
    )


def seat_rows(draw: Draw) -> Problem:
    """Sum of an arithmetic series."""
    first, step, rows, price = draw.number(9, 40), draw.number(2, 7), 2 * draw.number(5, 17), draw.number(5, 32)
    last = first + (rows - 1) * step
    seats = rows * (first + last) // 2
    hall = draw.pick("theatre", "stadium", "lecture hall", "circus", "cinema", "parliament", "open-air stage")
    who = draw.scene("architect", "porter", "stage manager", "carpenter", "theatre director")
    return Problem(
        "arithmetic series",
        (
            draw.pick(
                f"{who} drew the seats of a {hall} with {rows} rows.",
                f"{who} planned {rows} rows of seats for a {hall}.",
            ),
            draw.pick(
                f"The front row had {first} seats, and each row behind had {step} more than the one before.",
                f"There were {first} seats in front, and every further row was {step} seats longer.",
            ),
            draw.pick(
                f"Each seat brought {price} dollars on a full evening.",
                f"A ticket cost {price} dollars, whatever the row.",
            ),
        ),
        draw.pick(
            "How many seats were there, and what did a full house bring?",
            "Find the number of seats and the income of a sold-out evening.",
        ),
        draw.pick(
            "Pair the first row with the last, the second with the last but one, and so on: all pairs are equal.",
            "The rows form an arithmetic sequence, so the mean row is halfway between the first and the last.",
            "Adding row by row works, but pairing rows from both ends is faster.",
        ),
        (
            draw.pick("The last row has", "At the back there are") + f" {first} + {rows - 1} * {step} = {last} seats.",
            draw.pick("A pair of rows has", "First and last row together have")
            + f" {first} + {last} = {first + last} seats.",
            draw.pick("There are", "The rows form") + f" {rows} / 2 = {rows // 2} such pairs.",
            draw.pick("So the house has", "All pairs together have")
            + f" {rows // 2} * {first + last} = {seats} seats.",
            draw.pick("Sold out, it brings", "The income is") + f" {seats} * {price} = {seats * price} dollars.",
        ),
        f"Without the extra seats there would be {rows} * {first} = {rows * first}; the extra ones are {step} *"
        f" {rows} * {rows - 1} / 2"
        f" = {step * rows * (rows - 1) // 2}, and {rows * first} + {step * rows * (rows - 1) // 2} = {seats}.",
        f"There are {seats} seats, worth {seats * price} dollars on a full evening.",
    )


def ages(draw: Draw) -> Problem:
    """One is now some times as old as another, and later fewer times."""
    now, later, young = draw.number(4, 9), draw.number(2, 3), draw.number(3, 14)
    old = now * young
    # (old + t) = later * (young + t) holds for whole t when later = 2; for 3 only if the difference is even.
    if later == 3 and (old - 3 * young) % 2:
        later = 2
    years = (old - later * young) // (later - 1)
    one = draw.pick("oak", "house", "bridge", "wine cellar", "violin", "clock tower", "sailing ship")
    two = draw.pick("beech", "shed", "footpath", "barn", "cello", "greenhouse", "dinghy")
    who = draw.scene("historian", "forester", "restorer", "guide", "curator")
    times = {2: "twice", 3: "three times"}[later]
    return Problem(
        "age equations",
        (
            draw.pick(
                f"{who} said that the {one} was {now} times as old as the {two}.",
                f"{who} explained that the {one} had {now} times the age of the {two}.",
            ),
            draw.pick(
                f"The {two} was {young} years old at that time.",
                f"At that moment the {two} had stood for {young} years.",
            ),
        ),
        draw.pick(
            f"In how many years would the {one} be only {times} as old, and how old would both be then?",
            f"When would it be just {times} as old as the {two}, and at what ages?",
        ),
        draw.pick(
            "Both grow older by the same number of years, so their difference stays what it is.",
            "Call the waiting time t and add it to both ages.",
            "Ratios of ages shrink with time, while the difference never changes.",
        ),
        (
            draw.pick(f"The {one} is now", f"Today's age of the {one} is") + f" {now} * {young} = {old} years.",
            draw.pick("The difference is", "The lead, which never changes, is")
            + f" {old} - {young} = {old - young} years.",
            f"When one is {times} as old as the other, the lead is {later} - 1 = {later - 1} times the younger age.",
            draw.pick("The younger age is then", f"So the {two} will be")
            + f" {old - young} / {later - 1} = {(old - young) // (later - 1)} years.",
            draw.pick("The waiting time is", "Until then there pass")
            + f" {(old - young) // (later - 1)} - {young} = {years} years.",
        ),
        f"At that time the ages are {old} + {years} = {old + years} and {young} + {years} = {young + years}, and"
        f" {later} * {young + years} = {old + years}.",
        f"In {years} years, at the ages of {old + years} and {young + years}.",
    )


def ratio(draw: Draw) -> Problem:
    """Three shares in a ratio, with a difference given."""
    a, b, c, unit = draw.number(2, 5), draw.number(6, 9), draw.number(3, 11), draw.number(12, 140)
    gap, total = (b - a) * unit, (a + b + c) * unit
    thing = draw.pick(
        "kilograms of wheat",
        "metres of cloth",
        "litres of oil",
        "sheets of paper",
        "grams of saffron",
        "tiles",
        "bricks",
    )
    who = draw.scene("merchant", "notary", "quartermaster", "warehouse keeper", "innkeeper")
    return Problem(
        "ratios",
        (
            draw.pick(
                f"{who} divided a stock of {thing} among three partners in the ratio {a} : {b} : {c}.",
                f"{who} shared out {thing} so that three partners received amounts in the ratio {a} : {b} : {c}.",
            ),
            draw.pick(
                f"The second partner got {gap} more than the first.",
                f"Between the first and the second share there was a difference of {gap}.",
            ),
        ),
        draw.pick("How large was each share, and how large the whole stock?", "Find the three shares and their sum."),
        draw.pick(
            "A ratio counts equal parts; once the size of a part is known, everything else follows.",
            "Express the given difference in parts, and work out what a single part is worth.",
            "Draw the shares as bars made of equal blocks, and look at the blocks that make the difference.",
        ),
        (
            draw.pick("The difference corresponds to", "The second partner is ahead by")
            + f" {b} - {a} = {b - a} parts.",
            draw.pick("One part is therefore", "A single part is worth") + f" {gap} / {b - a} = {unit}.",
            f"The first share is {a} * {unit} = {a * unit}, and the second is {b} * {unit} = {b * unit}.",
            f"The third share is {c} * {unit} = {c * unit}.",
            draw.pick("The whole stock is", "All shares together are")
            + f" {a * unit} + {b * unit} + {c * unit} = {total} {thing}.",
        ),
        f"In parts the stock is {a} + {b} + {c} = {a + b + c}, and {a + b + c} * {unit} = {total} agrees.",
        f"The shares were {a * unit}, {b * unit} and {c * unit}, together {total} {thing}.",
    )
