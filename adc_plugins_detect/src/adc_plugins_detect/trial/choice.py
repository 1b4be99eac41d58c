"""Which candidate to use, and how sure that is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_plugins_detect.trial.trials import Trials

SURE = 0.02
"""From this low end of the gain on, the winner is recommended in place of the usual detector. On
labels of people, winners with low ends of -0.002 … 0.007 and mean gains of 0.03 … 0.06 gained
nothing worth the name (`benchmarks/recommendation.py`): simulated gains promise too much."""

_DRAWS = 2000
_INTERVAL = 5, 95


class Choice(NamedTuple):
    """What is recommended.

    Attributes:
        best: the candidate of the best mean average precision.
        usual: the candidate that is used where nobody chooses.
        gain: mean average precision of `best` less that of `usual`, over all trials.
        low: of the gain under a kind of noise that was not tried, the 5th percentile.
        high: the 95th percentile.
        probability: that there is a gain under a kind of noise that was not tried.
    """

    best: str
    usual: str
    gain: float
    low: float
    high: float
    probability: float

    @property
    def recommended(self) -> str:
        """The best candidate where it is surely better, else the usual one."""
        return self.best if self.low >= SURE else self.usual


def choose(trials: Trials, usual: str) -> Choice:
    """Choose by mean average precision, and ask how well such a choice does elsewhere.

    The real noise is none of the kinds that were simulated. So kinds are drawn with replacement,
    seeds within them too, a winner is chosen on these, and compared with the usual detector under
    the kinds that were not drawn (out-of-bag bootstrap; Efron and Tibshirani, 1997). With a single
    kind of noise, seeds take the place of kinds.

    Args:
        trials: of at least two trials.
        usual: name of the candidate to beat; it is among the names.
    """
    values = trials.average_precision
    if values.shape[1] == 1:
        values = values.swapaxes(1, 2)
    C, M, S = values.shape
    place = trials.names.index(usual)
    best = int(values.mean(axis=(1, 2)).argmax())
    random = np.random.default_rng(0)
    gains = []
    for _ in range(_DRAWS if M > 1 else 0):
        kinds: NDArray[np.int64] = random.integers(0, M, size=(M,))
        rest = np.setdiff1d(np.arange(M), kinds)
        if not len(rest):
            continue
        seeds = random.integers(0, S, (M, S))
        drawn = values[:, kinds[:, None], seeds].reshape(C, -1).mean(axis=1)
        unseen = values[:, rest][:, :, random.integers(0, S, size=(S,))].reshape(C, -1).mean(axis=1)
        gains.append(unseen[int(drawn.argmax())] - unseen[place])
    low, high = np.percentile(gains, _INTERVAL) if gains else (np.nan, np.nan)
    return Choice(
        best=trials.names[best],
        usual=usual,
        gain=float((values[best] - values[place]).mean()),
        low=float(low),
        high=float(high),
        probability=float(np.mean(np.array(gains) > 0)) if gains else 0.0,
    )
