"""check_gradient: every row passes, every wrong rule is caught, rounding and kinks are told from mistakes."""

import math

import pytest

import scalargrad as sg
from scalargrad import Value, check_gradient, grad
from scalargrad.nn import MLP
from scalargrad.ops import OPS


@pytest.mark.parametrize(
    "op",
    [op for op in OPS.values() if op.is_public and not op.takes_lists and not op.is_composed],
    ids=lambda op: op.name,
)
def test_every_row_passes_check_gradient(op):
    points = {
        "arcsin": (0.3,),
        "arccos": (0.3,),
        "arctanh": (0.3,),
        "arccosh": (1.8,),
        "clip": (0.4, 0.0, 1.0),
    }.get(op.name, (1.3, 0.6, 2.0))
    operands = points[: len(op.operands)]
    f = getattr(sg, op.name)
    assert check_gradient(lambda *xs: f(*xs), *operands, wrt=tuple(range(len(operands)))) <= 1.0
    assert (
        check_gradient(
            lambda *xs: sg.sum(grad(lambda *ys: f(*ys), wrt=tuple(range(len(xs))))(*xs)), *operands
        )
        <= 1.0
    )


def wrong_by(factor):
    """A rule whose slope is off by a factor."""
    name = f"wrong_{str(factor).replace('.', '_').replace('-', '_')}"
    if name not in OPS:
        sg.custom_op(name, "sin(x)", f"{factor!r} * cos(x)")
    return getattr(sg, name)


@pytest.fixture
def table_restored():
    before = set(OPS)
    yield
    for name in set(OPS) - before:
        del OPS[name]
        delattr(Value, name)
        import scalargrad.functions

        vars(scalargrad.functions).pop(name, None)


@pytest.mark.usefixtures("table_restored")
@pytest.mark.parametrize("factor", [-1.0, 2.0, 1.001, 0.999, 1.00001])
def test_a_wrong_custom_rule_is_caught(factor):
    rule = wrong_by(factor)
    with pytest.raises(sg.GradientError) as error:
        check_gradient(lambda x, y: rule(x) + y, 0.5, 2.0, wrt=(0, 1))
    lines = str(error.value).splitlines()
    assert lines[0] == "1 of 2 slopes differs from what differences give"
    assert lines[1].split() == ["input", "analytic", "numeric", "error", "verdict"]
    assert lines[2].split()[0] == "x"
    assert lines[2].split()[-1] == "wrong"
    assert lines[3].split()[-1] == "ok"
    title, analytic, numeric, _ = error.value.rows[0]
    assert (title, analytic) == ("x", pytest.approx(factor * math.cos(0.5)))
    assert numeric == pytest.approx(math.cos(0.5), rel=1e-9)


def test_check_gradient_names_parameters_and_entries():
    model = MLP(2, [2, 1], activation="tanh", seed=0)

    def loss(m, x):
        y = m(x)
        return y * y.data

    with pytest.raises(sg.GradientError) as error:
        check_gradient(loss, model, [0.5, -0.5])
    assert {row[0] for row in error.value.rows} == {name for name, _ in model.named_parameters()}
    assert check_gradient(lambda m, x: m(x) ** 2, model, [0.5, -0.5], wrt=(0, 1)) <= 1.0


def test_check_gradient_accepts_any_subgradient_at_a_kink():
    assert check_gradient(sg.relu, 0.0) <= 1.0
    assert check_gradient(lambda x: sg.maximum(x, 1.0), 1.0) <= 1.0
    assert check_gradient(abs, 0.0) <= 1.0


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (sg.log, 1e-6), (sg.log, 1e-20), (lambda x: 1 / x, 1e-6), (sg.sin, 1e4), (sg.sin, 1e6), (lambda x: sg.sin(x) + 1e8, 0.7),
        (sg.exp, -30.0),        (lambda x: x**3, 0.0), (lambda x: x**3, 1e5),
    ],
)  # fmt: skip
def test_check_gradient_settles_for_numbers_small_and_large(f, x):
    assert check_gradient(f, x, atol=1e-7) <= 1.0


@pytest.mark.usefixtures("table_restored")
def test_check_gradient_takes_no_rounding_or_curvature_for_a_kink():
    rule = wrong_by(2.0)
    sg.custom_op("log_off", "log(x)", "1.04 / x")
    for wrong, x in (
        (lambda x: rule(x) + 1e9, 0.7), (lambda x: x.data * 5e-6 + x * x * 0 + 1e4, 0.7), (sg.log_off, 1e-5), (lambda x: x * x.data, 4e-6),
    ):  # fmt: skip
        with pytest.raises(sg.GradientError):
            check_gradient(wrong, x)
