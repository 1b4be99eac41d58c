"""What a training needs to resume after an interruption, in one file with a checksum."""

import io
import time
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from adc_core import Dataset, Learner, work_folder
from adc_core.arrays import fingerprint
from adc_core.storage import atomic_file
from adc_plugins_learn.training.config import TrainingConfig

_SUM_BYTES = sha256().digest_size


def learned_from(dataset: Dataset, *further: str) -> str:
    """Hash what decides what is learned of a dataset: images, labels, and which of them count.

    Args:
        dataset: of a training.
        further: columns that a method reads as well.
    """
    whole = dataset.fingerprint_of("images", "labels", "classes", *further)
    return whole if dataset.labeled.all() else fingerprint([whole, dataset.labeled])


def further_columns(config: TrainingConfig) -> tuple[str, ...]:
    """Return the evidence that a learner reads beside images and labels."""
    if not isinstance(config, Learner):
        return ()
    return tuple(name for name in (*config.requires, *config.optional_columns) if name != "images")


def checkpoint_path(
    config: TrainingConfig, strategy: type, dataset: Dataset, validation: Dataset | None
) -> Path:
    """Name the checkpoint in the work folder by all that decides the result of a training."""
    # Of a component, without options that change nothing, and with the content of its files.
    options = config.identity if isinstance(config, Learner) else config.model_dump(mode="json")
    sets = [
        learned_from(dataset, *further_columns(config)),
        validation and learned_from(validation),
    ]
    key = fingerprint([options, strategy.__qualname__, torch.__version__, *sets])
    return work_folder() / f"checkpoint-{key[:16]}.pt"


def _serialized(state: dict[str, Any]) -> memoryview:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getbuffer()


def _replace(payload: memoryview, path: Path) -> None:
    """Replace a checkpoint, whole or not at all: a SHA-256, then what it is of.

    torch's own reader does not notice a changed byte.
    """
    with atomic_file(path) as part, part.open("wb") as file:
        file.write(sha256(payload).digest())
        file.write(payload)


class CheckpointWriter:
    """Writes a training's checkpoints in a thread, while the next epoch is under way.

    Args:
        path: the file.
        minutes: between two of them.
    """

    def __init__(self, path: Path, minutes: float) -> None:
        self._path, self._seconds, self._last = path, 60 * minutes, time.monotonic()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future[None] | None = None

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next one."""
        return time.monotonic() - self._last >= self._seconds

    def write(self, state: dict[str, Any]) -> None:
        """Copy the state and have it written; raise what went wrong with the one before.

        Args:
            state: tensors, numbers and texts, in dicts and lists.

        Raises:
            WorkError: the disk refused the one before.
        """
        self._wait()
        payload = _serialized(state)
        self._writing = self._thread.submit(_replace, payload, self._path)
        self._last = time.monotonic()

    def close(self) -> None:
        """Wait until all is written, and raise what went wrong."""
        self._thread.shutdown()
        self._wait()

    def _wait(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()


def read_checkpoint(path: Path, device: torch.device) -> dict[str, Any] | None:
    """Read a checkpoint, its tensors onto a device; nothing in the file is executed.

    For a damaged checkpoint, None and a warning that names the file: a training that starts over
    ends with the same bytes.
    """
    if not path.exists():
        return None
    content = memoryview(path.read_bytes())
    total, payload = content[:_SUM_BYTES], content[_SUM_BYTES:]
    if sha256(payload).digest() != total:
        warnings.warn(f"{path} is damaged: the training starts over", stacklevel=2)
        return None
    state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location=device, weights_only=True)
    return state
