"""The words of pictures and explanations: labels, figures, operations with the brackets they need."""

import copy
import pickle
import random

import pytest

import scalargrad as sg
from scalargrad import MLP, Value
from scalargrad.wording import ParameterLabel, clean, figure, formulas, label_of, named, number


def text_of(root):
    return formulas(root.graph(), {v: named(v.label) for v in root.graph() if v.label})[root]


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
        values[-1].graph(), {v: named(v.label) for v in values[:3]}, digits=17, longest=500
    ).items():
        python = text.replace("·", "*").replace("−", "-")
        assert eval(python, leaves) == pytest.approx(value.data, rel=1e-12)


def test_a_label_that_looks_like_an_operation_gets_brackets():
    assert text_of(Value(2.0, "a+b") * Value(3.0, "c")) == "(a+b)·c"


def test_a_number_in_a_formula_is_short():
    assert number(1 / 3) == ("0.333", 5)
    assert figure(-0.0) == "0"


def test_a_long_formula_is_left_out():
    x = Value(1.0, "x")
    y = x
    for _ in range(50):
        y = y + x
    assert y not in formulas(y.graph(), {x: named("x")})


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
