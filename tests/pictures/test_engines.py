"""The Graphviz at hand, the lack of one, files, notebooks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scalargrad import MLP, Drawing, Value, draw
from scalargrad.pictures import engines, notebook_bundle
from scalargrad.pictures.plan import IN_A_CELL, Plan
from tests.pictures.reading import Picture, network, neuron


@pytest.fixture(scope="module", autouse=True)
def layout() -> None:
    """The engines as they are, not that of the other tests of pictures."""


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "find_spec", lambda name: None)


def test_without_an_engine_the_error_names_three_ways_to_get_one(no_engine: None) -> None:
    with pytest.raises(RuntimeError) as raised:
        _ = draw(neuron()).svg
    text = str(raised.value)
    assert "pip install pygraphviz" in text
    assert "apt install graphviz" in text
    assert "conda install graphviz" in text
    assert "drawing.dot" in text


def test_without_an_engine_the_dot_text_is_there(no_engine: None) -> None:
    drawing = draw(neuron())
    assert drawing.dot.startswith("digraph {")
    assert drawing.dot.count("->") == 9 + 5  # an edge with a slope on it is two


def test_the_packages_are_not_imported_before_a_picture_is_made() -> None:
    program = (
        "import sys, scalargrad; d = scalargrad.draw(scalargrad.Value(2.0) * 3.0); d.dot; "
        "print([m for m in ('graphviz', 'pygraphviz', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def script(folder: Path, body: str) -> None:
    path = folder / "dot"
    path.write_text(f"#!{sys.executable}\n{body}")
    path.chmod(0o755)


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if os.name == "nt":
        pytest.skip("a script with a shebang")
    pytest.importorskip("graphviz")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_dot_on_path_comes_first(only_path: Path) -> None:
    embedded = draw(neuron()).svg
    script(
        only_path,
        f"""
import sys
open({str(only_path / "arguments")!r}, "w").write(" ".join(sys.argv[1:]))
from pygraphviz import AGraph
sys.stdout.buffer.write(AGraph(string=sys.stdin.read()).draw(format="json0", prog="dot"))
""",
    )
    assert engines.engine() is engines.run_system
    assert draw(neuron()).svg == embedded
    assert (only_path / "arguments").read_text() == "-Tjson0"


def test_a_failure_of_graphviz_is_told_with_its_words(only_path: Path) -> None:
    script(only_path, "import sys; sys.exit('Error: the moon is full')")
    with pytest.raises(RuntimeError, match="Graphviz failed: Error: the moon is full"):
        _ = draw(neuron()).svg


def test_an_engine_that_takes_too_long_is_stopped(only_path: Path) -> None:
    script(only_path, "import time; time.sleep(60)")
    with pytest.raises(
        TimeoutError, match=r"did not place 10 cards and 9 edges in 0.2 s.*timeout="
    ):
        _ = draw(neuron(), timeout=0.2).svg


def test_the_embedded_engine_is_used_without_dot(only_path: Path) -> None:
    assert engines.engine() is engines.run_embedded
    assert len(Picture(draw(neuron())).cards) == 10


def test_a_registered_engine_lays_out_every_picture() -> None:
    asked = []

    def mine(dot: str, timeout: float) -> bytes:
        asked.append((dot, timeout))
        return engines.run_embedded(dot, timeout)

    whole = draw(neuron()).svg
    assert engines.register(mine) is mine
    try:
        drawing = draw(neuron(), timeout=7.0)
        assert drawing.svg == whole
        assert asked[0] == (drawing.dot, 7.0)
        assert [seconds for _, seconds in asked] == [7.0] * len(asked)
        assert engines.engine() is mine
    finally:
        engines.unregister(mine)
    assert engines.engine() is not mine
    with pytest.raises(ValueError, match="this engine is not registered"):
        engines.unregister(mine)
    with pytest.raises(TypeError, match="an engine is a function of DOT text and seconds, got str"):
        engines.register("dot")  # type: ignore[arg-type]


def test_the_last_registered_engine_is_used_and_its_time_is_told() -> None:
    def slow(dot: str, timeout: float) -> bytes:
        raise subprocess.TimeoutExpired("slow", timeout)

    engines.register(engines.run_embedded)
    engines.register(slow)
    try:
        with pytest.raises(TimeoutError, match="did not place 10 cards and 9 edges in 3 s"):
            _ = draw(neuron(), timeout=3.0).svg
        engines.unregister(slow)
        assert len(Picture(draw(neuron())).cards) == 10
    finally:
        engines.unregister(engines.run_embedded)


# ------------------------------------------------------------------ files


def test_save_writes_the_svg_and_returns_its_path(tmp_path: Path) -> None:
    drawing = draw(neuron())
    path = drawing.save(tmp_path / "y.svg")
    assert path == tmp_path / "y.svg"
    assert path.read_text("utf-8") == drawing.svg
    assert drawing.save(str(tmp_path / "other.SVG")).exists()
    ElementTree.parse(path)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("y.jpg", "y.svg"),
        ("y", "y.svg"),
        ("y.tar.gz", "y.tar.svg"),
        ("", "graph.svg"),
        (".svg", "graph.svg"),
        ("..", "graph.svg"),
        ("y.svg\n", "y.svg"),
    ],
)
def test_save_takes_no_other_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, advice: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"write '{advice}'"):
        draw(neuron()).save(name)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_saved_as_png_and_pdf(tmp_path: Path) -> None:
    pytest.importorskip("cairosvg")
    image = pytest.importorskip("matplotlib.image")
    for theme, ground in (("auto", "#ffffff"), ("dark", "#0d1420")):
        drawing = draw(Value(2.0, "x") * 3.0, theme=theme)
        pixels = image.imread(drawing.save(tmp_path / "y.png"))
        high, wide = (float(Picture(drawing).root.get(side, "")) for side in ("height", "width"))
        assert pixels.shape[:2] == (2 * high, 2 * wide)
        corner = [round(255 * part) for part in pixels[3, 3, :3]]
        assert corner == [*bytes.fromhex(ground[1:])]
        assert len({tuple(pixel) for pixel in pixels[:, int(wide)]}) > 5  # cards and texts
    assert drawing.save(tmp_path / "y.pdf").read_bytes().startswith(b"%PDF-")


def test_without_a_converter_the_error_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    for name in ("y.png", "y.pdf"):
        with pytest.raises(RuntimeError) as raised:
            draw(neuron()).save(tmp_path / name)
        assert f"a picture as {name[2:].upper()} needs CairoSVG" in str(raised.value)
        assert "pip install cairosvg" in str(raised.value)
    assert [*tmp_path.iterdir()] == []


def test_a_failed_save_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "y.svg"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        draw(neuron()).save(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_save_to_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"the folder '.*missing' is not there: make it"):
        draw(neuron()).save(tmp_path / "missing" / "y.svg")


def test_save_follows_a_link_and_says_where_it_leads(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("links need rights there")
    drawing = draw(neuron())
    (tmp_path / "here.svg").symlink_to(tmp_path / "there.svg")
    assert drawing.save(tmp_path / "here.svg") == tmp_path / "here.svg"
    assert (tmp_path / "here.svg").is_symlink()
    assert (tmp_path / "there.svg").read_text("utf-8") == drawing.svg
    (tmp_path / "away.svg").symlink_to(tmp_path / "gone" / "y.svg")
    with pytest.raises(FileNotFoundError, match=r"the folder '.*gone' is not there"):
        drawing.save(tmp_path / "away.svg")
    with pytest.raises(NotADirectoryError, match=r"there.svg' is a file, so nothing can stand in"):
        drawing.save(tmp_path / "there.svg" / "y.svg")


@pytest.mark.parametrize("path", [3, None, b"y.svg", ["y.svg"]])
def test_a_path_is_a_str_or_a_path(path: object) -> None:
    kind = type(path).__name__
    for save in (draw(neuron()).save, draw(neuron()).page().save):
        with pytest.raises(TypeError, match=f"named by a str or a Path, got {kind}: write"):
            save(path)  # type: ignore[arg-type]


def test_a_file_that_cannot_be_written_is_named_itself(tmp_path: Path) -> None:
    (tmp_path / "folder.svg").mkdir()
    for name, error in (("folder.svg", IsADirectoryError), ("y" * 300 + ".svg", OSError)):
        with pytest.raises(error) as caught:
            draw(neuron()).save(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
        assert [path.name for path in tmp_path.iterdir()] == ["folder.svg"]


# ------------------------------------------------------------------ notebooks


def test_a_drawing_shows_itself_in_a_notebook() -> None:
    drawing = draw(neuron())
    bundle = drawing._repr_mimebundle_(include=None, exclude=None)
    assert bundle == {"image/svg+xml": drawing.svg, "text/plain": repr(drawing)}
    assert repr(drawing) == "<Drawing of y = tanh(w1·x1 + w2·x2 + b): 10 cards, 9 edges>"


def test_a_drawing_without_an_engine_shows_why(no_engine: None) -> None:
    bundle = draw(neuron())._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert "pip install pygraphviz" in bundle["text/plain"]


def test_a_small_value_shows_its_picture_in_a_notebook() -> None:
    y = neuron()
    assert notebook_bundle(y) == {"text/plain": repr(y), "image/svg+xml": draw(y).svg}


def test_a_network_fits_the_cell_of_a_notebook() -> None:
    model = MLP(3, [4, 4, 1], activation="tanh", seed=0)
    y = model([2.0, 3.0, -1.0])
    picture = notebook_bundle(y)["image/svg+xml"]
    root = ElementTree.fromstring(picture)
    assert float(root.get("width", "")) < 1400
    assert float(root.get("height", "")) < 1000
    assert ".sg{max-width:100%;height:auto}" in picture
    assert f">MLP 3→4→4→1 = {y.data:.2g}<".replace("-", "−") in picture
    assert picture.count(">Neuron ") >= 9


def test_a_notebook_shows_neurons_above_20_cards_and_layers_above_60() -> None:
    cards = {}
    for sizes in ((2, 2, 1), (2, 4, 1), (1, 35, 1), (1, 26, 26, 1)):
        y = MLP(sizes[0], [*sizes[1:]], activation="relu", seed=0)([Value(1.0)] * sizes[0])
        plan = Plan([y], "auto", 5000, most=IN_A_CELL)
        cards[sizes] = (plan.level, len(set(plan.card.values())))
    assert cards == {
        (2, 2, 1): ("none", 15), (2, 4, 1): ("neurons", 6),
        (1, 35, 1): ("neurons", 37), (1, 26, 26, 1): ("neurons", 54),
    }  # fmt: skip
    y = MLP(1, [30, 30, 1], seed=0)([Value(1.0)])
    assert Plan([y], "auto", 5000, most=IN_A_CELL).level == "layers"


@pytest.mark.parametrize("sizes", [(2, 16, 16, 1), (1, 30, 30, 1), (784, 16, 16, 10)])
def test_a_network_of_any_size_shows_itself_in_a_notebook(sizes: tuple[int, ...]) -> None:
    found = MLP(sizes[0], [*sizes[1:]], seed=0)([0.1] * sizes[0])
    y = found if isinstance(found, Value) else found[0]
    root = ElementTree.fromstring(notebook_bundle(y)["image/svg+xml"])
    assert float(root.get("width", "")) < 1600
    assert float(root.get("height", "")) < 1300


def test_a_model_shows_itself_in_a_notebook() -> None:
    bundle = draw(MLP(3, [4, 4, 1], seed=0))._repr_mimebundle_()
    assert ">MLP 3 → 4 → 4 → 1 · 41 parameters<" in bundle["image/svg+xml"]


def test_a_very_large_value_shows_its_text_in_a_notebook() -> None:
    x = Value(1.0)
    for _ in range(20_001):
        x = x * 1.0
    assert notebook_bundle(x) == {"text/plain": repr(x)}


def test_without_an_engine_a_value_shows_its_text_in_a_notebook(no_engine: None) -> None:
    y = neuron()
    assert notebook_bundle(y) == {"text/plain": repr(y)}


@pytest.mark.parametrize(
    "broken",
    ["import sys; sys.exit(1)", "print('no json')", "print('{}')", "import time; time.sleep(60)"],
)
def test_a_broken_engine_leaves_a_value_its_text(
    only_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    from scalargrad.pictures import drawing

    monkeypatch.setattr(drawing, "PATIENCE", 0.3)
    script(only_path, broken)
    y = neuron()
    assert notebook_bundle(y) == {"text/plain": repr(y)}


def test_drawing_touches_no_value() -> None:
    root = network()
    before = [(value.data, value.grad, value.label) for value in root.graph()]
    assert isinstance(draw(root), Drawing)
    _ = draw(root).svg
    assert [(value.data, value.grad, value.label) for value in root.graph()] == before
