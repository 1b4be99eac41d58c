import re

import numpy as np
import pytest
import torch

from adc_core.errors import InputError, WorkError
from adc_plugins_learn.training.hardware.devices import find_device, seeded
from adc_plugins_learn.training.hardware.errors import translate_oom

HERE = torch.cuda.is_available()


def test_auto_takes_a_gpu_if_there_is_one():
    assert find_device("auto").type == ("cuda" if HERE else "cpu")


def test_cpu():
    assert find_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "meta", "", "cuda:", "cuda:-1", "CPU"])
def test_unknown_names(name):
    with pytest.raises(InputError) as error:
        find_device(name)
    assert str(error.value) == f'there is no device "{name}": use auto, cpu, cuda or cuda:1'


def test_an_absent_gpu():
    with pytest.raises(InputError) as error:
        find_device("cuda:99")
    assert re.fullmatch(r"cuda:99 cannot be used here \(.+\): use auto or cpu", str(error.value))


def test_seeded_draws_the_same_and_gives_the_generator_back():
    before = torch.get_rng_state()
    draws = []
    for seed in (5, 5, 6):
        with seeded(seed):
            draws.append(torch.rand(4))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_seeded_gives_the_generator_back_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(KeyError), seeded(1):
        torch.rand(4)
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "greedy", [lambda: np.empty(1 << 60, np.uint8), lambda: torch.empty(1 << 50, dtype=torch.int64)]
)
def test_a_lack_of_memory_is_one_line(greedy):
    with pytest.raises(WorkError) as error, translate_oom(7):
        greedy()
    assert str(error.value) == ("out of memory with batch_size 7: lower batch_size or image_size")


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match=r"^another$"), translate_oom(7):
        raise RuntimeError("another")
