"""Worked problems about money: interest, prices, tickets, break-even, depreciation."""

from fractions import Fraction

from demo.problems.wording import Draw, Problem, show


def compound_interest(draw: Draw) -> Problem:
    """Two years of yearly compounding, compared with simple interest."""
    start, rate = draw.number(400, 9800, 100), draw.number(2, 9)
    first = Fraction(start * rate, 100)
    middle = start + first
    second = middle * rate / 100
    end = middle + second
    who = draw.scene("teacher", "carpenter", "bookseller", "florist", "plumber", "beekeeper")
    return Problem(
        "compound interest",
        (
            draw.pick(
                f"{who} put {start} dollars into an account that paid {rate} percent interest at the end of each year.",
                f"{who} opened a savings account with {start} dollars, and the bank added {rate} percent of the"
                " balance every year.",
                f"{who} deposited {start} dollars at a yearly rate of {rate} percent, compounded once a year.",
            ),
            draw.pick(
                "Nothing was taken out for two years.",
                "The money stayed untouched for exactly two years.",
                "No further deposit was made.",
            ),
        ),
        draw.pick(
            "What was the balance after the second year, and how much of it came from interest on interest?",
            "How much money was there after two years, and how much more is that than simple interest would give?",
        ),
        draw.pick(
            "Treat each year separately, because the second year earns interest on a larger balance.",
            "Compute the interest of year one, add it, and repeat the same calculation with the new balance.",
            "Compounding means that interest is added before the following interest is worked out, so go year by year.",
        ),
        (
            f"The first year brings {start} * {rate} / 100 = {show(first)} dollars of interest.",
            draw.pick("The balance becomes", "Added to the deposit this makes", "After one year the account holds")
            + f" {start} + {show(first)} = {show(middle)} dollars.",
            f"The second year brings {show(middle)} * {rate} / 100 = {show(second)} dollars.",
            draw.pick("The final balance is", "So the account ends with", "Adding once more gives")
            + f" {show(middle)} + {show(second)} = {show(end)} dollars.",
            f"Simple interest would pay {show(first)} * 2 = {show(2 * first)} dollars, so {show(second)} -"
            f" {show(first)} = {show(second - first)}"
            " dollars are interest on interest.",
        ),
        f"Interest on the first interest alone is {show(first)} * {rate} / 100 = {show(second - first)} dollars,"
        " which agrees.",
        f"The balance is {show(end)} dollars, of which {show(second - first)} dollars are interest on interest.",
    )


def discount_and_tax(draw: Draw) -> Problem:
    """A price after a discount and a sales tax."""
    price, discount, tax = draw.number(40, 960, 20), draw.number(10, 45, 5), draw.number(4, 12)
    saved = Fraction(price * discount, 100)
    lower = price - saved
    added = lower * tax / 100
    colour, thing = (
        draw.word("colour"),
        draw.pick("bicycle", "tent", "guitar", "sofa", "telescope", "coat", "kayak", "desk", "carpet", "lamp"),
    )
    who = draw.scene("shopper", "student", "nurse", "gardener", "musician", "pensioner")
    return Problem(
        "percentages",
        (
            draw.pick(
                f"{who} wanted to buy a {colour} {thing} with a list price of {price} dollars.",
                f"{who} found a {colour} {thing} that was marked at {price} dollars.",
                f"{who} ordered a {colour} {thing}; the catalogue said {price} dollars.",
            ),
            draw.pick(
                f"The shop took {discount} percent off and then added {tax} percent sales tax to the reduced price.",
                f"A voucher lowered the price by {discount} percent, and a tax of {tax} percent was charged on"
                " what was left.",
                f"There was a discount of {discount} percent, followed at the till by {tax} percent tax.",
            ),
        ),
        draw.pick(
            f"What did the {thing} cost in the end?",
            "How much had to be paid at the till?",
            "What was the amount on the receipt?",
        ),
        draw.pick(
            "The two percentages refer to different amounts, so they must not simply be added.",
            "Work in the order of events: first the discount, then the tax on the reduced price.",
            "Find the reduced price first, since the tax is taken from that and not from the list price.",
        ),
        (
            draw.pick("The discount is worth", "The price falls by", "What is taken off is")
            + f" {price} * {discount} / 100 = {show(saved)} dollars.",
            draw.pick("That leaves", "The reduced price is", "Subtracting gives")
            + f" {price} - {show(saved)} = {show(lower)} dollars.",
            draw.pick("The tax on it is", "The till then adds", "Tax comes to")
            + f" {show(lower)} * {tax} / 100 = {show(added)} dollars.",
            draw.pick("The total is therefore", "Together this makes", "The sum to pay is")
            + f" {show(lower)} + {show(added)} = {show(lower + added)} dollars.",
        ),
        f"With factors, {100 - discount} * {100 + tax} / 10000 ="
        f" {show(Fraction((100 - discount) * (100 + tax), 10000))} of the list price"
        f" remains, and {price} times that factor is {show(lower + added)} dollars.",
        draw.pick("The buyer paid", "The receipt showed", "The final cost was") + f" {show(lower + added)} dollars.",
    )


def tickets(draw: Draw) -> Problem:
    """Two kinds of ticket: a linear system in two unknowns."""
    adults, children = draw.number(23, 180), draw.number(21, 160)
    dear, cheap = draw.number(11, 24), draw.number(3, 9)
    people, money = adults + children, dear * adults + cheap * children
    event = draw.pick(
        "puppet show",
        "concert",
        "village fair",
        "film night",
        "boat trip",
        "science evening",
        "chess final",
        "choir festival",
    )
    who = draw.scene("cashier", "organiser", "treasurer", "steward", "volunteer")
    return Problem(
        "systems of linear equations",
        (
            draw.pick(
                f"{who} sold {people} tickets for a {event} and took {money} dollars.",
                f"{who} counted {people} visitors at a {event}; together they had paid {money} dollars.",
                f"{who} reported {money} dollars from {people} tickets after a {event}.",
            ),
            draw.pick(
                f"An adult ticket cost {dear} dollars and a child ticket {cheap} dollars.",
                f"Adults paid {dear} dollars each, while children paid {cheap} dollars each.",
                f"The price was {dear} dollars for adults and {cheap} dollars for children.",
            ),
        ),
        draw.pick(
            "How many adults and how many children came?",
            "How many tickets of each sort were sold?",
            "Find both numbers of visitors.",
        ),
        draw.pick(
            f"Let a be the adults and c the children, so that a + c is {people} and {dear}a + {cheap}c is {money}.",
            "Two unknowns need two equations: one counts heads, the other counts dollars.",
            "A quick way is to pretend that everybody was a child and to see how much money is missing.",
        ),
        (
            draw.pick("If all had been children, the till would hold", "Child tickets for everybody would bring")
            + f" {people} * {cheap} = {people * cheap} dollars.",
            draw.pick("What is missing is", "The real takings are higher by")
            + f" {money} - {people * cheap} = {money - people * cheap} dollars.",
            draw.pick("Each adult adds", "Every adult instead of a child brings")
            + f" {dear} - {cheap} = {dear - cheap} dollars more.",
            draw.pick("So the adults number", "The number of adults is")
            + f" {money - people * cheap} / {dear - cheap} = {adults}.",
            draw.pick("The children are the rest:", "This leaves for the children")
            + f" {people} - {adults} = {children}.",
        ),
        f"The money fits, since {adults} * {dear} + {children} * {cheap} = {money} dollars.",
        f"There were {adults} adults and {children} children.",
    )


def break_even(draw: Draw) -> Problem:
    """The number of pieces that covers the fixed cost, and the profit of a larger number."""
    margin, pieces, cost = draw.number(3, 18), draw.number(40, 260), draw.number(4, 30)
    fixed, price, sold = margin * pieces, cost + margin, pieces + draw.number(15, 190)
    thing = draw.pick("mug", "calendar", "candle", "scarf", "puzzle", "basket", "notebook", "kite", "poster", "bowl")
    who = draw.scene("potter", "designer", "printer", "weaver", "artist", "craftsman")
    return Problem(
        "break-even analysis",
        draw.shuffled(
            draw.pick(
                f"{who} rented a stall for {fixed} dollars.",
                f"{who} spent {fixed} dollars on tools before selling anything.",
                f"{who} faced fixed costs of {fixed} dollars.",
            )
            + " "
            + draw.pick(
                f"Each {thing} took {cost} dollars of material.",
                f"Making one {thing} cost {cost} dollars.",
                f"The material for a {thing} came to {cost} dollars.",
            ),
            draw.pick(
                f"The price of a {thing} was {price} dollars.",
                f"Customers paid {price} dollars for every {thing}.",
                f"One {thing} sold for {price} dollars.",
            ),
        ),
        draw.pick(
            f"How many had to be sold to cover all costs, and what was the profit from {sold} sales?",
            f"Find the break-even number and the profit if {sold} were sold.",
        ),
        draw.pick(
            "Every sale first pays for its own material; what remains goes towards the fixed costs.",
            "Compute the margin per piece, then ask how many margins add up to the fixed costs.",
            "Separate what is paid once from what is paid per piece.",
        ),
        (
            draw.pick("The margin of a single sale is", "Each sale contributes")
            + f" {price} - {cost} = {margin} dollars.",
            draw.pick("The fixed costs are covered after", "Break-even is reached at")
            + f" {fixed} / {margin} = {pieces} sales.",
            draw.pick("Beyond that point there are", "The sales that earn a profit number")
            + f" {sold} - {pieces} = {sold - pieces}.",
            draw.pick("They bring a profit of", "Their margins add up to")
            + f" {sold - pieces} * {margin} = {(sold - pieces) * margin} dollars.",
        ),
        f"Income minus every cost gives {sold} * {price} - {sold} * {cost} - {fixed} = {(sold - pieces) * margin}"
        " dollars as well.",
        f"Break-even lies at {pieces} pieces, and {sold} pieces earn {(sold - pieces) * margin} dollars.",
    )


def depreciation(draw: Draw) -> Problem:
    """Straight-line depreciation of a machine, and its book value."""
    yearly, years, scrap = draw.number(120, 960, 10), draw.number(5, 14), draw.number(200, 1900, 50)
    price, after = yearly * years + scrap, draw.number(2, 4)
    thing = draw.pick(
        "tractor", "oven", "printing press", "delivery van", "lathe", "sawmill", "freezer", "fishing boat"
    )
    who = draw.scene("farmer", "accountant", "miller", "workshop owner", "dairy manager")
    return Problem(
        "straight-line depreciation",
        (
            draw.pick(
                f"{who} bought a {thing} for {price} dollars.",
                f"{who} entered a {thing} in the books at {price} dollars.",
            ),
            draw.pick(
                f"It was expected to last {years} years and to fetch {scrap} dollars as scrap.",
                f"After {years} years of use its scrap value would be {scrap} dollars.",
                f"The plan was to use it for {years} years and then to sell it for {scrap} dollars.",
            ),
        ),
        draw.pick(
            f"What was its book value after {after} years?", f"How much was it worth on paper {after} years later?"
        ),
        draw.pick(
            "In the straight-line method the same amount is written off every year.",
            "Spread the loss of value evenly over the years of use.",
            "Only the part of the price that is lost gets divided by the years, not the whole price.",
        ),
        (
            draw.pick("The total loss of value is", "Over its life the machine loses")
            + f" {price} - {scrap} = {price - scrap} dollars.",
            draw.pick("Each year takes", "Divided evenly this is") + f" {price - scrap} / {years} = {yearly} dollars.",
            draw.pick("By the asked date", "Up to the moment in question")
            + f" {yearly} * {after} = {yearly * after} dollars have been written off.",
            draw.pick("The books then show", "What remains is")
            + f" {price} - {yearly * after} = {price - yearly * after} dollars.",
        ),
        f"Counting back from the scrap value gives {scrap} + {years - after} * {yearly} ="
        f" {price - yearly * after} dollars, the same figure.",
        f"The book value was {price - yearly * after} dollars.",
    )
