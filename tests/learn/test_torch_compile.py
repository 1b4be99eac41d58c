import pytest
import torch

from adc_core.errors import InputError
from adc_plugins_learn.learners.elr_plus import EarlyLearningRegularizationPlus

QUICK = {"image_size": 12, "epochs": 2, "batch_size": 16, "learning_rate": 0.01}


def test_compiled_training_learns_nearly_the_same(squares):
    """Two networks, of which averages are copied, with a last batch of another size."""
    plain, compiled = (
        EarlyLearningRegularizationPlus(**QUICK, torch_compile=compiled).learn(squares)
        for compiled in (False, True)
    )
    torch.testing.assert_close(
        compiled.network.state_dict(), plain.network.state_dict(), rtol=1e-3, atol=1e-4
    )


def test_no_compiler_is_one_line(squares, monkeypatch):
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("no-such-compiler",))
    monkeypatch.setattr("torch._inductor.config.force_disable_caches", True)
    torch.compiler.reset()
    with pytest.raises(InputError) as caught:
        EarlyLearningRegularizationPlus(**QUICK, torch_compile=True).learn(squares)
    assert str(caught.value).startswith("the network cannot be compiled here (")
    assert str(caught.value).endswith("): leave torch_compile out")
    assert "\n" not in str(caught.value)
