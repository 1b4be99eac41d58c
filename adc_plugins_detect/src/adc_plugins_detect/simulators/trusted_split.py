"""A trusted part and a noisy rest of one dataset."""

from typing import ClassVar

import numpy as np
from pydantic import ConfigDict, Field

from adc_core import Corruption, Dataset, Simulator, work_folder
from adc_plugins_detect.options import Count
from adc_plugins_detect.simulators.long_tail import draws, first_of_groups

TRUSTED = "trusted.txt"


class TrustedSplit(Simulator):
    """Makes labels wrong by another simulator, but for a few of each class, which are trusted.

    So one dataset gives a training a small part that is right and a large one that is noisy. The
    ids of the trusted samples are in `simulators/trusted-split/trusted.txt` of the run directory,
    which `learning-to-reweight` takes as `trusted_samples`. Their labels stay as they are: where
    another simulator has made some wrong before, those are trusted too.
    """

    artifacts: ClassVar[tuple[str, ...]] = (TRUSTED,)

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"simulator": {"use": "symmetric", "rate": 0.4}}]}
    )

    simulator: Simulator = Field(description="makes the other labels wrong")
    per_class: Count = Field(
        default=10, description="trusted samples of each class; of a smaller one, all"
    )
    seed: int = Field(
        default=0, ge=0, description="seed; for one seed a lower count's samples are kept"
    )

    def corrupt(self, dataset: Dataset) -> Corruption:
        """Draw noisy labels, and trusted samples of those that are left."""
        corruption = self.simulator.corrupt(dataset)
        counts = np.full(len(dataset.classes), self.per_class)
        groups = np.where(True if corruption.kept is None else corruption.kept, dataset.labels, -1)
        trusted = first_of_groups(groups, counts, draws("trusted", self.seed, len(groups)))
        ids = "\n".join(map(str, dataset.ids[trusted].tolist()))
        (work_folder() / TRUSTED).write_text(f"{ids}\n", encoding="utf-8")
        labels = np.where(trusted, dataset.labels, corruption.labels)
        # The matrix is that of the other labels, and would be taken for that of all.
        return corruption.replace(labels=labels, mask=labels != dataset.labels, transition=None)
