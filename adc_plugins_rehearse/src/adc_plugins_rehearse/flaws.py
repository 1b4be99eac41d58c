"""What is wrong with the garments that a search finds, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adc_core import InputError
from adc_plugins_rehearse.conditions import CONDITIONS, Condition

LOOKALIKES: Mapping[str, Mapping[str, int]] = {
    "sweater": {"knitwear": 4, "hoodie": 2, "shirt": 1, "vest": 1},
    "knitwear": {"sweater": 4, "jacket": 2, "vest": 1, "shawl": 1},
    "hoodie": {"sweater": 3, "windbreaker": 2, "jacket": 2, "t-shirt": 1},
    "t-shirt": {"shirt": 4, "vest": 1, "sweater": 1, "underwear": 1},
    "shirt": {"t-shirt": 4, "jacket": 1, "suit": 1, "sweater": 1},
    "jacket": {"windbreaker": 4, "suit": 2, "knitwear": 2, "vest": 1},
    "windbreaker": {"jacket": 4, "hoodie": 3, "vest": 1},
    "suit": {"jacket": 3, "vest": 3, "shirt": 1, "dress": 1},
    "vest": {"suit": 2, "jacket": 2, "knitwear": 2, "t-shirt": 1},
    "dress": {"suit": 1, "shirt": 1, "t-shirt": 1, "shawl": 2, "underwear": 1},
    "shawl": {"knitwear": 3, "dress": 2, "sweater": 1},
    "underwear": {"t-shirt": 2, "dress": 2, "vest": 1},
}
"""What a search for a class finds in its stead, and how often."""


@dataclass(frozen=True)
class Flaws:
    """What is wrong with what the gallery finds, as shares of the offers unless it says otherwise.

    With these values, a design of the ADC paper's size keeps about 89.7 of 100 images a query,
    as the paper did, and the share of wrong classes is within its 22.2 to 32.7 %.

    Attributes:
        noise: images of another class, mostly of one that looks alike.
        wrong_attributes: values of each attribute that are not those of the query.
        tail: combinations of words, of all, that find fewer images than others, or none.
        copies: files that another address of the same query's images has too.
        near: the same, smaller, a little brighter and newly encoded.
        shared: addresses that another query finds too; right for the other one.
        odd: unusual files, of which each kind is as frequent as the others.
        conditions: offers that are answered otherwise than well.
    """

    noise: float = 0.27
    wrong_attributes: float = 0.05
    tail: float = 0.08
    copies: float = 0.005
    near: float = 0.01
    shared: float = 0.006
    odd: float = 0.01
    conditions: Mapping[Condition, float] = field(
        default_factory=lambda: {
            "gone": 0.03,
            "denied": 0.005,
            "page": 0.003,
            "broken": 0.003,
            "slow": 0.002,
        }
    )

    def __post_init__(self) -> None:
        for name in self.conditions:
            if name not in CONDITIONS:
                raise InputError(f"there is no condition {name!r}, but {', '.join(CONDITIONS)}")
        repeats = (self.copies, self.near, self.shared)
        shares = (self.noise, self.wrong_attributes, self.tail, self.odd, *repeats)
        total = sum(repeats) + sum(self.conditions.values())
        if min(*shares, *self.conditions.values(), 0) < 0 or max(*shares, total) > 1:
            raise InputError("shares must be in 0…1, those of conditions and copies together too")


CLEAN = Flaws(0, 0, 0, 0, 0, 0, 0, {})
"""Everything as asked, and every image to be had."""
