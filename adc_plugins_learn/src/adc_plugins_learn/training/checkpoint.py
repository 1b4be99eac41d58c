"""What a training needs to resume after an interruption, in one file with a checksum."""

import io
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from adc_core.storage import atomic_file

_SUM_BYTES = sha256().digest_size


def write_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Replace a checkpoint, whole or not at all.

    Args:
        state: tensors, numbers and texts, in dicts and lists.
        path: the file: the SHA-256 of what follows, then a file of torch, whose own reader
            does not notice a changed byte.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    with atomic_file(path) as part, part.open("wb") as file:
        file.write(sha256(payload).digest())
        file.write(payload)


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
