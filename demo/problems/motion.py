"""Worked problems about motion and rates: meeting trains, currents, braking, joint work, tanks."""

from fractions import Fraction

from demo.problems.wording import Draw, Problem, show


def meeting(draw: Draw) -> Problem:
    """Two vehicles drive towards each other."""
    fast, slow, hours = draw.number(62, 118), draw.number(34, 60), draw.number(2, 7)
    road = (fast + slow) * hours
    first, second = draw.pick("train", "coach", "lorry", "van"), draw.pick("tram", "car", "motorcycle", "bus")
    who = draw.scene("dispatcher", "signal keeper", "traffic planner", "driver")
    return Problem(
        "relative speed",
        (
            draw.pick(
                f"{who} watched a {first} and a {second} set off at the same moment from two stations {road}"
                " kilometres apart.",
                f"{who} noted that two stations lay {road} kilometres apart, and that a {first} and a {second}"
                " left them together, heading for each other.",
                f"{who} studied a route of {road} kilometres on which a {first} and a {second} started from"
                " opposite ends at noon.",
            ),
            *draw.shuffled(
                draw.pick(
                    f"The {first} kept a speed of {fast} kilometres per hour.",
                    f"Every hour the {first} covered {fast} kilometres.",
                ),
                draw.pick(
                    f"The {second} moved at {slow} kilometres per hour.",
                    f"In an hour the {second} managed {slow} kilometres.",
                ),
            ),
        ),
        draw.pick(
            "After how many hours did they meet, and where?",
            "When did they pass each other, and how far had each one come?",
        ),
        draw.pick(
            "Both shorten the gap, so their speeds add up to the speed at which the gap closes.",
            "Look at the distance between them rather than at the two trips.",
            "Since they approach each other, the closing speed is the sum of both speeds.",
        ),
        (
            draw.pick("The gap closes at", "Together they cover")
            + f" {fast} + {slow} = {fast + slow} kilometres each hour.",
            draw.pick("The meeting takes place after", "The whole gap is gone after")
            + f" {road} / {fast + slow} = {hours} hours.",
            f"By then the {first} has travelled {fast} * {hours} = {fast * hours} kilometres.",
            f"The {second} has travelled {slow} * {hours} = {slow * hours} kilometres.",
        ),
        f"Both trips must fill the route, and {fast * hours} + {slow * hours} = {road} kilometres does so.",
        f"They met after {hours} hours, {fast * hours} kilometres from where the {first} started.",
    )


def river(draw: Draw) -> Problem:
    """A boat goes up and down a river."""
    still, current = draw.number(11, 26), draw.number(2, 9)
    down, up = still + current, still - current
    hours = draw.number(2, 6)
    there, back = down * hours, Fraction(down * hours, up)
    boat = draw.pick("barge", "rowing boat", "ferry", "launch", "canoe", "steamer")
    who = draw.scene("skipper", "fisherman", "ranger", "pilot", "merchant")
    return Problem(
        "speeds on a river",
        (
            draw.pick(
                f"{who} took a {boat} downstream to a mill {there} kilometres away.",
                f"{who} steered a {boat} {there} kilometres down a river.",
            ),
            *draw.shuffled(
                draw.pick(
                    f"In still water the {boat} made {still} kilometres per hour.",
                    f"Without current its speed was {still} kilometres per hour.",
                ),
                draw.pick(
                    f"The current ran at {current} kilometres per hour.",
                    f"The river itself flowed at {current} kilometres per hour.",
                ),
            ),
        ),
        draw.pick(
            "How long did the way there and the way back take?",
            "What were the times for the trip downstream and for the return?",
        ),
        draw.pick(
            "The current helps in one direction and hinders in the other, so there are two speeds over ground.",
            "Add the current to the speed going down, and subtract it coming back.",
            "Time is distance divided by speed over ground, which differs between the two directions.",
        ),
        (
            draw.pick("Downstream the speed is", "With the current the speed over ground is")
            + f" {still} + {current} = {down} kilometres per hour.",
            draw.pick("The way there lasts", "Going down takes") + f" {there} / {down} = {hours} hours.",
            draw.pick("Upstream only", "Against the current")
            + f" {still} - {current} = {up} kilometres per hour remain.",
            draw.pick("The return lasts", "Coming home takes") + f" {there} / {up} = {show(back)} hours.",
        ),
        f"The return must be slower, and indeed {show(back)} - {hours} = {show(back - hours)} hours is positive.",
        f"The trip took {hours} hours down and {show(back)} hours back up.",
    )


def braking(draw: Draw) -> Problem:
    """Uniform acceleration, then a braking distance."""
    gain, seconds, brake = draw.number(2, 6), draw.number(4, 15), draw.number(2, 8)
    top = gain * seconds
    run, stop = Fraction(gain * seconds**2, 2), Fraction(top**2, 2 * brake)
    vehicle = draw.pick("tram", "motorcycle", "sledge", "go-kart", "racing car", "scooter", "rail cart")
    who = draw.scene("engineer", "mechanic", "physics teacher", "test driver", "inspector")
    return Problem(
        "uniform acceleration",
        (
            draw.pick(
                f"{who} tested a {vehicle} that started from rest and gained {gain} metres per second in every second.",
                f"{who} let a {vehicle} accelerate from a standstill at {gain} metres per second squared.",
                f"{who} recorded a {vehicle} whose speed rose evenly from zero by {gain} metres per second each"
                " second.",
            ),
            draw.pick(
                f"After {seconds} seconds the brakes took over and slowed it by {brake} metres per second squared.",
                f"This lasted {seconds} seconds; then it braked evenly at {brake} metres per second squared.",
            ),
        ),
        draw.pick("How far did it travel in all before it stopped?", "What was the whole distance from start to stop?"),
        draw.pick(
            "Split the ride into speeding up and slowing down, linked by the top speed.",
            "The top speed belongs to both parts, so it comes first.",
            "Use half of acceleration times time squared for the first part and speed squared over twice the"
            " braking for the second.",
        ),
        (
            draw.pick("The top speed is", "Its speed at the end of the first part is")
            + f" {gain} * {seconds} = {top} metres per second.",
            draw.pick("While speeding up it covers", "The first part is")
            + f" {gain} * {seconds}^2 / 2 = {show(run)} metres long.",
            draw.pick("While braking it covers", "The second part is")
            + f" {top}^2 / (2 * {brake}) = {show(stop)} metres long.",
            draw.pick("Both together are", "The sum is") + f" {show(run)} + {show(stop)} = {show(run + stop)} metres.",
        ),
        f"The mean speed of the first part is half of the top speed, and {top} * {seconds} / 2 = {show(run)}"
        " metres confirms it.",
        f"The {vehicle} covered {show(run + stop)} metres.",
    )


def joint_work(draw: Draw) -> Problem:
    """Two work together on a job."""
    first = draw.number(3, 19)
    second = first + draw.number(1, 17)
    rate = Fraction(1, first) + Fraction(1, second)
    job = draw.pick(
        "paint a fence",
        "weed a field",
        "pack the boxes",
        "mow a meadow",
        "clean a hall",
        "stack the firewood",
        "sort the letters",
    )
    who = draw.scene("foreman", "caretaker", "estate manager", "team leader")
    return Problem(
        "joint work rates",
        (
            draw.pick(f"{who} had two helpers who were to {job}.", f"{who} asked two helpers to {job}."),
            *draw.shuffled(
                draw.pick(
                    f"Alone, the older helper needed {first} hours for it.",
                    f"The older helper would have finished alone in {first} hours.",
                ),
                draw.pick(
                    f"The newer helper, working alone, needed {second} hours.",
                    f"The newer helper would have taken {second} hours without company.",
                ),
            ),
        ),
        draw.pick("How long did they need together?", "How many hours did the job take when both worked side by side?"),
        draw.pick(
            "Times cannot be added, but the share of the job done per hour can.",
            "Turn both times into rates, add the rates, and turn the sum back into a time.",
            "Think of the job as one whole and ask what part of it is done in a single hour.",
        ),
        (
            draw.pick("In an hour the older helper does", "The rate of the older helper is")
            + f" 1/{first} of the job.",
            draw.pick("In an hour the newer helper does", "The rate of the newer helper is")
            + f" 1/{second} of the job.",
            draw.pick("Together they do", "Side by side they manage")
            + f" 1/{first} + 1/{second} = {show(rate)} of the job per hour.",
            draw.pick("The time is one divided by this rate:", "One whole job at that rate takes")
            + f" ({first} * {second}) / ({first} + {second}) = {show(1 / rate)} hours.",
        ),
        f"In {show(1 / rate)} hours the older helper does {show(1 / rate / first)} and the newer one"
        f" {show(1 / rate / second)} of the job;"
        f" the sum is {show(1 / rate / first)} + {show(1 / rate / second)} = 1 whole job.",
        f"They needed {show(1 / rate)} hours together.",
    )


def tank(draw: Draw) -> Problem:
    """A box-shaped tank is filled while it leaks."""
    length, width, depth = draw.number(4, 15), draw.number(3, 12), draw.number(5, 20)
    inflow, leak = draw.number(21, 60), draw.number(2, 12)
    litres = length * width * depth
    minutes = Fraction(litres, inflow - leak)
    tub = draw.pick("trough", "cistern", "aquarium", "basin", "water tank", "fish pond")
    who = draw.scene("gardener", "zookeeper", "caretaker", "stable hand", "plumber")
    return Problem(
        "filling times",
        (
            draw.pick(
                f"{who} filled a box-shaped {tub} that measured {length} by {width} by {depth} decimetres.",
                f"{who} had a rectangular {tub}, {length} decimetres long, {width} decimetres wide and {depth}"
                " decimetres deep, and it was dry.",
            ),
            *draw.shuffled(
                draw.pick(
                    f"The hose delivered {inflow} litres per minute.",
                    f"Through the hose came {inflow} litres every minute.",
                ),
                draw.pick(
                    f"A crack let {leak} litres per minute escape.",
                    f"At the same time {leak} litres per minute were lost through a leak.",
                ),
            ),
        ),
        draw.pick(f"How many minutes passed until the {tub} was full?", "When was it full to the rim?"),
        draw.pick(
            "A cubic decimetre is a litre, so the volume in litres is the product of the three edges.",
            "Only the difference between what flows in and what leaks out raises the water.",
            "Find the volume, find the net flow, and divide.",
        ),
        (
            draw.pick("The volume is", "The edges multiply to") + f" {length} * {width} * {depth} = {litres} litres.",
            draw.pick("The net gain is", "Each minute the water grows by")
            + f" {inflow} - {leak} = {inflow - leak} litres.",
            draw.pick("The time needed is", "Dividing the two gives")
            + f" {litres} / {inflow - leak} = {show(minutes)} minutes.",
            draw.pick("Without the leak it would have been", "A sound vessel would have needed")
            + f" {litres} / {inflow} = {show(Fraction(litres, inflow))} minutes.",
        ),
        f"In that time {show(minutes)} * {inflow} = {show(minutes * inflow)} litres came in and {show(minutes)} *"
        f" {leak} = {show(minutes * leak)}"
        f" litres were lost, which leaves {litres} litres.",
        f"The {tub} was full after {show(minutes)} minutes.",
    )
