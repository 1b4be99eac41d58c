import os
import pickle
import re
from hashlib import sha256

import pytest
import torch

from adc_core.errors import WorkError
from adc_plugins_learn.training.checkpoint import (
    CheckpointWriter,
    read_checkpoint,
)

CPU = torch.device("cpu")
STATE = {"epochs": 3, "network": {"weight": torch.arange(300.0)}, "lines": [{"loss": None}]}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "checkpoint.pt"
    writer = CheckpointWriter(path, 0)
    writer.write(STATE)
    writer.close()
    return path


def test_what_was_written_is_read(path):
    state = read_checkpoint(path, CPU)
    assert torch.equal(state["network"].pop("weight"), torch.arange(300.0))
    assert state == {"epochs": 3, "network": {}, "lines": [{"loss": None}]}
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]


def test_without_a_file_there_is_nothing(tmp_path):
    assert read_checkpoint(tmp_path / "none.pt", CPU) is None


def test_half_a_new_checkpoint_does_not_matter(path):
    path.with_suffix(".new").write_bytes(b"half")
    assert read_checkpoint(path, CPU)["epochs"] == 3


def refused(path):
    with pytest.warns(UserWarning) as warned:
        assert read_checkpoint(path, CPU) is None
    assert [str(w.message) for w in warned] == [f"{path} is damaged: the training starts over"]


@pytest.mark.parametrize("length", [0, 1, 32, 33, 500])
def test_a_cut_file_is_as_good_as_none(path, length):
    path.write_bytes(path.read_bytes()[:length])
    refused(path)


def test_a_flipped_bit_is_noticed(path):
    content = bytearray(path.read_bytes())
    at = content.index(torch.tensor([150.0, 151.0]).numpy().tobytes())
    content[at] ^= 1
    path.write_bytes(content)
    # Torch alone would have read another number.
    path.with_suffix(".torch").write_bytes(content[32:])
    alone = torch.load(path.with_suffix(".torch"), weights_only=True)["network"]["weight"]
    assert (alone != torch.arange(300.0)).sum() == 1
    refused(path)


def test_they_are_written_in_a_thread_one_after_the_other(tmp_path):
    writer = CheckpointWriter(tmp_path / "checkpoint.pt", 0)
    weight = torch.zeros(3)
    for epoch in range(5):
        weight.fill_(epoch)
        assert writer.is_due
        writer.write({"epochs": epoch, "weight": weight})
        weight.fill_(-1)  # training goes on while the file is written
    writer.close()
    state = read_checkpoint(tmp_path / "checkpoint.pt", CPU)
    assert (state["epochs"], state["weight"].tolist()) == (4, [4, 4, 4])
    assert not CheckpointWriter(tmp_path / "checkpoint.pt", 1).is_due


def test_what_the_thread_could_not_write_is_an_error(tmp_path):
    writer = CheckpointWriter(tmp_path / "gone" / "checkpoint.pt", 0)
    writer.write(STATE)
    with pytest.raises(WorkError, match="No such file or directory"):
        writer.write(STATE)
    (tmp_path / "gone").mkdir()
    writer.write(STATE)
    writer.close()
    assert read_checkpoint(tmp_path / "gone" / "checkpoint.pt", CPU)["epochs"] == 3


class MakesAFolder:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_nothing_in_it_is_executed(path, tmp_path):
    torch.save({"epochs": MakesAFolder(tmp_path / "executed")}, path)
    content = path.read_bytes()
    path.write_bytes(sha256(content).digest() + content)
    with pytest.raises(pickle.UnpicklingError, match=re.escape("posix.mkdir")):
        read_checkpoint(path, CPU)
    assert not (tmp_path / "executed").exists()
