"""The words of pictures and explanations: labels, figures, operations with the brackets they need."""

import copy
import pickle
import random

import pytest

import scalargrad as sg
from scalargrad import MLP, Neuron, Value, draw, explain
from scalargrad.nn.inits import initializer
from scalargrad.wording import (
    ParameterLabel,
    clean,
    figure,
    formulas,
    label_of,
    name_formula,
    number_formula,
)
from tests.pictures.reading import Picture


def text_of(root):
    return formulas(root.graph(), {v: name_formula(v.label) for v in root.graph() if v.label})[root]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda a, b, c: a + b + c, "a + b + c"),
        (lambda a, b, c: a - (b - c), "a − (b − c)"),
        (lambda a, b, c: a - b - c, "a − b − c"),
        (lambda a, b, c: (a + b) * c, "(a + b)·c"),
        (lambda a, b, c: a / (b * c), "a / (b·c)"),
        (lambda a, b, c: a / b / c, "a / b / c"),
        (lambda a, b, c: -(a + b), "−(a + b)"),
        (lambda a, b, c: -(a * b), "−(a·b)"),
        (lambda a, b, c: -a + b, "−a + b"),
        (lambda a, b, c: a + -b, "a + (−b)"),
        (lambda a, b, c: (-a) ** 2, "(−a)**2"),
        (lambda a, b, c: -(a**2), "−a**2"),
        (lambda a, b, c: (a**b) ** c, "(a**b)**c"),
        (lambda a, b, c: a ** (b**c), "a**b**c"),
        (lambda a, b, c: a * -3.0, "a·(−3)"),
        (lambda a, b, c: sg.tanh(a + b) * c, "tanh(a + b)·c"),
        (lambda a, b, c: sg.sum([a, b * c]) * 2, "(a + b·c)·2"),
        (lambda a, b, c: sg.dot([a, b], [c, a + b]) ** 2, "(a·c + b·(a + b))**2"),
        (lambda a, b, c: sg.dot([a], [b], c), "a·b + c"),
        (lambda a, b, c: sg.clip(a, 0, 1), "clip(a, 0, 1)"),
    ],
)
def test_an_operation_has_the_brackets_it_needs(make, text):
    assert text_of(make(Value(2.0, "a"), Value(3.0, "b"), Value(0.5, "c"))) == text


def test_init_picture_and_explanation_follow_the_traits_of_an_operation():
    sg.custom_op("hinged", "x if x > 0.0 else 0.0", "1.0 if x > 0.0 else 0.0", traits="rectifier")
    both = sg.custom_op(
        "both", "x * y / (x + y)", ("out / x", "out / y"), traits="commutative", infix=" ∥ "
    )
    less = sg.custom_op("less", "x - 2.0 * y", ("1.0", "-2.0"), infix=" ⊖ ")
    assert initializer(None, "hinged") is initializer(None, "relu")
    neuron = Neuron(2, activation="hinged", seed=0)
    a = neuron([Value(1.0, "x0"), Value(2.0, "x1")])
    picture = Picture(draw(a))
    assert "2 → 1 · hinged" in picture.texts
    assert {"z", "a"} <= {card.texts[0] for card in picture.cards}
    x, y = Value(2.0, "x"), Value(3.0, "y")
    assert not any("①" in text for text in Picture(draw(both(x, y))).texts)
    assert any("①" in text for text in Picture(draw(less(x, y))).texts)
    assert "(x ⊖ y)·x" in Picture(draw(less(x, y) * x)).texts
    assert "    v1 = (x ∥ y) + x = (2 ∥ 3) + 2 = " in repr(explain(both(x, y) + x, x))


def test_the_symbol_of_an_operation_is_text_too():
    odd = sg.custom_op(
        "odd", "x * x + y", ("2.0 * x", "1.0"), symbol="\u202e<b>\x07", infix="\n<\x00"
    )
    picture = Picture(draw(odd(Value(2.0, "x"), Value(3.0, "y"))))
    assert "�<b>�" in picture.texts
    assert "x <�y" in picture.texts


@pytest.mark.parametrize("seed", range(60))
def test_python_reads_a_written_formula_as_what_it_was(seed):
    rng = random.Random(seed)
    values = [Value(rng.choice([0.5, 1.25, 2.0, 3.0]), name) for name in "abc"]
    makes = [lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / (y * y + 1),
             lambda x, y: -x, lambda x, y: (x * x) ** 0.5 ** 2, lambda x, y: sg.dot([x, y], [y, x])]  # fmt: skip
    leaves = {value.label: value.data for value in values}
    for _ in range(5):
        values.append(rng.choice(makes)(*rng.choices(values, k=2)))
    for value, text in formulas(
        values[-1].graph(), {v: name_formula(v.label) for v in values[:3]}, digits=17, longest=500
    ).items():
        python = text.replace("·", "*").replace("−", "-")
        assert eval(python, leaves) == pytest.approx(value.data, rel=1e-12)


def test_no_sign_follows_a_sign():
    x = Value(2.0, "x")
    minus = -x
    assert text_of(-minus) == "−(−x)"
    assert text_of(-(x**2)) == "−x**2"
    assert text_of((-x) ** 2) == "(−x)**2"


def test_a_label_that_looks_like_an_operation_gets_brackets():
    assert text_of(Value(2.0, "a+b") * Value(3.0, "c")) == "(a+b)·c"


def test_a_number_in_a_formula_is_short():
    assert number_formula(1 / 3) == ("0.333", 5)
    assert figure(-0.0) == "0"


def test_a_long_formula_is_left_out():
    x = Value(1.0, "x")
    y = x
    for _ in range(50):
        y = y + x
    assert y not in formulas(y.graph(), {x: name_formula("x")})


def test_a_label_in_several_lines_is_one_line():
    assert clean("a\nb\tc\rd") == "a b c d"
    value = Value(1.0)
    for label, shown in ((3, "3"), (None, ""), (0, "0"), ("", "")):
        value.label = label
        assert label_of(value) == shown


def test_a_parameters_label_keeps_its_place_in_copies():
    label = MLP(2, [3, 1]).layers[0].neurons[2].w[1].label
    for same in (label, copy.deepcopy(label), *(pickle.loads(pickle.dumps(label, p)) for p in range(6))):  # fmt: skip
        assert (same, same.layer, same.neuron, same.input) == ("W1[2,1]", "1", 2, 1)
        assert type(same) is ParameterLabel
    assert type(Value(1.0, label).detach().label) is str
