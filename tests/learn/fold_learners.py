"""Learners for tests of processes: found by their module's name in a child process too."""

import os
import signal
import time
from pathlib import Path

from adc_core.errors import InputError
from adc_plugins_learn.learners.cross_entropy import CrossEntropy


class Faulty(CrossEntropy):
    """Fails in the way that it is told, once it sees a certain number of samples."""

    how: str = "input"
    notes: Path

    def learn(self, dataset, validation=None):
        self.notes.mkdir(exist_ok=True)
        (self.notes / str(os.getpid())).touch()
        if self.how == "input":
            raise InputError("the images are upside down: turn them")
        if self.how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "bug":
            raise ZeroDivisionError("a bug")
        if self.how == "slow":
            time.sleep(60)
        return super().learn(dataset, validation)


class Silent(CrossEntropy):
    """Records no dynamics."""

    def learn(self, dataset, validation=None):
        model = super().learn(dataset, validation)
        model.dynamics = None
        return model
