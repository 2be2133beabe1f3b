"""Worked problems about counting and chance: draws, committees, expected value, averages, surveys."""

from fractions import Fraction
from math import comb, factorial

from demo.problems.wording import Draw, Problem, show


def two_draws(draw: Draw) -> Problem:
    """Two balls are drawn without being put back."""
    first, second, third = draw.number(3, 17), draw.number(2, 14), draw.number(2, 11)
    all_of_them = first + second + third
    one, two, other = draw.word("colour"), draw.word("colour"), draw.word("colour")
    both = Fraction(first * (first - 1), all_of_them * (all_of_them - 1))
    mixed = Fraction(2 * first * second, all_of_them * (all_of_them - 1))
    thing = draw.pick("marble", "button", "bead", "counter", "token", "ribbon", "sock", "sweet")
    who = draw.scene("shopkeeper", "child", "magician", "tailor", "teacher")
    return Problem(
        "probability without replacement",
        (
            draw.pick(
                f"{who} put {first} {one}, {second} {two} and {third} {other} {thing}s into a bag and shook it.",
                f"{who} had a bag with {thing}s in it: {first} {one}, {second} {two}, {third} {other}.",
            ),
            draw.pick(
                f"Two {thing}s were taken out without looking, one after the other.",
                "Then two of them were drawn blindly and not put back.",
            ),
        ),
        draw.pick(
            f"What is the probability that both are {one}, and that one is {one} and one {two}?",
            f"Find the chance of two {one} ones, and of one {one} with one {two}.",
        ),
        draw.pick(
            "The second draw happens with one piece fewer in the bag, so the fractions change.",
            "Multiply along each path, and add paths that lead to the same outcome.",
            "Count ordered pairs: favourable ones over all of them.",
        ),
        (
            draw.pick("The bag holds", "In all there are") + f" {first} + {second} + {third} = {all_of_them} pieces.",
            draw.pick("Ordered pairs number", "Two draws in order are possible in")
            + f" {all_of_them} * {all_of_them - 1} = {all_of_them * (all_of_them - 1)} ways.",
            f"Two {one} ones come in {first} * {first - 1} = {first * (first - 1)} of these, a probability of"
            f" {show(both)}.",
            f"The mixed pair comes in 2 * {first} * {second} = {2 * first * second} of them, since either may be"
            " drawn first.",
            f"Its probability is {2 * first * second} / {all_of_them * (all_of_them - 1)} = {show(mixed)}.",
        ),
        f"Along the path, {first}/{all_of_them} * {first - 1}/{all_of_them - 1} = {show(both)} for two {one}"
        " ones, as found by counting.",
        f"The probabilities are {show(both)} and {show(mixed)}.",
    )


def committee(draw: Draw) -> Problem:
    """Choosing a committee from two groups."""
    left, right, take, give = draw.number(5, 13), draw.number(4, 12), draw.number(2, 3), draw.number(1, 2)
    ways, free = comb(left, take) * comb(right, give), comb(left + right, take + give)
    groups = (
        ("teachers", "parents"),
        ("nurses", "doctors"),
        ("farmers", "traders"),
        ("pilots", "mechanics"),
        ("singers", "dancers"),
    )
    one, two = groups[draw.number(0, len(groups) - 1)]
    who = draw.scene("mayor", "chairwoman", "secretary", "headmaster", "director")
    falling = " * ".join(str(left - k) for k in range(take))
    return Problem(
        "combinations",
        (
            draw.pick(
                f"{who} had to form a committee of {take} {one} and {give} {two}.",
                f"{who} looked for {take} {one} and {give} {two} to sit on a committee.",
            ),
            draw.pick(
                f"The candidates were {left} {one} and {right} {two}.",
                f"{left} {one} and {right} {two} had put their names on a list.",
            ),
        ),
        draw.pick(
            "In how many ways could this be done, and how many without the rule about groups?",
            "How many committees obey the rule, and how many would there be without it?",
        ),
        draw.pick(
            "The order within a committee does not matter, so combinations are counted, not arrangements.",
            "Choose from each group by itself and multiply, because every choice on one side fits every choice"
            " on the other.",
            "Count ordered choices first, then divide by the orders that give the same people.",
        ),
        (
            draw.pick("From the first group there are", f"The {one} can be chosen in")
            + f" {falling} / {factorial(take)} = {comb(left, take)} ways.",
            f"For the {two} there are simply {right} choices."
            if give == 1
            else f"The {two} can be chosen in {right} * {right - 1} / 2 = {comb(right, 2)} ways.",
            draw.pick("Multiplied, this makes", "Together there are")
            + f" {comb(left, take)} * {comb(right, give)} = {ways} committees.",
            f"Without the rule, {take + give} people are chosen from {left} + {right} = {left + right}, which"
            f" gives {free} committees.",
            draw.pick("The rule excludes", "Ruled out are") + f" {free} - {ways} = {free - ways} of them.",
        ),
        f"The count under the rule must be the smaller one, and {ways} / {free} = {show(Fraction(ways, free))} is"
        " below one.",
        f"There are {ways} committees with the rule and {free} without it.",
    )


def expected_value(draw: Draw) -> Problem:
    """Expected gain of a raffle ticket."""
    tickets, price = draw.number(20, 90) * 10, draw.number(3, 9)
    grand, medium, few = draw.number(10, 30) * 5, draw.number(3, 9) * 5, draw.number(3, 9)
    total = grand + few * medium
    mean = Fraction(total, tickets)
    prize = draw.pick("hamper", "radio", "weekend trip", "painting", "record player", "camera", "clock")
    who = draw.scene("scout leader", "club secretary", "fundraiser", "librarian", "coach")
    return Problem(
        "expected values",
        (
            draw.pick(
                f"{who} ran a raffle with {tickets} tickets at {price} dollars each.",
                f"{who} printed {tickets} raffle tickets and sold all of them for {price} dollars each.",
            ),
            draw.pick(
                f"The main prize was a {prize} worth {grand} dollars.",
                f"First prize: a {prize} with a value of {grand} dollars.",
            ),
            draw.pick(
                f"There were also {few} vouchers of {medium} dollars.",
                f"In addition {few} people would win {medium} dollars each.",
            ),
        ),
        draw.pick(
            "What is a ticket worth on average, and what does its buyer lose on average?",
            "Find the expected value of one ticket and the expected loss of the buyer.",
        ),
        draw.pick(
            "On average a ticket is worth the sum of all prizes divided by the number of tickets.",
            "Weigh each prize with its probability; here this comes to sharing all prizes evenly.",
            "Expected value ignores luck: pretend that the prizes were split among all tickets.",
        ),
        (
            draw.pick("The vouchers are worth", "For the smaller prizes one needs")
            + f" {few} * {medium} = {few * medium} dollars.",
            draw.pick("All prizes together are worth", "With the main prize the sum is")
            + f" {grand} + {few * medium} = {total} dollars.",
            draw.pick("Per ticket that is", "Shared evenly this gives")
            + f" {total} / {tickets} = {show(mean)} dollars.",
            draw.pick("The ticket price less this value is", "Subtracting it from the price leaves")
            + f" {price} - {show(mean)} = {show(price - mean)} dollars.",
            draw.pick("The organisers keep", "What stays with the club is")
            + f" {tickets} * {price} - {total} = {tickets * price - total} dollars.",
        ),
        f"The mean loss times all tickets, {show(price - mean)} * {tickets} = {tickets * price - total} dollars,"
        " equals what the organisers keep.",
        f"A ticket is worth {show(mean)} dollars on average, which is {show(price - mean)} dollars less than its"
        " price.",
    )


def weighted_mean(draw: Draw) -> Problem:
    """The mean of two groups, and the mark that a third must reach."""
    size_a, size_b, size_c = draw.number(8, 28), draw.number(7, 26), draw.number(5, 18)
    mean_a, mean_b, hoped = draw.number(52, 71), draw.number(60, 88), draw.number(60, 90)
    sum_a, sum_b = size_a * mean_a, size_b * mean_b
    goal = round(Fraction(sum_a + sum_b + size_c * hoped, size_a + size_b + size_c))
    need = goal * (size_a + size_b + size_c) - sum_a - sum_b
    so_far = Fraction(sum_a + sum_b, size_a + size_b)
    test = draw.pick("spelling", "history", "swimming", "geography", "music", "typing", "first-aid")
    who = draw.scene("teacher", "examiner", "trainer", "school inspector", "tutor")
    return Problem(
        "weighted averages",
        (
            draw.pick(
                f"{who} marked a {test} test in two groups and waited for a third.",
                f"{who} had the results of a {test} test from two groups; a third was still to come.",
            ),
            *draw.shuffled(
                draw.pick(
                    f"The morning group of {size_a} people averaged {mean_a} points.",
                    f"A mean of {mean_a} points came from the morning group with {size_a} people.",
                ),
                draw.pick(
                    f"The evening group of {size_b} people averaged {mean_b} points.",
                    f"In the evening group there were {size_b} people with a mean of {mean_b} points.",
                ),
            ),
            f"The last group would have {size_c} people.",
        ),
        draw.pick(
            f"What is the mean so far, and what must the last group average to bring the overall mean to {goal}?",
            f"Find the current mean and the mean that the last group needs for {goal} overall.",
        ),
        draw.pick(
            "Means of groups of different size must not be averaged directly; add up points instead.",
            "Turn each mean back into a sum of points, because sums can be added.",
            "A mean is a sum shared evenly, so go back to the sums.",
        ),
        (
            f"The morning group has {size_a} * {mean_a} = {sum_a} points in all, the evening group {size_b} *"
            f" {mean_b} = {sum_b} points.",
            draw.pick("So far that makes", "Together they have") + f" {sum_a} + {sum_b} = {sum_a + sum_b} points.",
            draw.pick("The mean so far is", "Shared evenly this is")
            + f" {sum_a + sum_b} / {size_a + size_b} = {show(so_far)} points.",
            f"For the goal, {goal} * {size_a + size_b + size_c} = {goal * (size_a + size_b + size_c)} points are"
            " needed.",
            f"The last group must bring {need} / {size_c} = {show(Fraction(need, size_c))} points per head.",
        ),
        f"Adding what is missing, {sum_a + sum_b} + {need} = {goal * (size_a + size_b + size_c)} points, which is"
        " the goal times all people.",
        f"The mean so far is {show(so_far)}, and the last group needs {show(Fraction(need, size_c))}.",
    )


def survey(draw: Draw) -> Problem:
    """Two overlapping sets of people."""
    only_a, only_b, both, neither = draw.number(14, 90), draw.number(11, 80), draw.number(5, 60), draw.number(3, 50)
    in_a, in_b, everyone = only_a + both, only_b + both, only_a + only_b + both + neither
    pairs = (
        ("tea", "coffee"),
        ("football", "tennis"),
        ("cats", "dogs"),
        ("novels", "poetry"),
        ("trains", "planes"),
        ("cheese", "fruit"),
        ("jazz", "folk music"),
    )
    one, two = pairs[draw.number(0, len(pairs) - 1)]
    who = draw.scene("journalist", "sociologist", "pupil", "market researcher", "reporter")
    return Problem(
        "sets and inclusion-exclusion",
        (
            draw.pick(
                f"{who} asked {everyone} people about {one} and {two}.",
                f"{who} interviewed {everyone} people on whether they liked {one} and {two}.",
            ),
            *draw.shuffled(
                draw.pick(f"{in_a} of them liked {one}.", f"Yes to {one} said {in_a} people."),
                draw.pick(f"{in_b} liked {two}.", f"For {two} there were {in_b} votes."),
                draw.pick(f"{neither} liked neither.", f"No to either was the reply of {neither}."),
            ),
        ),
        draw.pick(
            "How many liked both, and what share of all liked exactly one?",
            "Find the number who liked both and the fraction who liked just one of them.",
        ),
        draw.pick(
            "Those who like both are counted twice when the two groups are added.",
            "Take out the people who like neither; the rest must fit into two overlapping circles.",
            "Inclusion-exclusion says that the overlap is what the two groups have too many.",
        ),
        (
            draw.pick("At least one is liked by", "Inside the circles are")
            + f" {everyone} - {neither} = {everyone - neither} people.",
            draw.pick("The two groups add up to", "Adding both counts gives") + f" {in_a} + {in_b} = {in_a + in_b}.",
            draw.pick("The overlap is", "Too many by")
            + f" {in_a + in_b} - {everyone - neither} = {both}, the people who like both.",
            draw.pick("Exactly one is liked by", "Just one of them is liked by")
            + f" {everyone - neither} - {both} = {only_a + only_b} people.",
            draw.pick("As a share this is", "Of all people that is")
            + f" {only_a + only_b} / {everyone} = {show(Fraction(only_a + only_b, everyone))}.",
        ),
        f"The four parts are {only_a}, {only_b}, {both} and {neither}, and {only_a} + {only_b} + {both} +"
        f" {neither} = {everyone} people are accounted for.",
        f"{both} people liked both, and {show(Fraction(only_a + only_b, everyone))} of all liked exactly one.",
    )
