"""Weights on disk: to the bit, whole or as they were, and nothing read from a file that is none."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
from math import inf, nan
from pathlib import Path

import pytest

from scalargrad import Value, tanh
from scalargrad.nn import MLP, Layer, Module, Neuron
from scalargrad.nn.formats import LARGEST, WeightsError

ENDINGS = (".json", ".safetensors")
HARD = [5e-324, -0.0, 0.0, 1.7976931348623157e308, 1e-300, 0.1, -1 / 3, 2.0**-1074, 1e16, 123.0]


def swish(x):
    return x / (1.0 + (-x).exp())


class Gated(Module):
    """A model of a class of its own: parts with names, a number, a parameter in two places."""

    def __init__(self):
        self.encoder, self.gate = Layer(2, 3), Neuron(2)
        self.scale = Value(2.0)
        self.parts = {"a": [Value(1.0), Value(2.0)], "b": self.gate}

    def __call__(self, x):
        return self.scale * self.gate(x)


MODELS = {
    "a network": lambda: MLP(3, [4, 2], activation="tanh", seed=0),
    "without biases": lambda: MLP(2, [3, 1], bias=False),
    "an activation for each layer": lambda: MLP(2, [3, 3, 1], activation=["tanh", None, "relu"]),
    "functions": lambda: MLP(2, [3, 1], activation=swish, output_activation=tanh),
    "a layer": lambda: Layer(3, 2),
    "a neuron": lambda: Neuron(2, bias=False),
    "a class of one's own": Gated,
}  # fmt: skip


def bits(model):
    return [struct.pack("<d", value.data) for value in model.parameters()]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("made", MODELS.values(), ids=MODELS)
def test_every_number_comes_back_to_the_bit(made, ending, tmp_path):
    model, twin, rng = made(), made(), random.Random(1)
    for value in model.parameters():
        value.data = rng.choice(HARD) if rng.random() < 0.5 else rng.uniform(-1, 1)
    model.save(tmp_path / f"net{ending}")
    twin.load(str(tmp_path / f"net{ending}"))
    assert bits(twin) == bits(model)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", [name for name in MODELS if isinstance(MODELS[name](), MLP)])
def test_a_file_makes_the_network(name, ending, tmp_path):
    model = MODELS[name]()
    model.save(tmp_path / f"net{ending}")
    functions = {"swish": swish, "tanh": tanh} if name == "functions" else None
    twin = MLP.load(tmp_path / f"net{ending}", functions=functions)
    assert repr(twin) == repr(model)
    assert twin.state().keys() == model.state().keys()
    x = [0.5, -1.0, 0.25][: model.nin]
    assert [v.data for v in row(twin(x))] == [v.data for v in row(model(x))]
    assert bits(twin) == bits(model)


def row(out):
    return out if isinstance(out, list) else [out]


def test_a_number_of_another_kind_is_saved_as_a_float(tmp_path):
    numpy, model = pytest.importorskip("numpy"), MLP(1, [1])
    model.parameters()[0].data, model.parameters()[1].data = numpy.float32(0.1), 3
    model.save(tmp_path / "net.json")
    twin = MLP.load(tmp_path / "net.json")
    assert [value.data for value in twin.parameters()] == [float(numpy.float32(0.1)), 3.0]


def test_functions_are_asked_for_by_name(tmp_path):
    path = tmp_path / "net.json"
    MLP(2, [2, 1], activation=swish).save(path)
    with pytest.raises(WeightsError, match=r"write load\(path, functions=\{'swish': the function"):
        MLP.load(path)

    def double(x):
        return 2 * x

    another = double
    another.__name__ = "swish"
    with pytest.raises(ValueError, match="two activations are functions named 'swish'"):
        MLP(2, [2, 1], activation=[swish, another]).save(path)
    assert MLP.load(path, functions={"swish": swish}).nouts == [2, 1]  # the old file stands


def test_what_a_file_cannot_make_says_so(tmp_path):
    path = tmp_path / "net.json"
    Gated().save(path)
    with pytest.raises(WeightsError, match="of a model of class Gated, not MLP"):
        MLP.load(path)
    with pytest.raises(WeightsError, match=r"make the model first, then write model.load\(path\)"):
        Gated.load(path)

    class Changed(Neuron):
        def __call__(self, x):
            return 2.0 * super().__call__(x)

    model = MLP(2, [1])
    model.layers[0].neurons[0] = Changed(2)
    model.save(path)
    with pytest.raises(WeightsError, match="make the model first"):
        MLP.load(path)


def test_json_is_strict_and_safetensors_keeps_what_it_cannot_hold(tmp_path):
    model = MLP(2, [2, 1], seed=0)
    model.save(tmp_path / "net.json")
    given = json.loads((tmp_path / "net.json").read_text(), parse_constant=pytest.fail)
    assert given["weights"]["W1"] == [list(row) for row in model.state()["W1"]]
    assert given["arguments"]["activation"] == "relu"
    old = (tmp_path / "net.json").read_bytes()
    for number, text in ((nan, "nan"), (inf, "inf"), (-inf, "-inf")):
        model.layers[0].neurons[1].w[0].data = number
        with pytest.raises(
            ValueError, match=rf"^W1\[1,0\] is {text}, for which JSON has no number"
        ):
            model.save(tmp_path / "net.json")
        model.save(tmp_path / "net.safetensors")
        assert bits(MLP.load(tmp_path / "net.safetensors")) == bits(model)
    assert (tmp_path / "net.json").read_bytes() == old


def test_other_libraries_read_safetensors(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    model = MLP(3, [2, 1])
    model.save(tmp_path / "net.safetensors")
    found = numpy.load_file(tmp_path / "net.safetensors")
    assert {name: x.shape for name, x in found.items()} == {
        "W1": (2, 3),
        "b1": (2,),
        "W2": (1, 2),
        "b2": (1,),
    }
    assert all((found[name] == x).all() for name, x in model.state().items())
    # and a file of theirs, in float32, is read by names and shapes
    theirs = {name: x.astype("float32") for name, x in found.items()}
    for told in (None, {"format": "pt", "class": "BertModel"}):
        numpy.save_file(theirs, tmp_path / "x.safetensors", metadata=told)
        twin = MLP(3, [2, 1])
        twin.load(tmp_path / "x.safetensors")
        assert twin.state()["W1"][0, 0] == theirs["W1"][0, 0]
        with pytest.raises(WeightsError, match="does not say how its model is made"):
            MLP.load(tmp_path / "x.safetensors")
    numpy.save_file(theirs, tmp_path / "x.safetensors", metadata={"format": "scalargrad weights 9"})
    with pytest.raises(WeightsError, match="its format is 'scalargrad weights 9', not"):
        model.load(tmp_path / "x.safetensors")
    numpy.save_file({"W1": found["W1"][:0]}, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match="is damaged: W1 has no numbers"):
        model.load(tmp_path / "x.safetensors")


GOOD = {"format": "scalargrad weights 1", "class": "MLP", "arguments": {"nin": 1, "nouts": [1], "activation": None, "output_activation": None, "bias": True}, "weights": {"W1": [[1.0]], "b1": [2.0]}}  # fmt: skip
WRONG = {
    "empty": "", "no JSON": "net", "a list": "[1]", "a number": "3", "cut off": json.dumps(GOOD)[:-9],
    "no weights": json.dumps({**GOOD, "weights": None}),
    "another format": json.dumps({**GOOD, "format": "other"}),
    "nan": json.dumps({**GOOD, "weights": {"W1": [[nan]], "b1": [2.0]}}),
    "beyond floats": json.dumps(GOOD).replace("1.0", "1e999"),
    "a huge int": json.dumps(GOOD).replace("1.0", "9" * 400),
    "a longer int": json.dumps(GOOD).replace("1.0", "9" * 5000),
    "a text": json.dumps({**GOOD, "weights": {"W1": [["1.0"]], "b1": [2.0]}}),
    "true": json.dumps({**GOOD, "weights": {"W1": [[True]], "b1": [2.0]}}),
    "null": json.dumps({**GOOD, "weights": {"W1": [[None]], "b1": [2.0]}}),
    "an object": json.dumps({**GOOD, "weights": {"W1": {"a": 1}, "b1": [2.0]}}),
    "rows without numbers": json.dumps({**GOOD, "weights": {"W1": [[], []], "b1": [2.0]}}),
    "no rows": json.dumps({**GOOD, "weights": {"W1": [], "b1": [2.0]}}),
    "ragged": json.dumps({**GOOD, "weights": {"W1": [[1.0], []], "b1": [2.0]}}),
    "twice": json.dumps(GOOD).replace('"b1"', '"W1"'),
    "deep": json.dumps(GOOD).replace("1.0", "[" * 100_000 + "]" * 100_000),
    "no text": b"\xff\xfe{}",
    "a class that is none": json.dumps({**GOOD, "class": 3}),
}  # fmt: skip
UNFIT = {
    "another shape": {**GOOD, "weights": {"W1": [[1.0, 2.0]], "b1": [2.0]}},
    "one too few": {**GOOD, "weights": {"W1": [[1.0]]}},
    "one more": {**GOOD, "weights": {**GOOD["weights"], "W2": [[1.0]]}},
    "a thousand more": {**GOOD, "weights": {**GOOD["weights"], **{f"V{i}": 0.5 for i in range(1000)}}},
}  # fmt: skip
ARGUMENTS = {
    "a network of a billion": {"nin": 10**9, "nouts": [10**9], "activation": None, "output_activation": None, "bias": True},
    "nouts that are no list": {"nin": 1, "nouts": "1", "activation": None, "output_activation": None, "bias": True},
    "half a neuron": {"nin": 1, "nouts": [0.5], "activation": None, "output_activation": None, "bias": True},
    "an activation that is none": {"nin": 1, "nouts": [1], "activation": "__import__", "output_activation": None, "bias": True},
    "an activation too many": {"nin": 1, "nouts": [1], "activation": [None, None], "output_activation": None, "bias": True},
    "arguments of another": {"seed": 1},
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_wrong_json_file_changes_nothing(text, tmp_path):
    path, model = tmp_path / "net.json", MLP(1, [1])
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = bits(model)
    for load in (model.load, MLP.load):
        with pytest.raises(WeightsError, match="is no file of weights, or is damaged"):
            load(path)
    assert bits(model) == before


@pytest.mark.parametrize("content", UNFIT.values(), ids=UNFIT)
def test_a_file_that_does_not_fit_changes_nothing(content, tmp_path):
    path, model = tmp_path / "net.json", MLP(1, [1])
    path.write_text(json.dumps(content))
    before = bits(model)
    for load in (model.load, MLP.load):
        with pytest.raises(WeightsError, match=r"net\.json: ") as caught:
            load(path)
        assert len(str(caught.value)) < 700
    assert bits(model) == before


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_hostile_arguments_make_nothing(arguments, tmp_path):
    path = tmp_path / "net.json"
    path.write_text(json.dumps({**GOOD, "arguments": arguments}))
    with pytest.raises(WeightsError, match=r"net\.json: "):
        MLP.load(path)
    MLP(1, [1]).load(path)  # its numbers are fine


def test_a_damaged_safetensors_file_changes_nothing(tmp_path):
    pytest.importorskip("safetensors")
    path, model = tmp_path / "net.safetensors", MLP(3, [4, 1])
    model.save(path)
    good, before = path.read_bytes(), bits(model)
    damaged = [good[:n] for n in (0, 4, 20, len(good) - 1)]
    damaged += [good + b"x", struct.pack("<Q", 2**62) + good[8:], b"{}" * 9]
    for data in damaged:
        path.write_bytes(data)
        for load in (model.load, MLP.load):
            with pytest.raises(WeightsError, match="is no file of weights, or is damaged"):
                load(path)
    assert bits(model) == before


def test_an_oversized_file_is_not_read(tmp_path):
    path = tmp_path / "net.json"
    with open(path, "wb") as file:
        file.truncate(LARGEST + 1)  # takes no room on the disk
    with pytest.raises(WeightsError, match="more than the 1,073,741,824 that load reads"):
        MLP.load(path)


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices as POSIX has them")
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_no_file_is_neither_read_nor_replaced(ending, tmp_path):
    model = MLP(1, [1])
    folder, pipe, device = (tmp_path / f"{name}{ending}" for name in ("folder", "pipe", "device"))
    folder.mkdir()
    os.mkfifo(pipe)
    device.symlink_to(pipe)
    for path in (folder, pipe, device):
        for load in (model.load, MLP.load):
            with pytest.raises(WeightsError, match="is a folder, a pipe or a device"):
                load(path)
        with pytest.raises(OSError, match=r"directory|device is no file to write anew"):
            model.save(path)
    assert folder.is_dir()
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert len([*tmp_path.iterdir()]) == 3


@pytest.mark.parametrize("kind", ["F8_E4M3", "BF16", "I64", "BOOL"])
def test_tensors_of_other_kinds_are_refused_by_name(kind, tmp_path):
    pytest.importorskip("safetensors")
    size = {"F8_E4M3": 1, "BF16": 2, "I64": 8, "BOOL": 1}[kind]
    header = json.dumps(
        {"W1": {"dtype": kind, "shape": [1, 1], "data_offsets": [0, size]}}
    ).encode()
    path = tmp_path / "net.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))
    with pytest.raises(WeightsError, match=f"W1 holds {kind}, not floats, F64, F32, F16"):
        MLP(1, [1], bias=False).load(path)


@pytest.mark.parametrize("name", ["net.pkl", "net", "net.JSON.txt"])
def test_the_ending_names_the_format(name, tmp_path):
    with pytest.raises(ValueError, match=r"the path must end in \.json or \.safetensors, got"):
        MLP(1, [1]).save(tmp_path / name)
    assert not [*tmp_path.iterdir()]


def test_a_missing_file_or_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError):
        MLP.load(tmp_path / "net.json")
    with pytest.raises(FileNotFoundError, match="make it first"):
        MLP(1, [1]).save(tmp_path / "no" / "net.json")


# ------------------------------------------------------------------ the file as a whole


@pytest.mark.parametrize("function", ["replace", "fsync", "chmod"])
def test_a_failed_save_leaves_the_old_file(function, tmp_path, monkeypatch):
    path = tmp_path / "net.json"
    MLP(1, [1]).save(path)
    old = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match="No space left"):
        MLP(1, [1]).save(path)
    assert path.read_bytes() == old
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(os.name != "posix", reason="modes and links as POSIX has them")
def test_the_mode_and_a_link_stay(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    MLP(1, [1]).save(real)
    os.chmod(real, 0o640)
    link.symlink_to(real)
    MLP(2, [1]).save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert MLP.load(real).nin == 2


def test_two_savers_do_not_mix(tmp_path):
    path, models = tmp_path / "net.json", [MLP(1, [1], seed=0), MLP(30, [30, 30], seed=1)]
    saved = [lambda m=m: [m.save(path) for _ in range(20)] for m in models]
    threads = [threading.Thread(target=target) for target in saved]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            assert MLP.load(path).nin in (1, 30)
    for thread in threads:
        thread.join()
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(os.name != "posix", reason="a process is killed")
def test_a_kill_leaves_a_whole_file(tmp_path):
    path = tmp_path / "net.json"
    code = (
        "import sys; from scalargrad.nn import MLP; a, b = MLP(9, [9]), MLP(60, [60, 60])\n"
        "while True: a.save(sys.argv[1]); b.save(sys.argv[1])"
    )
    for wait in (0.02, 0.05, 0.08):
        path.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], cwd=Path(__file__).parents[2]
        )
        while not path.exists():
            time.sleep(0.005)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert MLP.load(path).nin in (9, 60)


# ------------------------------------------------------------------ from scikit-learn


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize(
    "task", ["numbers", "rows of numbers", "two classes", "three classes", "several classes a row"]
)
def test_networks_of_scikit_learn_predict_the_same(task, activation):
    network = pytest.importorskip("sklearn.neural_network")
    np = pytest.importorskip("numpy")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = {
        "numbers": X[:, 0] * X[:, 1],
        "rows of numbers": X[:, :2] ** 2,
        "two classes": X[:, 0] > 0,
        "three classes": np.digitize(X[:, 0], [-0.4, 0.4]),
        "several classes a row": (X[:, :2] > 0).astype(int),
    }[task]
    kind = network.MLPClassifier if "classes" in task else network.MLPRegressor
    fitted = kind(
        hidden_layer_sizes=[5, 4], activation=activation, solver="lbfgs", max_iter=4000, tol=1e-2, random_state=0
    ).fit(X, y)  # fmt: skip
    got = np.array(MLP.from_sklearn(fitted).predict(X))
    if task == "three classes":
        got = np.exp(got - got.max(1, keepdims=True))
        got /= got.sum(1, keepdims=True)
    want = fitted.predict_proba(X) if "classes" in task else fitted.predict(X)
    want = want[:, 1] if task == "two classes" else want
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_from_sklearn_asks_for_a_fitted_network():
    with pytest.raises(TypeError, match=r"got builtins.object: call fit\(X, y\) first"):
        MLP.from_sklearn(object())
