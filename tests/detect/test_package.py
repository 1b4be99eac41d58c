import subprocess
import sys

import pytest

import adc_plugins_detect


def in_a_new_process(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_the_package_imports_nothing_else():
    loaded = in_a_new_process("import sys, adc_plugins_detect; print(*sys.modules)")
    heavy = {"numpy", "scipy", "sklearn", "pydantic", "pyarrow", "torch", "adc_core"}
    assert not heavy & set(loaded)


@pytest.mark.parametrize("name", adc_plugins_detect.__all__)
def test_every_name_is_there_and_no_module(name):
    assert callable(getattr(adc_plugins_detect, name))


def test_confident_learning_needs_no_scikit_learn_and_nothing_needs_torch():
    loaded = in_a_new_process(
        "import sys; from adc_plugins_detect import confident_learning; print(*sys.modules)"
    )
    assert not {"scipy", "sklearn", "torch"} & set(loaded)
    everything = ", ".join(adc_plugins_detect.__all__)
    loaded = in_a_new_process(
        f"import sys; from adc_plugins_detect import {everything}; print(*sys.modules)"
    )
    assert "torch" not in loaded


def test_an_unknown_name():
    name = "simifeet"
    with pytest.raises(AttributeError) as raised:
        getattr(adc_plugins_detect, name)
    assert str(raised.value) == "No adc_plugins_detect attribute simifeet"


def test_completion_offers_what_there_is():
    assert dir(adc_plugins_detect) == sorted(adc_plugins_detect.__all__)
