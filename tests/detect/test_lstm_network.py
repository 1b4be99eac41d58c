import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from adc_core.errors import InputError, WorkError
from adc_plugins_detect.detectors.lstm_dynamics import SHIPPED
from adc_plugins_detect.dynamics.lstm_network import LstmNetwork, read_network, write_network


def worked_example(dtype=np.float64):
    """The 3-unit network of the specification: parameter c has entries 1.5 sin(0.7 (i + 1) + c)."""
    shape_of = {}
    for k, inputs in enumerate((1, 3)):
        shape_of |= {f"lstm.weight_ih_l{k}": (12, inputs), f"lstm.weight_hh_l{k}": (12, 3)}
        shape_of |= {f"lstm.bias_ih_l{k}": (12,), f"lstm.bias_hh_l{k}": (12,)}
    shape_of |= {"linear.weight": (2, 3), "linear.bias": (2,)}
    tensors = {}
    for c, (name, shape) in enumerate(shape_of.items()):
        flat = 1.5 * np.sin(0.7 * (np.arange(np.prod(shape)) + 1) + c)
        tensors[name] = flat.reshape(shape).astype(dtype)
    return LstmNetwork(tensors, 5, {"note": "of the specification"})


def test_forward_pass_of_the_worked_example():
    series = np.array([[0.1, 0.3, 0.2, 0.8, 0.9], [0.9, 0.95, 0.99, 0.99, 0.99]])
    network = worked_example()
    np.testing.assert_allclose(
        network.logits(series),
        [[-1.9972314252453218, 0.44018211126257323], [-1.9896778386226415, 0.42653964491201846]],
        atol=1e-12,
    )
    expected = [0.9196361412812548, 0.9180556373743289]
    np.testing.assert_allclose(network.suspicion(series), expected, atol=1e-12)
    single = series.astype(np.float32)
    assert network.suspicion(single).dtype == np.float32
    np.testing.assert_allclose(network.suspicion(single), expected, atol=1e-5)


def test_forward_pass_is_that_of_torch():
    torch = pytest.importorskip("torch")
    network = read_network(SHIPPED)
    lstm = torch.nn.LSTM(1, network.units, network.layers, batch_first=True)
    linear = torch.nn.Linear(network.units, 2)
    for module, prefix in ((lstm, "lstm."), (linear, "linear.")):
        module.load_state_dict(
            {
                name.removeprefix(prefix): torch.tensor(values)
                for name, values in network.tensors.items()
                if name.startswith(prefix)
            }
        )
    series = np.random.default_rng(0).random((100, 17), np.float32)
    with torch.inference_mode():
        steps, _ = lstm(torch.from_numpy(series[..., None]))
        expected = linear(steps[:, -1]).numpy()
    np.testing.assert_allclose(network.logits(series), expected, atol=1e-5)


def test_the_shipped_network_is_of_the_papers_size():
    network = read_network(SHIPPED)
    assert (network.layers, network.units) == (2, 64)
    assert sum(values.size for values in network.tensors.values()) == 50562
    assert network.facts["recipe"]["learner"]["use"] == "adc-plugins-learn/cross-entropy"
    assert SHIPPED.with_suffix(".yaml").is_file()


def test_very_large_weights_do_not_overflow():
    network = worked_example(np.float32)
    huge = LstmNetwork({k: v * np.float32(1e4) for k, v in network.tensors.items()}, 5, {})
    suspicion = huge.suspicion(np.ones((3, 5), np.float32))
    assert ((suspicion >= 0) & (suspicion <= 1)).all()


def test_written_and_read_is_the_same_and_so_are_the_bytes(tmp_path):
    network = worked_example(np.float32)
    for name in ("a", "b"):
        write_network(network, tmp_path / "new" / name)
    again = read_network(tmp_path / "new" / "a")
    assert again.length == 5 and again.facts["note"] == "of the specification"
    assert again.tensors.keys() == network.tensors.keys()
    for name, values in network.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], values)
    assert (tmp_path / "new" / "a").read_bytes() == (tmp_path / "new" / "b").read_bytes()
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a", "b"]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError) as raised:
        write_network(worked_example(), tmp_path / "file" / "weights")
    assert str(raised.value) == f"{tmp_path / 'file'}: File exists: fix it and run again"


def written(folder, tensors=None, facts=None):
    path = folder / "weights.safetensors"
    described = {"format": 1, "length": 5} | (facts or {})
    tensors = worked_example(np.float32).tensors | (tensors or {})
    save_file(tensors, path, metadata={"adc lstm-dynamics": json.dumps(described)})
    return path


def cut(folder):
    path = written(folder)
    path.write_bytes(path.read_bytes()[:-9])
    return path


def foreign(folder):
    path = folder / "other.safetensors"
    save_file({"x": np.zeros(3)}, path)
    return path


def text(folder):
    path = folder / "text"
    path.write_text("no weights")
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (cut, "Error while deserializing header: "),  # and the words of its library
        (text, "Error while deserializing header: "),
        (foreign, "it does not say how it was made"),
        (lambda f: written(f, facts={"format": 2}), "its format is 2, not 1"),
        (lambda f: written(f, facts={"length": 0}), "its length is 0"),
        (
            lambda f: written(f, {"linear.bias": np.zeros(3, np.float32)}),
            "linear.bias is (3,), expected (2,)",
        ),
        (
            lambda f: written(f, {"linear.gain": np.zeros(3, np.float32)}),
            "linear.gain is (3,), expected None",
        ),
        (
            lambda f: written(f, {"linear.bias": np.full(2, np.nan, np.float32)}),
            "linear.bias is not finite",
        ),
    ],
    ids=["cut", "text", "foreign", "format", "length", "shape", "more", "nan"],
)
def test_a_damaged_or_foreign_file(tmp_path, make, reason):
    path = make(tmp_path)
    with pytest.raises(InputError) as raised:
        read_network(path)
    assert str(raised.value).startswith(f"{path} holds no weights of lstm-dynamics ({reason}")
    assert str(raised.value).endswith("): give a file of adc train-lstm-dynamics")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError) as raised:
        read_network(tmp_path / "none")
    assert str(raised.value) == (
        f"{tmp_path / 'none'} does not exist: give a file of adc train-lstm-dynamics"
    )
