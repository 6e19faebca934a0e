"""What is plausible for money: amounts in any currency, and kilograms per unit of one."""

from worker_service.carbon.declarations import Plausible

# How many units of the smaller currencies are some franc or euro.
_SMALLER = (("cny", 10), ("czk", 25), ("jpy", 100), ("sek", 10))

LARGEST_AMOUNT = (
    "the largest of 8,625 order lines of West Virginia University (2017 to 2021) is 73 million"
)
KG_OF_MONEY = Plausible(
    20,
    "kg per unit of currency",
    "cement, the most intensive of the US EPA's sectors, has some 4 kg per dollar",
    by="currency",
    # A unit of these buys less, so it has less.
    mosts=(("jpy", 1),),
    noun_of="kg per {}",
)


def amount(most: float, because: str, per: str = "") -> Plausible:
    """A bound in francs, euros or dollars, and what it is in smaller currencies."""
    mosts = tuple((currency, units * most) for currency, units in _SMALLER)
    return Plausible(most, "of its currency", because, by="currency", mosts=mosts, per=per)
