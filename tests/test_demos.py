"""The demos run, learn, write what they say they write, and help where something is missing."""

from __future__ import annotations

import gzip
import random
import re
import struct
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from demos import cross_entropy, data, digits, neuron, ship, show, two_layers, xor

from . import formulas


def written(text: str, what: str) -> Path:
    """The file that a demo says it wrote."""
    (path,) = re.findall(rf"^{what} +(\S+)$", text, re.MULTILINE)
    return Path(path)


def texts_of(svg: Path) -> str:
    """All the text in an SVG file, which must be well-formed."""
    return " ".join(ElementTree.parse(svg).getroot().itertext())


def falling(text: str) -> list[float]:
    return [float(loss) for loss in re.findall(r"loss (\d+\.\d+)$", text, re.MULTILINE)]


# ------------------------------------------------------------------ the five


def test_xor_learns_the_truth_table_and_writes_graph_and_curve(tmp_path, capsys):
    xor.main(["--out", str(tmp_path / "new" / "folder")])
    text = capsys.readouterr().out
    table = re.findall(r"^ ([01])  ([01])      ([01])     ([\d.]+)$", text, re.MULTILINE)
    assert [row[:3] for row in table] == [
        ("0", "0", "0"),
        ("0", "1", "1"),
        ("1", "0", "1"),
        ("1", "1", "0"),
    ]
    assert all(abs(float(learnt) - int(wanted)) < 0.1 for *_, wanted, learnt in table)
    losses = falling(text)
    assert len(losses) == 11
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.01 < 0.5 < losses[0]
    assert {"x1", "x2", "loss"} <= set(texts_of(written(text, "graph")).split())
    assert "epoch" in written(text, "loss curve").read_text()
    assert written(text, "boundary").is_file()


def test_two_layers_learn_to_add_three_bits(tmp_path, capsys):
    two_layers.main(["--out", str(tmp_path)])
    text = capsys.readouterr().out
    table = re.findall(
        r"^ ([01]) \+ ([01]) \+ ([01])    ([01])  ([\d.]+)      ([01])  ([\d.]+)$",
        text,
        re.MULTILINE,
    )
    assert len(table) == 8
    for a, b, c, total, s, carry, k in table:
        assert (
            int(a) + int(b) + int(c)
            == int(total) + 2 * int(carry)
            == round(float(s)) + 2 * round(float(k))
        )
    assert falling(text)[-1] < 0.01
    assert "loss" in texts_of(written(text, "graph"))


def test_train_of_two_layers_does_what_the_formulas_do(capsys):
    network = two_layers.TwoLayers(3, 4, 2, seed=1)
    W1, W2 = (
        np.array([[w.data for w in neuron.w] for neuron in layer.neurons]).T
        for layer in (network.hidden, network.output)
    )
    oracle = formulas.TwoLayers(W1, np.zeros(4), W2, np.zeros(2))
    network.train(two_layers.BITS, two_layers.SUMS, epochs=20, lr=0.5)
    oracle.train(np.array(two_layers.BITS), np.array(two_layers.SUMS), epochs=20, lr=0.5)
    np.testing.assert_allclose(
        network.predict(two_layers.BITS),
        oracle.predict(np.array(two_layers.BITS)),
        rtol=0,
        atol=1e-12,
    )


def test_cross_entropy_says_that_the_loss_fell_every_time(tmp_path, capsys):
    cross_entropy.main(["--epochs", "60", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    losses = falling(text)
    assert losses == sorted(losses, reverse=True)
    assert "the loss fell in 59 of 59 steps: monotonically" in text
    assert "24 weights" in text
    assert written(text, "loss curve").stat().st_size > 1000
    drawn = written(text, "boundary").read_text()
    assert drawn.count("<use") >= 200  # the new points, and the ticks of the axes


def test_neuron_prints_the_figures_of_the_blog(tmp_path, capsys):
    neuron.main(["--epochs", "20", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    hidden, output = formulas.ThreeFourOne.forward()
    assert f"y = {formulas.neuron(1.2, -0.4, 0.7):.6f}" in text
    assert f"y = {formulas.neuron(np.array([1, 2]), 2, np.array([3, 5])):.10f}" in text
    assert "hidden " + " ".join(f"{h:.6f}" for h in hidden) in text
    assert f"output {output:.6f}" in text
    small, tall = (float(p) for p in re.findall(r"a woman with probability ([\d.]+)", text))
    assert small > 0.6 > 0.4 > tall
    assert {"w", "x", "b", "y"} <= set(texts_of(written(text, "graph")).split())
    assert written(text, "boundary").is_file()


def test_a_shipped_network_gives_the_same_in_c_and_javascript(tmp_path, capsys):
    ship.main(["--epochs", "30", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "loaded again: same True" in text
    found = re.findall(r"^(c|mjs) .*; at most (\S+) from Python$", text, re.MULTILINE)
    assert len(found) == 2 - text.count("nothing is here to run it")
    assert all(float(off) < 1e-14 for _, off in found)


def costs(text: str) -> list[float]:
    return [
        float(cost)
        for cost in re.search(r"^cost +(.*), as it fell in [\d.]+ s$", text, re.MULTILINE)[
            1
        ].split()
    ]


def test_digits_of_scikit_learn_are_learnt_from(tmp_path, capsys):
    digits.main(["--epochs", "3", "--train", "60", "--test", "40", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "13,002 parameters, 60 images, 40 others" in text
    assert len(costs(text)) == 3
    assert costs(text) == sorted(costs(text), reverse=True)
    assert len(re.findall(r"(before|after) training +[\d.]+% of the test images right", text)) == 2
    assert written(text, "loss curve").is_file()


def test_the_same_seed_prints_the_same_and_another_does_not(tmp_path, capsys):
    printed = []
    for seed in ("3", "3", "4"):
        xor.main(["--epochs", "20", "--seed", seed, "--out", str(tmp_path)])
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


# ------------------------------------------------------------------ MNIST's files


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    """An array of bytes as an IDX file."""
    return (
        bytes([0, 0, kind, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.astype(np.uint8).tobytes()
    )


@pytest.fixture
def mnist_folder(tmp_path) -> Path:
    """A tiny MNIST: 30 images to train on, gzipped, and 12 for the test, plain; digit k lights rows 2k and 2k + 1."""
    for part, count in (("train", 30), ("t10k", 12)):
        labels = np.arange(count) % 10
        images = np.zeros((count, 28, 28))
        for image, label in zip(images, labels, strict=True):
            image[2 * label : 2 * label + 2] = 255
        for name, array in (
            (f"{part}-images-idx3-ubyte", images),
            (f"{part}-labels-idx1-ubyte", labels),
        ):
            if part == "train":
                (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (tmp_path / name).write_bytes(idx(array))
    return tmp_path


def test_mnist_reads_the_first_images_gzipped_or_not(mnist_folder):
    images, labels = data.mnist(mnist_folder, "train", count=13)
    assert labels == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert images[1] == [0.0] * 56 + [1.0] * 56 + [0.0] * 672
    images, labels = data.mnist(mnist_folder, "t10k", count=1000)
    assert len(images) == len(labels) == 12


def test_mnist_finds_names_with_a_dot(mnist_folder):
    for path in list(mnist_folder.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert data.mnist(mnist_folder, "t10k", count=3)[1] == [0, 1, 2]


def test_digits_train_on_the_mnist_folder(mnist_folder, tmp_path, capsys):
    digits.main(["--mnist", str(mnist_folder), "--epochs", "6", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "13,002 parameters, 30 images, 12 others" in text
    assert len(costs(text)) == 6
    assert costs(text)[-1] < costs(text)[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes are too few"),
        (b"\x00\x00\x08", "3 bytes are too few"),
        (b"\x89PNG\r\n\x1a\n", "begins with 89 50 4e 47, expected 00 00 08 03"),
        (idx(np.zeros((2, 28, 28)), kind=0x0D), "begins with 00 00 0d 03"),
        (idx(np.zeros(5)), "has 1 dimensions, expected 3; are images and labels exchanged"),
        (idx(np.zeros((2, 28, 28)))[:9], "ends inside its header, 9 bytes of 16"),
        (idx(np.zeros((2, 28, 28)))[:-1], "2 × 28 × 28 entries promised, 1567 found"),
        (idx(np.zeros((2, 28, 28))) + b"\0", "2 × 28 × 28 entries promised, 1569 found"),
        (
            gzip.compress(idx(np.zeros((2, 28, 28))), mtime=0)[:-9],
            "the gzip stream is damaged or cut short",
        ),
        (
            gzip.compress(b"x" * 99, mtime=0)[:12] + b"\xff" * 20,
            "the gzip stream is damaged or cut short",
        ),
        (idx(np.zeros((2, 28, 27))), "images of 28 × 27, expected 28 × 28"),
        (idx(np.zeros((11, 28, 28))), "has 11 images, .* 12 labels"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(mnist_folder, content, message):
    (mnist_folder / "t10k-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        data.mnist(mnist_folder, "t10k", count=5)


def test_labels_beyond_nine_and_empty_files_are_refused(mnist_folder):
    (mnist_folder / "t10k-labels-idx1-ubyte").write_bytes(idx(np.arange(12)))
    with pytest.raises(ValueError, match="a label is 11"):
        data.mnist(mnist_folder, "t10k", count=5)
    (mnist_folder / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(0)))
    (mnist_folder / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((0, 28, 28))))
    with pytest.raises(ValueError, match="holds no image"):
        data.mnist(mnist_folder, "t10k", count=5)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("t10k-labels-idx1-ubyte", "holds neither t10k-labels-idx1-ubyte nor"),
        (None, "is no folder"),
    ],
)
def test_digits_say_which_file_is_missing_and_end_with_an_error(
    mnist_folder, capsys, missing, message
):
    folder = mnist_folder if missing else mnist_folder / "elsewhere"
    if missing:
        (folder / missing).unlink()
    with pytest.raises(SystemExit) as ended:
        digits.main(["--mnist", str(folder)])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


# ------------------------------------------------------------------ made data


def test_scaled_up_digits_repeat_the_pixels_of_the_small_ones():
    from sklearn.datasets import load_digits

    images, labels = data.sklearn_digits()
    small = load_digits()
    big = np.array(images[7]).reshape(28, 28)
    assert labels == small.target.tolist()
    for i, j in ((0, 0), (27, 27), (13, 14), (3, 4)):
        assert big[i, j] == small.images[7][int(i / 3.5), int(j / 3.5)] / 16


def test_moons_turn_into_each_other_and_people_differ_by_height():
    points, labels = data.moons(500, random.Random(0), noise=0.0)
    means = [
        np.mean([p for p, label in zip(points, labels, strict=True) if label == k], axis=0)
        for k in (0, 1)
    ]
    np.testing.assert_allclose(means[0], -means[1], atol=0.1)
    rows, genders = data.people(500, random.Random(0))
    heights = [
        np.mean([row[0] for row, gender in zip(rows, genders, strict=True) if gender == k])
        for k in (1, 0)
    ]
    assert heights == pytest.approx([165, 178], abs=1)
    assert sum(genders) == 500


# ------------------------------------------------------------------ where something is missing


def test_without_matplotlib_the_curve_is_left_out_and_all_else_done(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    xor.main(["--epochs", "5", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert re.search(r"^loss curve +not drawn: it takes matplotlib", text, re.MULTILINE)
    assert [path.name for path in tmp_path.iterdir()] == ["xor.svg"]


def test_without_graphviz_the_graph_is_left_out_and_all_else_done(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    xor.main(["--epochs", "5", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert re.search(r"^graph +not drawn: .*Graphviz", text, re.MULTILINE)
    assert {path.name for path in tmp_path.iterdir()} == {"xor_loss.svg", "xor_boundary.svg"}


def test_without_scikit_learn_digits_ask_for_mnist(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SystemExit):
        digits.main([])
    assert (
        "without --mnist FOLDER the images come from scikit-learn, which is not installed"
        in capsys.readouterr().err
    )


def test_open_shows_what_was_written(tmp_path, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr(show.webbrowser, "open", opened.append)
    neuron.main(["--epochs", "1", "--out", str(tmp_path), "--open"])
    assert {*opened} == {
        (tmp_path / name).as_uri() for name in ("neuron.svg", "neuron_boundary.svg")
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--epochs", "0"], "0 is too few"),
        (["--epochs", "ten"], "invalid"),
        (["--out"], "expected one"),
    ],
)
def test_wrong_options_end_with_an_error_that_names_them(wrong, message, capsys):
    with pytest.raises(SystemExit) as ended:
        xor.main(wrong)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("demo", [cross_entropy, digits, neuron, two_layers, xor])
def test_help_says_what_a_demo_does(demo, capsys):
    with pytest.raises(SystemExit) as ended:
        demo.main(["--help"])
    assert ended.value.code == 0
    assert f"python -m demos.{demo.__name__.rpartition('.')[2]}" in capsys.readouterr().out


def test_every_demo_uses_public_names_only():
    for path in Path(show.__file__).parent.glob("*.py"):
        imported = re.findall(
            r"^\s*from (scalargrad\S*) import (.*)$", path.read_text(), re.MULTILINE
        )
        assert {module for module, _ in imported} <= {"scalargrad", "scalargrad.nn"}, path
        assert not [
            name for _, names in imported for name in names.split(", ") if name.startswith("_")
        ], path
