"""The playground trains in Chromium as `fit` trains in Python, and does what a reader asks of it."""

from __future__ import annotations

import json
import math
import random
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from demos import playground as demo
from scalargrad import TraceError, tanh
from scalargrad.nn import MLP, SGD, Adam, AdamW, Layer, Module, Neuron, l2
from tests.pictures.browser import Browser

POINTS = [[math.sin(i), math.cos(2.3 * i)] for i in range(20)]
SIDES = [int(a + b * b > 0.4) for a, b in POINTS]
LINE = [x / 3 - 1 for x in range(8)]


class Pair(Module):
    """A model that is no row of layers, with a parameter that is a number."""

    def __init__(self) -> None:
        self.inner, self.outer = Layer(2, 3, activation="tanh", seed=4), Neuron(3, None, seed=5)
        self.scale = Neuron(1, None, seed=6).w[0]

    def __call__(self, x: Any) -> Any:
        return self.outer(self.inner(x)) + self.scale * tanh(x[0])


LOGITS = {"loss": "binary_cross_entropy_with_logits"}
CASES = {
    "momentum": (MLP(2, [5, 4, 1], activation="tanh", seed=1), POINTS, SIDES,
                 {**LOGITS, "optimizer": lambda p: SGD(p, lr=0.1, momentum=0.9)}),
    "adam": (MLP(2, [5, 5, 1], activation="tanh", seed=2), POINTS, SIDES,
             {**LOGITS, "optimizer": "adam", "lr": 0.01}),
    "shuffled": (MLP(2, [6, 3], seed=3), POINTS, [i % 3 for i in range(20)],
                 {"loss": "cross_entropy", "optimizer": "rmsprop", "batch_size": 6, "shuffle": True, "seed": 11}),
    "penalty": (MLP(1, [4, 1], activation="sigmoid", seed=4), LINE, [x * x for x in LINE],
                {"penalty": lambda model: 0.01 * l2(model.parameters()), "optimizer": lambda p: AdamW(p, lr=0.02), "reduction": "sum"}),
    "short steps": (MLP(2, [5, 1], activation="tanh", seed=7), POINTS, SIDES, {"lr": 0.1, "clip_norm": 0.05, "batch_size": 5, "penalty": lambda model: 0.01 * l2(model)}),
    "class of one's own": (Pair(), POINTS, SIDES, {"optimizer": lambda p: Adam(p, lr=0.05), "batch_size": 10}),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the demo, made once."""
    folder = tmp_path_factory.mktemp("pages")
    demo.main(["--out", str(folder)])
    return folder


@pytest.fixture
def moons(browser: Browser, folder: Path) -> Browser:
    """The browser with the page of the moons."""
    opened(browser, folder / "playground_moons.html")
    return browser


def opened(browser: Browser, path: Path) -> None:
    browser.look(1280, 900)
    browser.open(path)
    assert browser.requests == [path.as_uri()]
    assert not browser.errors


def make(browser: Browser, steps: int) -> None:
    browser.evaluate(f"for (let i = 0; i < {steps}; i++) training.make()")


def flat(item: Any) -> list[float]:
    return [x for part in item for x in flat(part)] if isinstance(item, list) else [item]


def numbers(model: Module) -> list[float]:
    """The parameters in the order of the state, as the page has them."""
    state = {name: getattr(x, "tolist", lambda x=x: x)() for name, x in model.state().items()}
    return [x for name in state for x in flat(state[name])]


def weights(browser: Browser) -> list[float]:
    return flat(browser.evaluate("Object.values(training.weights).map((block) => [...block])"))


def click(browser: Browser, at: tuple[float, float], to: tuple[float, float] | None = None) -> None:
    """Press the mouse on a point of the view, given in its own numbers, and drag it."""
    place = "(() => {{ const box = $('view').getBoundingClientRect(), [x, y] = view.frame.at({}, {}); return [box.x + x, box.y + y]; }})()"
    x, y = browser.evaluate(place.format(*at))
    mouse = {"button": "left", "clickCount": 1}
    browser.ask("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **mouse)
    if to:
        x, y = browser.evaluate(place.format(*to))
        browser.ask(
            "Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, button="left", buttons=1
        )
    browser.ask("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, **mouse)


# ------------------------------------------------------------------ training


@pytest.mark.parametrize("name", CASES)
def test_200_steps_are_those_of_fit(name: str, browser: Browser, tmp_path: Path) -> None:
    given, X, y, options = CASES[name]
    model = deepcopy(given)
    before = numbers(model)
    model.playground(tmp_path / "page.html", X, y, **options)
    assert numbers(model) == before
    opened(browser, tmp_path / "page.html")
    assert weights(browser) == before
    make(browser, 200)
    size = math.ceil(len(X) / options.get("batch_size", len(X)))
    history = model.fit(X, y, epochs=200 // size, engine="eager", **options)
    assert weights(browser) == pytest.approx(numbers(model), rel=1e-9, abs=1e-9)
    assert weights(browser) != pytest.approx(before, rel=1e-2)
    if size == 1:
        assert browser.evaluate("training.losses") == pytest.approx(history.loss, rel=1e-9)
    assert browser.evaluate("draw(), network.draw(true)") is None
    assert not browser.errors


def test_a_moved_point_changes_the_training(browser: Browser, tmp_path: Path) -> None:
    model, X, y, options = CASES["adam"]
    model, X = deepcopy(model), [row[:] for row in POINTS]
    model.playground(tmp_path / "page.html", X, y, **options)
    opened(browser, tmp_path / "page.html")
    click(browser, tuple(POINTS[4]), to=(0.1, 0.2))
    X[4] = browser.evaluate("[...view.place(4)]")
    assert X[4] == pytest.approx([0.1, 0.2], abs=0.01)
    click(browser, (-0.5, 0.0))  # a new one, of class 0
    X.append(browser.evaluate("[...view.place(20)]"))
    make(browser, 50)
    as_given = deepcopy(model)
    model.fit(X, [*y, 0], epochs=50, **options)
    as_given.fit(POINTS, y, epochs=50, **options)
    assert weights(browser) == pytest.approx(numbers(model), rel=1e-9, abs=1e-9)
    assert weights(browser) != pytest.approx(numbers(as_given), rel=1e-3)


def test_rate_and_batch_of_the_fields_are_those_of_the_next_steps(
    browser: Browser, tmp_path: Path
) -> None:
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    model.playground(tmp_path / "page.html", POINTS, SIDES, lr=0.5)
    opened(browser, tmp_path / "page.html")
    for field, text in (("rate", "0,05"), ("batch", "6"), ("rate", "fast"), ("batch", "-2")):
        browser.evaluate(f"$('{field}').value = '{text}'; $('{field}').oninput()")
    assert browser.evaluate("$('rate').getAttribute('aria-invalid')") == "true"
    make(browser, 8)
    model.fit(POINTS, SIDES, lr=0.05, batch_size=6, epochs=2)
    assert weights(browser) == pytest.approx(numbers(model), rel=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 1337, 2**40 + 3])
def test_a_seed_is_that_of_python(seed: int, moons: Browser) -> None:
    moons.evaluate(f"$('seed').value = '{seed}'; $('reset').click()")
    assert weights(moons) == numbers(MLP(2, [16, 16, 1], activation="tanh", seed=seed))
    rng, rows = random.Random(seed), list(range(100))
    normal = [rng.gauss(0.0, 0.5) for _ in range(3)]
    rng.shuffle(rows)
    script = "(() => {{ const r = new Random({}), rows = Array.from({{ length: 100 }}, (_, i) => i), normal = [r.gauss(.5), r.gauss(.5), r.gauss(.5)]; r.shuffle(rows); return [normal, rows]; }})()"
    found = moons.evaluate(script.format(seed))
    assert found == [pytest.approx(normal, rel=1e-14), rows]


def test_reset_brings_the_weights_back_and_a_new_seed_others(moons: Browser) -> None:
    before = weights(moons)
    make(moons, 5)
    assert weights(moons) != before
    moons.evaluate("$('reset').click()")
    assert weights(moons) == before
    assert moons.evaluate("training.step") == 0
    moons.evaluate("$('new').click()")
    first = weights(moons)
    moons.evaluate("$('new').click()")
    assert moons.evaluate("$('seed').value") == "1"
    assert before == first != weights(moons)  # the demo's own seed is 0


def test_a_seed_that_is_none_changes_nothing_and_says_so(moons: Browser) -> None:
    make(moons, 3)
    before, state = (
        weights(moons),
        "[$('seed').getAttribute('aria-invalid'), $('said').textContent]",
    )
    moons.evaluate("$('seed').value = 'abc'; $('reset').click()")
    assert moons.evaluate(state) == ["true", "The seed must be a whole number, such as 7."]
    assert weights(moons) == before
    moons.evaluate("$('seed').value = ''; $('reset').click()")
    assert moons.evaluate(state) == ["false", "The weights are as given."]
    assert weights(moons) != before


def test_the_hint_says_what_a_neuron_shows(browser: Browser, folder: Path) -> None:
    for name, shown in (("moons", "boundary"), ("curve", "curve")):
        opened(browser, folder / f"playground_{name}.html")
        hint = f"Point at a neuron to see its own {shown}."
        assert browser.evaluate("$('told').textContent") == hint
        browser.evaluate("show(network.neurons[0]); show(null)")
        assert browser.evaluate("$('told').textContent") == hint


def test_weights_that_were_drawn_by_a_function_are_drawn_as_large(
    browser: Browser, tmp_path: Path
) -> None:
    model = MLP(2, [40, 1], init=lambda nin, nout, rng: rng.uniform(-0.3, 0.3), seed=0)
    model.playground(tmp_path / "page.html", POINTS, SIDES)
    opened(browser, tmp_path / "page.html")
    before = weights(browser)
    browser.evaluate("$('new').click()")
    after = weights(browser)
    assert math.hypot(*after) == pytest.approx(math.hypot(*before), rel=0.3)
    assert [w == 0 for w in after] == [w == 0 for w in before]
    assert before != after


def test_a_step_that_overflows_changes_nothing_and_says_so(browser: Browser, folder: Path) -> None:
    opened(browser, folder / "playground_curve.html")
    before = weights(browser)
    browser.evaluate("training.y.fill(1e200); play(true); make()")
    said = browser.evaluate("$('said').textContent")
    assert "a number that is not finite, so no weight was changed" in said
    assert weights(browser) == before
    assert not browser.evaluate("player.is_on")


def test_it_stops_after_the_epochs(browser: Browser, tmp_path: Path) -> None:
    MLP(2, [1], seed=0).playground(tmp_path / "page.html", POINTS, SIDES, batch_size=7, epochs=2)
    opened(browser, tmp_path / "page.html")
    browser.evaluate("play(true); for (let i = 0; i < 50 && player.is_on; i++) make()")
    assert browser.evaluate("[training.step, $('step').textContent]") == [6, "6"]


# ------------------------------------------------------------------ what a reader does


def test_keys_play_and_step(moons: Browser) -> None:
    moons.press("ArrowRight", "ArrowRight")
    assert moons.evaluate("training.step") == 2
    moons.press(" ")
    moons.evaluate("new Promise((done) => setTimeout(done, 300))")
    moons.press(" ")
    step = moons.evaluate("training.step")
    assert step > 2
    loss = moons.evaluate("training.losses.at(-1)")
    shown = moons.evaluate("$('loss').textContent")
    assert float(shown) == pytest.approx(loss, rel=5e-4)
    assert len(re.sub(r"^0\.0*|\.", "", shown)) == 4
    assert moons.evaluate("$('said').textContent").startswith(f"Step {step}, loss {shown}")


def test_points_are_added_with_the_class_chosen_moved_and_removed(moons: Browser) -> None:
    state = "[training.count, training.y.at(-1)]"
    click(moons, (-1.5, -1.0))
    assert moons.evaluate(state) == [201, 0]
    moons.evaluate("document.querySelectorAll('[name=class]')[1].click()")
    click(moons, (1.5, 1.0), to=(1.2, 0.9))
    assert moons.evaluate(state) == [202, 1]
    assert moons.evaluate("[...view.place(201)]") == pytest.approx([1.2, 0.9], abs=0.01)
    moons.evaluate("document.querySelector('[value=remove]').click()")
    click(moons, (-1.5, -1.0))
    assert moons.evaluate(state) == [201, 1]
    moons.evaluate("$('restore').click()")
    assert moons.evaluate("training.count") == 200
    assert not moons.errors


def test_points_can_be_set_with_keys_alone(moons: Browser) -> None:
    moons.evaluate("$('view').focus()")
    moons.press("n", "n")
    before = moons.evaluate("[...view.place(1)]")
    moons.press("ArrowRight")
    after = moons.evaluate("[...view.place(1)]")
    assert after[0] > before[0]
    assert after[1] == pytest.approx(before[1])
    moons.press("Enter")
    assert moons.evaluate("training.count") == 201


def test_a_neuron_shows_its_own_boundary_on_hover_and_by_the_list(moons: Browser) -> None:
    pixels = "(draw(), $('view').toDataURL())"
    output = moons.evaluate(pixels)
    x, y = moons.evaluate(
        "(() => { const box = $('network').getBoundingClientRect(), { x, y } = network.laid.columns[1][3]; return [box.x + x, box.y + y]; })()"
    )
    moons.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    own = moons.evaluate(pixels)
    told = moons.evaluate("$('told').textContent")
    w, b = moons.evaluate("[[...training.weights.W1.slice(6, 8)], training.weights.b1[3]]")
    assert told.startswith("layer 1, neuron 3, tanh: weights ")
    written = [
        float(x)
        for x in re.findall(
            r"[-\d.]+(?=[,;]|$)", told.replace("−", "-").split("weights")[1].replace("bias", "")
        )
    ]
    assert written[:2] == pytest.approx(w, rel=5e-3)
    assert b == 0.0
    moons.ask("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
    assert moons.evaluate(pixels) == output != own
    moons.evaluate("$('shown').value = '3'; $('shown').onchange()")
    assert moons.evaluate(pixels) == own
    # the line lies where the neuron's sum is 0
    line = moons.evaluate(
        "contour(training.neurons(view.cells(60))[3], 60, 0).map(([x, y]) => { const [[l, r], [b, t]] = view.range(); return [l + x / 60 * (r - l), t - y / 60 * (t - b)]; })"
    )
    assert len(line) > 20
    assert all(abs(w[0] * x1 + w[1] * x2 + b) < 0.001 for x1, x2 in line)


def test_the_weights_are_downloaded_as_load_reads_them(moons: Browser, tmp_path: Path) -> None:
    make(moons, 20)
    (tmp_path / "net.json").write_text(moons.evaluate("training.file()"))
    made = MLP.load(tmp_path / "net.json")
    assert repr(made) == "MLP(2, [16, 16, 1], activation='tanh')"
    assert numbers(made) == weights(moons)
    found = moons.evaluate("[...training.predict(Float64Array.of(0.3, -0.2))[0]]")
    assert made.predict([[0.3, -0.2]]) == pytest.approx(found)
    other = MLP(2, [16, 16, 1], activation="tanh", seed=5)
    other.load(tmp_path / "net.json")
    assert numbers(other) == numbers(made)


@pytest.mark.parametrize("name", ["xor", "curve", "people"])
def test_the_demo_pages_learn(name: str, browser: Browser, folder: Path) -> None:
    opened(browser, folder / f"playground_{name}.html")
    before = browser.evaluate("training.loss()")
    make(browser, 3000 if name == "xor" else 300)
    assert browser.evaluate("training.loss()") < 0.5 * before
    browser.evaluate("draw(); show(network.neurons[0]); draw()")
    right = browser.evaluate("view.share()")
    assert right is None if name == "curve" else right > 0.85
    assert not browser.errors


def test_predictions_stand_against_targets_where_inputs_are_many(
    browser: Browser, tmp_path: Path
) -> None:
    X = [[*row, 1.0] for row in POINTS]
    for targets, loss in (
        (SIDES, "mse"),
        ([i % 3 for i in range(20)], "cross_entropy"),
        (POINTS, "mse"),
    ):
        outputs = 3 if loss == "cross_entropy" else 2 if targets is POINTS else 1
        MLP(3, [4, outputs], seed=0).playground(tmp_path / "page.html", X, targets, loss=loss)
        opened(browser, tmp_path / "page.html")
        assert browser.evaluate("$('view_head').textContent") == "Predictions against targets"
        assert browser.evaluate("$('points').hidden")
        make(browser, 3)
        assert browser.evaluate("draw()") is None
        assert not browser.errors


def test_hostile_names_run_nothing(browser: Browser, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    hostile = "</script><img src=x onerror=alert(1)>"

    def activation(z: Any) -> Any:
        return tanh(z)

    activation.__name__ = hostile
    X = pandas.DataFrame(POINTS, columns=[hostile, "b"])
    model = MLP(2, [2, 1], activation=activation)
    made = model.playground(tmp_path / "page.html", X, SIDES)
    opened(browser, tmp_path / "page.html")
    assert browser.evaluate("document.querySelector('img')") is None
    assert browser.evaluate("document.title") == repr(model)
    (tmp_path / "notebook.html").write_text(made._repr_html_())
    browser.open(tmp_path / "notebook.html")
    assert browser.evaluate("document.querySelector('iframe').srcdoc") == made.html
    assert not browser.errors


# ------------------------------------------------------------------ without a browser


def test_the_page_is_one_file_and_holds_the_data(tmp_path: Path) -> None:
    model = Neuron(2, "sigmoid", seed=0)
    made = model.playground(tmp_path / "page.html", POINTS, SIDES)
    assert repr(made) == "<Playground of Neuron(2, activation='sigmoid'): 3 parameters, 20 rows>"
    text = (tmp_path / "page.html").read_text("utf-8")
    assert text == made.html == model.playground(None, POINTS, SIDES).html
    assert not re.search(r"""(src|href)=["']|url\(|https?:""", text)
    content = json.loads(re.search(r'application/json">(.*?)</script>', text, re.DOTALL)[1])
    assert content["x"] == POINTS
    with pytest.raises(ValueError, match=r"a page is saved as HTML, got 'a.png': write 'a.html'"):
        made.save(tmp_path / "a.png")


def reads_numbers(prediction: Any, target: float) -> Any:
    return abs(prediction - target) if prediction > 0 else prediction * prediction


class Counts(Module):
    def __init__(self) -> None:
        self.neuron, self.calls = Neuron(2, seed=0), 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return self.neuron(x) * self.calls


def without_number() -> MLP:
    model = MLP(2, [1])
    model.parameters()[0].data = math.nan
    return model


class Own(SGD):
    def step(self) -> None:
        pass


WRONG = [
    (MLP(2, [200, 100, 1]), POINTS, SIDES, {}, ValueError, r"at most 20,000 parameters, and .* has 20,801: train it with fit"),
    (MLP(2, [1]), POINTS, SIDES[1:], {}, ValueError, r"X has 20 rows and y has 19"),
    (MLP(3, [1]), POINTS, SIDES, {}, ValueError, r"layer 1 \(3 → 1\) expects 3 inputs, got 2"),
    (MLP(1, [1]), [0.0] * 100_001, [0.0] * 100_001, {}, ValueError, r"X and y have 200,002 numbers, and a page holds at most 200,000"),
    (MLP(2, [1]), POINTS, SIDES, {"loss": reads_numbers}, TraceError, r"where\(.*\)"),
    (Counts(), POINTS, SIDES, {}, TraceError, "count"),
    (without_number(), POINTS, SIDES, {}, ValueError, "W1 has a number that is nan or infinite"),
    (MLP(2, [1]), POINTS, SIDES, {"loss": "mze"}, ValueError, "mze"),
    (MLP(2, [1]), POINTS, SIDES, {"lr": lambda step: 0.1}, ValueError, r"lr is a function of the step, .* write lr=0.01"),
    (MLP(2, [1]), POINTS, SIDES, {"optimizer": "lbfgs"}, ValueError, "L-BFGS needs several: take .sgd."),
    (MLP(2, [1]), POINTS, SIDES, {"optimizer": Own}, TraceError, "the step of Own is its own"),
    (MLP(2, [1]), POINTS, SIDES, {"reduction": "max"}, ValueError, "reduction='max' is none of 'mean', 'sum'"),
    (MLP(2, [1]), POINTS, SIDES, {"batch_size": 0}, ValueError, "batch_size"),
    (MLP(2, [1]), POINTS, SIDES, {"clip_norm": -1}, ValueError, "clip_norm must be above 0, and finite, got -1.0"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "X", "y", "options", "kind", "text"), WRONG)
def test_errors_say_what_to_do(model, X, y, options, kind, text, tmp_path) -> None:
    with pytest.raises(kind, match=text):
        model.playground(tmp_path / "page.html", X, y, **options)
    assert not list(tmp_path.iterdir())
