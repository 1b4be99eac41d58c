"""Control questions: samples with a known label, asked about rightly and wrongly."""

from collections.abc import Sequence

import numpy as np

from adc_core.arrays import Array
from adc_plugins_review.campaign.plan import GoldQuestion, generator


def make_gold(
    rows: Sequence[int], labels: Sequence[int], classes: int, transition: Array | None, seed: int
) -> tuple[GoldQuestion, ...]:
    """Make one question of each verified sample: every other one asks about a wrong class.

    The wrong class is drawn from how often labels are mistaken for each other, so that the
    question looks like a real mistake.

    Args:
        rows: of the dataset.
        labels: true class index of each.
        classes: K.
        transition: K × K, row = true class; None: all other classes alike.
        seed: of the drawing.
    """
    drawn = generator(seed, "gold")
    questions = []
    for number, place in enumerate(drawn.permutation(len(rows)).tolist()):
        row, label = int(rows[place]), int(labels[place])
        if number % 2 == 0:
            questions.append(GoldQuestion(row=row, label=label, right=True))
            continue
        chance = np.ones(classes) if transition is None else np.array(transition[label])
        chance[label] = 0
        if not chance.sum():
            chance = np.arange(classes) != label
        wrong = int(drawn.choice(classes, p=chance / chance.sum()))
        questions.append(GoldQuestion(row=row, label=wrong, right=False))
    return tuple(questions)
