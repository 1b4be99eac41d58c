"""A process that trains for one fold of a cross-validation; started by `train_folds` alone.

Threads that share one small matrix product wait for each other more than they compute, above all on
a busy machine; processes of one thread do not.
"""

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, Dynamics, InputError, Learner, Predictions, WorkError, working_in
from adc_core.arrays import save_array
from adc_core.components import heed
from adc_core.storage import new_folder, seal

CURVES = ("given_probability", "margin", "loss", "correct")


class FoldJob(NamedTuple):
    """One training of a cross-validation.

    Attributes:
        learner: what trains.
        learned: what it learns from.
        held_out: what the model then predicts; it has images.
        dynamics: whether training dynamics are kept.
        finished: the folder of the result, written whole.
        training: the folder of checkpoints.
    """

    learner: Learner
    learned: Dataset
    held_out: Dataset
    dynamics: bool
    finished: Path
    training: Path


def train_fold(job: FoldJob, progressed: Callable[[int, int | None, str], None]) -> None:
    """Train, predict what was held out, and write both.

    Raises:
        InputError: the dataset does not suit the learner, or it records no dynamics.
        WorkError: the training failed.
    """
    with working_in(job.training, progressed):
        model = job.learner.learn(job.learned)
        images = job.held_out.images
        assert images is not None
        values = _in_order(model.predict(images), job.held_out.classes)
    dynamics: Dynamics | None = model.dynamics if job.dynamics else None
    if job.dynamics and dynamics is None:
        raise InputError(
            f"the learner {job.learner.name} records no training dynamics: "
            "choose another, or leave out dynamics"
        )
    with new_folder(job.finished, job.finished.with_name(f"{job.finished.name}.part")) as part:
        save_array(values, part / "probabilities.npy")
        if dynamics is not None:
            for name in ("epochs", *CURVES):
                save_array(getattr(dynamics, name), part / f"dynamics.{name}.npy")
        seal(part)


def train_folds(
    jobs: Sequence[FoldJob], workers: int, progressed: Callable[[int, int | None, str], None]
) -> None:
    """Train several folds at once, each in a process of its own.

    Raises:
        InputError, WorkError: what a training raised; the others are stopped.
    """
    waiting, running = list(jobs), dict[Path, _Worker]()
    done = dict.fromkeys((job.finished for job in jobs), 0)
    total: int | None = None
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                running[job.finished] = _Worker(job)
            heed()
            for place, worker in list(running.items()):
                ended = worker.wait(0.2)
                if worker.total is not None:
                    total = worker.total * len(jobs)
                done[place] = worker.done
                if ended:
                    del running[place]
                    worker.check()
            if total is not None:
                progressed(sum(done.values()), total, "step")
    finally:
        for worker in running.values():
            worker.stop()


class _Worker:
    """A running process; threads read its progress and its errors."""

    def __init__(self, job: FoldJob) -> None:
        job.training.mkdir(parents=True, exist_ok=True)
        self._file = job.training / "job.pickle"
        self._fault = job.training / "fault.pickle"
        self._fault.unlink(missing_ok=True)
        self._file.write_bytes(pickle.dumps(job))
        self.done = 0
        self.total: int | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self._file), str(self._fault)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._stderr = ""
        self._readers = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read_progress, self._read_errors)
        ]
        for reader in self._readers:
            reader.start()

    def _read_progress(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            done, _, total = line.partition(" ")
            if done.isdecimal() and total.strip().isdecimal():
                self.done, self.total = int(done), int(total)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._stderr = self._process.stderr.read()

    def wait(self, seconds: float) -> bool:
        """Wait some time; return whether the process has ended."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._close()
        return True

    def check(self) -> None:
        """Raise what the training raised."""
        self._file.unlink(missing_ok=True)
        if self._process.returncode == 0:
            return
        if self._fault.exists():
            raise pickle.loads(self._fault.read_bytes())
        last = self._stderr.strip().splitlines()[-1:] or ["it was killed"]
        raise WorkError(f"the training of a fold ended early: {last[0]}")

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        """Read what is left in the pipes, and close them."""
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _in_order(predictions: Predictions, classes: tuple[str, ...]) -> NDArray[np.float32]:
    """Return N × K probabilities of these classes; zero for one that the model does not know."""
    values = np.zeros((len(predictions.probabilities), len(classes)), np.float32)
    columns = [classes.index(name) for name in predictions.classes]
    values[:, columns] = predictions.probabilities
    return values


def _main(job_file: str, fault_file: str) -> int:
    import torch

    torch.set_num_threads(1)

    def report(done: int, total: int | None, unit: str) -> None:
        print(done, total, flush=True)

    job: FoldJob = pickle.loads(Path(job_file).read_bytes())
    try:
        train_fold(job, report)
    except (InputError, WorkError) as error:
        Path(fault_file).write_bytes(pickle.dumps(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
