"""The chance of error of a certificate, shared out between its steps."""

from pydantic import Field

from adc_core.records import Record

FOR_GOLD = 0.005
"""Of the chance of error, for each of the two steps that control questions add."""


class Alpha(Record):
    """How the chance of error is shared out.

    Attributes:
        audit: of the bound on what was not looked at.
        thinning: of the step from judged wrong to truly wrong; where nobody is asked control
            questions it is not taken.
        gold: of the bound on how often people let a wrong label pass; likewise.
    """

    audit: float = Field(default=0.05, gt=0, lt=1)
    thinning: float = Field(default=FOR_GOLD, ge=0, lt=1)
    gold: float = Field(default=FOR_GOLD, ge=0, lt=1)
