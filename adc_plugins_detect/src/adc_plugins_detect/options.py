"""Types of options, each with its range: functions and components share them."""

from typing import Annotated

from annotated_types import Ge, Gt, Le

Share = Annotated[float, Ge(0), Le(1)]
"""A share of the samples, or a suspicion."""

Count = Annotated[int, Ge(1)]
"""At least one of something."""

ClassCount = Annotated[int, Ge(1), Le(100_000)]
"""K; more would fill the memory with columns."""

WholeNumber = Annotated[int, Ge(0)]
"""Also of seeds and epochs."""

Positive = Annotated[float, Gt(0)]
"""A scale."""
