"""Worked problems about shapes: a bordered garden, a ladder, a diagonal walk, a cylinder, a map scale."""

from fractions import Fraction

from demo.problems.wording import Draw, Problem, show

TRIPLES = ((3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25), (20, 21, 29), (12, 35, 37), (9, 40, 41), (28, 45, 53))


def border(draw: Draw) -> Problem:
    """A path of even width around a rectangle."""
    length, width, path, price = draw.number(12, 60), draw.number(7, 40), draw.number(1, 4), draw.number(6, 28)
    outer_length, outer_width = length + 2 * path, width + 2 * path
    inner, outer = length * width, outer_length * outer_width
    plot = draw.pick("garden", "lawn", "pool", "rose bed", "playground", "fountain court", "herb bed")
    who = draw.scene("gardener", "mason", "landscaper", "caretaker", "builder")
    return Problem(
        "areas with a border",
        (
            draw.pick(
                f"{who} laid a path {path} metres wide all the way around a rectangular {plot}.",
                f"{who} planned a gravel path of width {path} metres around the outside of a rectangular {plot}.",
            ),
            draw.pick(
                f"The {plot} measured {length} by {width} metres.",
                f"Its sides were {length} metres and {width} metres long, without the path.",
            ),
            draw.pick(
                f"Gravel cost {price} dollars per square metre.", f"Every square metre of path cost {price} dollars."
            ),
        ),
        draw.pick(
            "What was the area of the path, and what did it cost?",
            "How many square metres did the path have, and how much was the bill?",
        ),
        draw.pick(
            "Subtract the inner rectangle from the outer one; this avoids trouble in the corners.",
            "The path is what the large rectangle has more than the small one.",
            "Remember that the border lies on both sides, so each side grows by twice the width of the path.",
        ),
        (
            draw.pick("The outer length is", "Lengthwise the outside measures")
            + f" {length} + 2 * {path} = {outer_length} metres.",
            draw.pick("The outer width is", "Across it measures") + f" {width} + 2 * {path} = {outer_width} metres.",
            draw.pick("The outer rectangle covers", "The large area is")
            + f" {outer_length} * {outer_width} = {outer} square metres.",
            draw.pick("The inner one covers", "The small area is") + f" {length} * {width} = {inner} square metres.",
            f"The path has {outer} - {inner} = {outer - inner} square metres and costs {outer - inner} * {price}"
            f" = {(outer - inner) * price} dollars.",
        ),
        f"Cut into strips, the path is 2 * {outer_length} * {path} + 2 * {width} * {path} = {outer - inner}"
        " square metres.",
        f"The path measures {outer - inner} square metres and costs {(outer - inner) * price} dollars.",
    )


def ladder(draw: Draw) -> Problem:
    """A ladder slides: the theorem of Pythagoras used twice."""
    (a, b, c), scale = TRIPLES[draw.number(0, len(TRIPLES) - 1)], draw.number(2, 30)
    foot, height, length = a * scale, b * scale, c * scale
    tool = draw.pick("ladder", "beam", "plank", "pole", "ramp", "mast")
    who = draw.scene("roofer", "painter", "window cleaner", "firefighter", "electrician")
    return Problem(
        "the theorem of Pythagoras",
        (
            draw.pick(
                f"{who} leaned a {tool} that was {length} centimetres long against a vertical wall.",
                f"{who} put a {tool} of {length} centimetres against the straight wall of a barn.",
                f"{who} rested the top of a {tool} on a wall; the {tool} was {length} centimetres long.",
            ),
            draw.pick(
                f"Its foot stood {foot} centimetres from the wall on level ground.",
                f"On the flat ground the lower end was {foot} centimetres away from the wall.",
            ),
        ),
        draw.pick(
            "How high did it reach, and how large was the triangle that it formed with wall and ground?",
            "At what height did it touch the wall, and what area lay beneath it?",
        ),
        draw.pick(
            "Wall, ground and the leaning piece form a right triangle whose longest side is known.",
            "The right angle lies between wall and ground, so the squares of those two sides add up to the"
            " square of the third.",
            "Two sides of a right triangle are given, and the missing one is a leg.",
        ),
        (
            draw.pick("The square of the longest side is", "Squaring the length gives") + f" {length}^2 = {length**2}.",
            draw.pick("The square of the distance on the ground is", "Squaring the known leg gives")
            + f" {foot}^2 = {foot**2}.",
            draw.pick("Their difference is", "The square of the height is therefore")
            + f" {length**2} - {foot**2} = {height**2}.",
            f"The number whose square is {height**2} is {height}, so the height is {height} centimetres.",
            draw.pick("The area is half of base times height:", "The triangle has an area of")
            + f" {foot} * {height} / 2 = {show(Fraction(foot * height, 2))} square centimetres.",
        ),
        f"Going backwards, {foot}^2 + {height}^2 = {length**2}, which is the square of {length}.",
        f"It reached {height} centimetres high, above an area of {show(Fraction(foot * height, 2))} square"
        " centimetres.",
    )


def shortcut(draw: Draw) -> Problem:
    """Across a rectangular field instead of around it."""
    (a, b, c), scale = TRIPLES[draw.number(0, len(TRIPLES) - 1)], draw.number(4, 45)
    east, north, across, pace = a * scale, b * scale, c * scale, draw.number(40, 95)
    field = draw.pick("field", "square", "meadow", "car park", "frozen lake", "sports ground", "vineyard")
    who = draw.scene("postman", "jogger", "shepherd", "schoolgirl", "hiker")
    saved = east + north - across
    return Problem(
        "right triangles",
        (
            draw.pick(
                f"{who} had to get to the opposite corner of a rectangular {field}.",
                f"{who} wanted to reach the far corner of a rectangular {field}.",
            ),
            draw.pick(
                f"The {field} stretched {east} metres to the east and {north} metres to the north.",
                f"Its sides were {east} metres and {north} metres.",
            ),
            draw.pick(
                f"The walking pace was {pace} metres per minute.", f"Every minute of walking covered {pace} metres."
            ),
        ),
        draw.pick(
            "How many metres and how many minutes did the straight line save?",
            "What was gained, in metres and in minutes, by going straight across?",
        ),
        draw.pick(
            "The straight line is the diagonal, so compare it with two sides.",
            "Find the length of both routes, then turn the difference into time.",
            "The diagonal of a rectangle is the longest side of a right triangle.",
        ),
        (
            draw.pick("Along the edges the way is", "Going around means")
            + f" {east} + {north} = {east + north} metres.",
            draw.pick("The square of the diagonal is", "For the diagonal, add the squares:")
            + f" {east}^2 + {north}^2 = {across**2}.",
            f"Since {across}^2 = {across**2}, the diagonal is {across} metres long.",
            draw.pick("The straight line saves", "The difference is") + f" {east + north} - {across} = {saved} metres.",
            draw.pick("In time this is", "At the given pace that means")
            + f" {saved} / {pace} = {show(Fraction(saved, pace))} minutes.",
        ),
        f"A straight line must be longer than either side and shorter than both together: {across} lies between"
        f" {max(east, north)} and {east + north}.",
        f"Going straight saved {saved} metres, or {show(Fraction(saved, pace))} minutes.",
    )


def cylinder(draw: Draw) -> Problem:
    """Volume of a cylinder with 22/7 for pi, shared out into cups."""
    radius, height, cup = 7 * draw.number(1, 4), draw.number(8, 60), draw.number(2, 9) * 11
    base = 22 * radius * radius // 7
    volume = base * height
    full, rest = divmod(volume, cup)
    pot = draw.pick("saucepan", "churn", "barrel", "jar", "bucket", "kettle", "milk can")
    drink = draw.pick("soup", "juice", "cider", "cocoa", "lemonade", "syrup", "broth")
    who = draw.scene("cook", "brewer", "camp leader", "canteen worker", "dairy farmer")
    return Problem(
        "volumes of cylinders",
        (
            draw.pick(
                f"{who} filled a cylindrical {pot} to the brim with {drink}.",
                f"{who} made so much {drink} that it filled a whole cylindrical {pot}.",
            ),
            *draw.shuffled(
                draw.pick(
                    f"Its inner radius was {radius} centimetres.", f"Inside, the radius measured {radius} centimetres."
                ),
                draw.pick(f"It was {height} centimetres deep.", f"The depth was {height} centimetres."),
                draw.pick(
                    f"Each cup held {cup} cubic centimetres.",
                    f"The {drink} was poured into cups of {cup} cubic centimetres.",
                ),
            ),
        ),
        draw.pick(
            "With 22/7 for pi, how many cups could be filled, and how much was left?",
            "Taking pi as 22/7, find the number of full cups and the remainder.",
        ),
        draw.pick(
            "The volume of a cylinder is the area of its base times its height.",
            "First the circle at the bottom, then the volume, then a division with remainder.",
            "Because 7 divides the radius, the fraction 22/7 cancels and whole numbers remain.",
        ),
        (
            draw.pick("The radius squared is", "Squaring the radius gives") + f" {radius}^2 = {radius**2}.",
            draw.pick("The base has an area of", "The circle at the bottom measures")
            + f" 22 * {radius**2} / 7 = {base} square centimetres.",
            draw.pick("The volume is", "Multiplied by the depth this makes")
            + f" {base} * {height} = {volume} cubic centimetres.",
            draw.pick("The full cups take", "What goes into full cups is")
            + f" {full} * {cup} = {full * cup} cubic centimetres.",
            draw.pick("Left in the bottom are", "The remainder is")
            + f" {volume} - {full * cup} = {rest} cubic centimetres.",
        ),
        f"The remainder of {rest} is smaller than a cup of {cup}, and {full} * {cup} + {rest} = {volume} restores"
        " the volume.",
        f"There were {full} full cups, and {rest} cubic centimetres of {drink} remained.",
    )


def map_scale(draw: Draw) -> Problem:
    """Lengths and areas on a map."""
    scale, first, second = draw.number(2, 16) * 50, draw.number(3, 28), draw.number(2, 21)
    a, b = Fraction(first * scale, 1), Fraction(second * scale, 1)
    hectares = a * b / 10000
    land = draw.pick("forest", "orchard", "pasture", "estate", "marsh", "nature reserve", "quarry")
    who = draw.scene("surveyor", "forester", "cartographer", "clerk", "geography teacher")
    return Problem(
        "scale and area",
        (
            draw.pick(
                f"{who} measured a rectangular {land} on a map.",
                f"{who} found a {land} of rectangular shape on an old map.",
            ),
            draw.pick(
                f"On paper it was {first} centimetres long and {second} centimetres wide.",
                f"The drawing measured {first} by {second} centimetres.",
            ),
            draw.pick(
                f"One centimetre stood for {scale} metres.",
                f"The legend said that a centimetre is {scale} metres in reality.",
            ),
        ),
        draw.pick(
            f"How many hectares did the {land} cover, and how long was the fence around it?",
            "What were its area in hectares and its perimeter in metres?",
        ),
        draw.pick(
            "Convert both lengths before multiplying, because areas do not scale like lengths.",
            "Turn each side into metres first; a hectare is 10000 square metres.",
            "It is safest to leave the paper at once and to work with real metres only.",
        ),
        (
            draw.pick("The real length is", "The longer measurement becomes")
            + f" {first} * {scale} = {show(a)} metres.",
            draw.pick("The real width is", "The other side becomes") + f" {second} * {scale} = {show(b)} metres.",
            draw.pick("The area is", "Multiplied they give") + f" {show(a)} * {show(b)} = {show(a * b)} square metres.",
            draw.pick("In hectares this is", "Divided by 10000 that is")
            + f" {show(a * b)} / 10000 = {show(hectares)}.",
            draw.pick("The perimeter is", "A fence around it would measure")
            + f" 2 * ({show(a)} + {show(b)}) = {show(2 * (a + b))} metres.",
        ),
        f"On paper the area is {first} * {second} = {first * second} square centimetres, each worth {scale} *"
        f" {scale} = {scale**2} square metres;"
        f" the product {first * second} * {scale**2} = {show(a * b)} is the same.",
        f"It covered {show(hectares)} hectares inside a perimeter of {show(2 * (a + b))} metres.",
    )
