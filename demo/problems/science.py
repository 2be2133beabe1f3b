"""Worked problems from the laboratory and the kitchen: mixtures, density, circuits, heat, conversions."""

from fractions import Fraction

from demo.problems.wording import Draw, Problem, show


def mixture(draw: Draw) -> Problem:
    """Two solutions are mixed to a target strength."""
    weak, strong = draw.number(5, 25), draw.number(45, 90)
    parts_weak, parts_strong, unit = draw.number(1, 6), draw.number(1, 6), draw.number(3, 40)
    low, high = parts_weak * unit, parts_strong * unit
    salt = Fraction(low * weak + high * strong, 100)
    strength = salt * 100 / (low + high)
    stuff = draw.pick("salt", "sugar", "alcohol", "vinegar", "fertiliser", "dye", "antifreeze", "disinfectant")
    who = draw.scene("chemist", "pharmacist", "lab technician", "confectioner", "brewer")
    return Problem(
        "mixtures",
        (
            draw.pick(
                f"{who} poured two {stuff} solutions together.",
                f"{who} combined a weak and a strong {stuff} solution in one vessel.",
            ),
            *draw.shuffled(
                draw.pick(
                    f"The weak one, {low} litres of it, contained {weak} percent {stuff}.",
                    f"There were {low} litres at a strength of {weak} percent.",
                ),
                draw.pick(
                    f"The strong one, {high} litres of it, contained {strong} percent.",
                    f"Another {high} litres had a strength of {strong} percent.",
                ),
            ),
        ),
        draw.pick(
            f"What is the strength of the mixture, and how much pure {stuff} does it contain?",
            f"How much {stuff} is in the mixture, and what percentage is that?",
        ),
        draw.pick(
            f"Follow the pure {stuff}: none of it is lost when liquids are combined.",
            "Percentages cannot be averaged blindly, since the volumes differ.",
            "Add up the dissolved amounts and divide by the whole volume.",
        ),
        (
            draw.pick("The weak solution brings", "From the weaker liquid come")
            + f" {low} * {weak} / 100 = {show(Fraction(low * weak, 100))} litres.",
            draw.pick("The strong solution brings", "From the stronger liquid come")
            + f" {high} * {strong} / 100 = {show(Fraction(high * strong, 100))} litres.",
            draw.pick("The pure part adds up to", "Together this is")
            + f" {show(Fraction(low * weak, 100))} + {show(Fraction(high * strong, 100))} = {show(salt)} litres.",
            draw.pick("The whole volume is", "The vessel now holds") + f" {low} + {high} = {low + high} litres.",
            draw.pick("The strength in percent is", "As a percentage this gives")
            + f" {show(salt)} * 100 / {low + high} = {show(strength)}.",
        ),
        f"The result must lie between {weak} and {strong}; moreover {show(strength)} * {low + high} / 100 ="
        f" {show(salt)} litres comes back.",
        f"The mixture contains {show(salt)} litres of pure {stuff}, a strength of {show(strength)} percent.",
    )


def density(draw: Draw) -> Problem:
    """Mass, volume and a float test."""
    length, width, height = draw.number(2, 12), draw.number(2, 11), draw.number(2, 15)
    per_litre = draw.number(3, 38) * 50
    volume = length * width * height
    mass = volume * per_litre
    floats = per_litre < 1000
    block = draw.pick("block", "crate", "slab", "casket", "bar", "buoy", "ingot")
    who = draw.scene("sculptor", "diver", "harbour master", "shipbuilder", "science teacher")
    return Problem(
        "density",
        (
            draw.pick(
                f"{who} examined a solid {block} with edges of {length}, {width} and {height} decimetres.",
                f"{who} measured a {block} shaped like a box: {length} by {width} by {height} decimetres.",
            ),
            draw.pick(
                f"A cubic decimetre of its material weighed {per_litre} grams.",
                f"The material had a mass of {per_litre} grams per cubic decimetre.",
            ),
        ),
        draw.pick(
            "How heavy was it in kilograms, and would it float on water?",
            "What was its mass in kilograms, and did it sink in a lake?",
        ),
        draw.pick(
            "Mass is volume times density; a body floats if it is lighter than the water of the same volume.",
            "Find the volume first, then the mass, and compare with water, which weighs 1000 grams per cubic"
            " decimetre.",
            "Only the density decides about floating, while the mass needs the volume too.",
        ),
        (
            draw.pick("The volume is", "The three edges multiply to")
            + f" {length} * {width} * {height} = {volume} cubic decimetres.",
            draw.pick("The mass is", "Multiplied by the density this is") + f" {volume} * {per_litre} = {mass} grams.",
            draw.pick("In kilograms it is", "Divided by 1000 this gives")
            + f" {mass} / 1000 = {show(Fraction(mass, 1000))}.",
            draw.pick("Water of that volume weighs", "The same volume of water has a mass of")
            + f" {volume} * 1000 = {volume * 1000} grams.",
            f"Since {per_litre} is {'less' if floats else 'not less'} than 1000, the {block}"
            f" {'floats' if floats else 'does not float'}.",
        ),
        f"Relative to water the density is {per_litre} / 1000 = {show(Fraction(per_litre, 1000))}, which settles"
        " the second question.",
        f"The mass is {show(Fraction(mass, 1000))} kilograms, and the {block}"
        f" {'floats' if floats else 'does not float'}.",
    )


def resistors(draw: Draw) -> Problem:
    """Two resistors in parallel and one in series."""
    first, second, series, current = draw.number(3, 36), draw.number(4, 45), draw.number(2, 30), draw.number(2, 9)
    parallel = Fraction(first * second, first + second)
    whole = parallel + series
    device = draw.pick("radio", "amplifier", "heater", "model railway", "doorbell", "toaster", "charger")
    who = draw.scene("electrician", "hobbyist", "apprentice", "technician", "physics student")
    return Problem(
        "electric circuits",
        (
            draw.pick(
                f"{who} repaired a {device} and found three resistors in it.",
                f"{who} drew the circuit of a {device} with three resistors.",
            ),
            draw.pick(
                f"Two of them, {first} ohms and {second} ohms, were connected in parallel.",
                f"A resistor of {first} ohms lay parallel to one of {second} ohms.",
            ),
            draw.pick(
                f"The third, {series} ohms, followed in series.", f"Behind this pair came {series} ohms in series."
            ),
        ),
        draw.pick(
            f"What is the total resistance, and what voltage drives {current} amperes through it?",
            f"Find the resistance of the whole and the voltage for a current of {current} amperes.",
        ),
        draw.pick(
            "Replace the parallel pair by a single resistor, then add the one in series.",
            "For two in parallel, take the product over the sum; for series, add.",
            "Simplify the circuit from the inside, and use voltage equals resistance times current at the end.",
        ),
        (
            draw.pick("The product of the parallel pair is", "Multiplying the pair gives")
            + f" {first} * {second} = {first * second}.",
            draw.pick("Their sum is", "Adding the pair gives") + f" {first} + {second} = {first + second}.",
            draw.pick("The pair acts like", "Product over sum is")
            + f" {first * second} / {first + second} = {show(parallel)} ohms.",
            draw.pick("With the third one this is", "In series it becomes")
            + f" {show(parallel)} + {series} = {show(whole)} ohms.",
            draw.pick("The voltage is", "The source must supply")
            + f" {show(whole)} * {current} = {show(whole * current)} volts.",
        ),
        f"A parallel pair must have less resistance than its smaller member, and {show(parallel)} is indeed below"
        f" {min(first, second)}.",
        f"The resistance is {show(whole)} ohms and the voltage {show(whole * current)} volts.",
    )


def warm_water(draw: Draw) -> Problem:
    """Hot and cold water are mixed."""
    cold, hot = draw.number(4, 22), draw.number(55, 96)
    litres_cold, litres_hot = draw.number(3, 40), draw.number(2, 35)
    units = litres_cold * cold + litres_hot * hot
    end = Fraction(units, litres_cold + litres_hot)
    bath = draw.pick("tub", "footbath", "washing trough", "baby bath", "dye vat", "paddling pool", "brewing kettle")
    who = draw.scene("nurse", "laundry worker", "brewer", "midwife", "bath attendant")
    return Problem(
        "mixing temperatures",
        (
            draw.pick(
                f"{who} prepared a {bath} from hot and cold water.",
                f"{who} let hot water run into a {bath} that already held cold water.",
            ),
            *draw.shuffled(
                draw.pick(
                    f"There were {litres_cold} litres at {cold} degrees.",
                    f"The cold part was {litres_cold} litres with a temperature of {cold} degrees.",
                ),
                draw.pick(
                    f"The hot part was {litres_hot} litres at {hot} degrees.",
                    f"Hot water came to {litres_hot} litres, at {hot} degrees.",
                ),
            ),
            draw.pick("Heat lost to the air may be ignored.", "No heat was lost on the way."),
        ),
        draw.pick("What temperature did the mixture have?", "How warm was the water in the end?"),
        draw.pick(
            "What the hot water gives away, the cold water takes up, so litres times degrees can be added.",
            "The final temperature is an average, weighted with the litres.",
            "Keep a balance of litre-degrees, a simple measure of the heat stored above zero.",
        ),
        (
            draw.pick("The cold part holds", "For the cold water count")
            + f" {litres_cold} * {cold} = {litres_cold * cold} litre-degrees.",
            draw.pick("The hot part holds", "For the hot water count")
            + f" {litres_hot} * {hot} = {litres_hot * hot} litre-degrees.",
            draw.pick("The balance is", "Together that is")
            + f" {litres_cold * cold} + {litres_hot * hot} = {units} litre-degrees.",
            draw.pick("The volume is", "These are spread over")
            + f" {litres_cold} + {litres_hot} = {litres_cold + litres_hot} litres.",
            draw.pick("The temperature is", "Dividing gives")
            + f" {units} / {litres_cold + litres_hot} = {show(end)} degrees.",
        ),
        f"The cold water rose by {show(end)} - {cold} = {show(end - cold)} degrees and the hot water fell by"
        f" {hot} - {show(end)} = {show(hot - end)};"
        f" both exchange {show((end - cold) * litres_cold)} litre-degrees.",
        f"The mixture had {show(end)} degrees.",
    )


def fuel(draw: Draw) -> Problem:
    """Conversion of units along a journey: miles, litres, money."""
    miles, per_hundred, price = draw.number(4, 60) * 25, draw.number(4, 13), draw.number(110, 215)
    kilometres = Fraction(miles * 16, 10)
    litres = kilometres * per_hundred / 100
    cents = litres * price
    car = draw.pick("van", "camper", "pickup", "hatchback", "minibus", "sports car", "taxi")
    who = draw.scene("driver", "courier", "violinist", "photographer", "salesman", "touring actor")
    return Problem(
        "unit conversion",
        (
            draw.pick(
                f"{who} planned a journey of {miles} miles with a {car}.",
                f"{who} had to drive a {car} over a distance of {miles} miles.",
            ),
            *draw.shuffled(
                draw.pick(
                    f"The {car} burned {per_hundred} litres per 100 kilometres.",
                    f"Its fuel use was {per_hundred} litres for every 100 kilometres.",
                ),
                draw.pick(f"A litre cost {price} cents.", f"At the pump a litre was sold for {price} cents."),
                draw.pick(
                    "A mile was taken as 1.6 kilometres.",
                    "For the conversion, 1.6 kilometres per mile is accurate enough.",
                ),
            ),
        ),
        draw.pick(
            "How many litres were needed, and what did they cost in dollars?",
            "Find the amount of fuel and its price in dollars.",
        ),
        draw.pick(
            "Chain the conversions: miles to kilometres, kilometres to litres, litres to money.",
            "Change one unit at a time and write each intermediate unit down.",
            "Every conversion is a multiplication by a rate, so the only risk lies in mixing up units.",
        ),
        (
            draw.pick("The distance in kilometres is", "In kilometres this makes")
            + f" {miles} * 1.6 = {show(kilometres)}.",
            draw.pick("In hundreds of kilometres that is", "Measured in stretches of 100 kilometres it is")
            + f" {show(kilometres)} / 100 = {show(kilometres / 100)}.",
            draw.pick("The fuel needed is", "Each stretch needs the given amount, in all")
            + f" {show(kilometres / 100)} * {per_hundred} = {show(litres)} litres.",
            draw.pick("It costs", "The price is") + f" {show(litres)} * {price} = {show(cents)} cents.",
            draw.pick("In dollars this is", "Divided by 100 this is") + f" {show(cents)} / 100 = {show(cents / 100)}.",
        ),
        f"Per mile the cost is {show(cents)} / {miles} = {show(cents / miles)} cents, and 1.6 * {per_hundred} *"
        f" {price} / 100 = {show(cents / miles)} agrees.",
        f"The journey took {show(litres)} litres for {show(cents / 100)} dollars.",
    )
