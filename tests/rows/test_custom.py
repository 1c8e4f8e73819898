"""Operations that users add: of text and of Python functions, their names, their traits, and what may be made again."""

from __future__ import annotations

import math
import random
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import scalargrad
from scalargrad import MLP, Value, compile, custom_op, draw, explain, functions, grad, hessian
from scalargrad.nn.inits import he, initializer, xavier
from scalargrad.ops import OPS, TRAITS
from scalargrad.rows import custom

PACKAGE = Path(scalargrad.__file__).parent
BACKENDS = ("python", "numpy", "native")


def digamma(x: float) -> float:
    """The slope of log Γ, by its asymptotic series."""
    shift = 0.0
    while x < 10.0:
        shift -= 1.0 / x
        x += 1.0
    z = 1.0 / (x * x)
    series = z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z / 132))))
    return shift + math.log(x) - 0.5 / x - series


# ------------------------------------------------------------------ of Python functions


def test_an_operation_of_functions_records_their_numbers() -> None:
    lgamma = custom_op("lgamma", math.lgamma, digamma)
    x = Value(3.5)
    y = lgamma(x) + x.lgamma()  # type: ignore[attr-defined]
    y.backward()
    assert (y.data, x.grad) == (2.0 * math.lgamma(3.5), 2.0 * digamma(3.5))
    assert lgamma(2.5) == math.lgamma(2.5)


def test_an_operation_of_functions_of_two_numbers_takes_a_tuple_of_slopes() -> None:
    power = custom_op(
        "power_of_mine",
        lambda x, y: x**y,
        (lambda x, y: y * x ** (y - 1.0), lambda x, y: x**y * scalargrad.log(x)),
    )
    x, y = Value(2.0), Value(3.0)
    power(x, y).backward()
    assert (power(2.0, 3.0), x.grad, y.grad) == (8.0, 12.0, 8.0 * math.log(2.0))
    assert power(2.0, y).partials == (None, 8.0 * math.log(2.0))
    assert hessian(lambda v: power(v[0], v[1]))([2.0, 3.0])[0][0] == 12.0


@pytest.mark.parametrize(
    ("raised", "number"),
    [(ValueError("math domain error"), math.nan), (ZeroDivisionError(), math.nan), (OverflowError(), math.inf)],
    ids=str,
)  # fmt: skip
def test_an_error_of_arithmetic_in_a_function_is_a_number(raised: Exception, number: float) -> None:
    def failing(x: float) -> float:
        raise raised

    f = custom_op(f"raising_{type(raised).__name__}", failing, lambda x: 2.0)
    y = f(Value(1.0))
    assert [str(x) for x in (f(1.0), y.data)] == [str(number)] * 2
    assert y.partials == (2.0,)


def test_a_function_may_return_any_real_number_and_is_told_of_others() -> None:
    assert custom_op("cut", lambda x: int(x), lambda x: 0)(Value(2.5)).partials == (0.0,)
    assert math.isnan(custom_op("root", lambda x: x**0.5, lambda x: 0.5 * x**-0.5)(-1.0))
    with pytest.raises(
        TypeError, match=r"functions of the operation 'texts' must take floats and return a real"
    ):
        custom_op("texts", lambda x: "1", lambda x: 1.0)(Value(1.0))


def test_the_slope_of_a_slope_is_that_of_its_function() -> None:
    square = custom_op("square_of_mine", lambda x: x * x, lambda x: 2.0 * x)
    assert grad(grad(square))(3.0) == compile(grad(grad(square)))(3.0) == 2.0
    trigamma = {1.0: math.pi**2 / 6.0}.__getitem__
    custom_op("digamma", digamma, trigamma)
    lgamma = custom_op("lgamma", math.lgamma, functions.digamma)  # type: ignore[attr-defined]
    assert grad(grad(lgamma))(1.0) == math.pi**2 / 6.0


def test_the_slope_of_a_slope_of_floats_is_refused_by_name() -> None:
    lgamma = custom_op("lgamma", math.lgamma, digamma)
    with pytest.raises(TypeError, match=r"second derivative of 'lgamma' .* write it with scalar"):
        grad(grad(lgamma))(2.0)


@pytest.mark.parametrize("backend", ["python", "numpy", "auto"])
def test_an_operation_of_functions_compiles_to_python_and_numpy(backend: str) -> None:
    lgamma = custom_op("lgamma", math.lgamma, digamma)
    f = compile(lambda rate, k: rate - k * scalargrad.log(rate) + lgamma(k * rate), rows=("k",), backend=backend)  # fmt: skip
    counts = [1.0, 2.0, 5.0, 3.0] * 50
    value, slope = f.value_and_grad(2.5, counts)
    rate = Value(2.5)
    rows = [rate - k * scalargrad.log(rate) + lgamma(k * rate) for k in counts]
    mean = scalargrad.mean(rows)
    mean.backward()
    assert (value, slope) == (pytest.approx(mean.data, rel=1e-14), pytest.approx(rate.grad, rel=1e-13))  # fmt: skip


def test_machine_code_and_files_refuse_an_operation_of_functions_by_name(tmp_path: Path) -> None:
    lgamma = custom_op("lgamma", math.lgamma, digamma)
    with pytest.raises(ValueError, match=r"backend='native' cannot compile lgamma"):
        compile(lambda x: lgamma(x), backend="native")(2.0)
    with pytest.raises(ValueError, match=r"a file cannot hold lgamma"):
        compile(lambda x: lgamma(x)).save(tmp_path / "f.py", 2.0)


@pytest.mark.parametrize("engine", ["eager", "compiled", "auto"])
def test_a_poisson_likelihood_of_lgamma_fits(engine: str) -> None:
    lgamma = custom_op("lgamma", math.lgamma, digamma)
    rng = random.Random(1)
    X = [[rng.uniform(-1.0, 1.0)] for _ in range(60)]
    counts = [float(round(math.exp(0.5 + 0.8 * x))) for (x,) in X]
    model = MLP(1, [1], seed=0)

    def loss(score: Any, k: Any) -> Any:  # -log of e^-λ λ^k / k!, with λ = e^score
        return scalargrad.exp(score) - k * score + lgamma(k + 1.0)

    model.fit(X, counts, loss=loss, optimizer="adam", lr=0.05, epochs=200, engine=engine)
    w, b = (p.data for p in model.parameters())
    slopes = [math.exp(w * x + b) - k for (x,), k in zip(X, counts, strict=True)]
    assert abs(sum(slopes)) / 60 < 1e-3  # at the minimum the mean of the slopes is 0
    assert abs(sum(s * x for s, (x,) in zip(slopes, X, strict=True))) / 60 < 1e-3


# ------------------------------------------------------------------ of text


def test_the_docstring_lists_the_functions_that_text_may_call() -> None:
    words = set(re.findall(r"\w+", custom_op.__doc__ or ""))
    assert set(custom.public_names()) <= words
    assert set(TRAITS) - {"python"} <= words


@pytest.mark.parametrize("name", custom.public_names())
def test_text_may_call_all_that_is_listed_and_compiles_everywhere(name: str) -> None:
    op = custom.named(name)
    assert op is not None
    arguments = ["0.25 + 0.5 * x" if name not in ("arccosh", "acosh") else "1.0 + x"] * len(
        op.operands
    )
    text = f"{name}({', '.join(arguments)})"
    f = custom_op("listed", text, f"0.0 * {text} + 1.0")
    x = Value(0.5)
    f(x).backward()
    for backend in ("python", "numpy"):
        value, slope = compile(lambda x: f(x), backend=backend).value_and_grad(0.5)
        assert value == pytest.approx(f(0.5), rel=1e-15)
        assert slope == x.grad == 1.0
    assert isinstance(grad(grad(f))(0.5), float)


@pytest.mark.parametrize(
    ("value", "slopes", "name"),
    [("lgamma(x)", "1.0", "math.lgamma"), ("floor(x)", "0.0", "math.floor"), ("fmod(x, y)", ("1.0", "0.0"), "math.fmod"), ("mine(x)", "1.0", "mine")],
)  # fmt: skip
def test_text_that_calls_another_function_is_told_what_to_write(
    value: str, slopes: Any, name: str
) -> None:
    with pytest.raises(ValueError, match=rf"Text may call abs, .* custom_op\('f', {name}, its_slope\)"):  # fmt: skip
        custom_op("f", value, slopes)


@pytest.mark.parametrize(
    "slopes", [lambda x: 2.0 * x, ("1.0", lambda x: x), 3.0], ids=["function", "both", "number"]
)
def test_value_and_slopes_of_two_kinds_are_told_what_to_write(slopes: Any) -> None:
    with pytest.raises(TypeError, match=r"all of one kind, got .* write custom_op\('cube', "):
        custom_op("q", "x * x", slopes)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_constant_slope_that_is_a_sum_is_multiplied_as_a_whole(backend: str) -> None:
    steep = custom_op("steep", "(1.0 + 0.5) * x", "1.0 + 0.5")
    f = compile(lambda w: (steep(w) - 1.0) ** 2, backend=backend)
    assert f.value_and_grad(2.0) == (4.0, 6.0)


# ------------------------------------------------------------------ names


@pytest.mark.parametrize("name", ["number", "count", "peak", "run", "records", "list_of", "where", "remainder", "len", "next", "node",
                                  "self", "products_of_others", "power_slope", "Lt", "choose", "parents", "conjugate", "exps"])  # fmt: skip
def test_a_name_that_the_package_uses_is_refused_or_harmless(name: str) -> None:
    with suppress(ValueError):
        custom_op(name, "x - 1.0", "1.0")
    xs = [Value(1.0), Value(2.0)]
    assert grad(grad(scalargrad.log))(0.5) == -4.0
    assert scalargrad.mean(xs).data == 1.5
    assert sum(scalargrad.softmax([1.0, 2.0])) == pytest.approx(1.0)
    assert grad(grad(lambda x: scalargrad.max([x, 1.0]) * x))(2.0) == 2.0
    with scalargrad.no_grad():
        assert scalargrad.exp(xs[0]).parents == ()


@pytest.mark.parametrize(
    "name",
    [
        *("records", "parameters", "step", "item", "tolist", "shape", "data", "backward", "label"),
        *("record", "any_kinds", "refuse", "total"),
    ],
)
def test_a_name_that_the_package_uses_is_no_name_for_an_operation(name: str) -> None:
    with pytest.raises(
        ValueError, match="is taken by Python or by the package: give the operation"
    ):
        custom_op(name, "x", "1.0")


# ------------------------------------------------------------------ made again


def test_the_same_operation_may_be_made_again() -> None:
    def cell() -> Any:
        bend = 2.0

        def slope(x: float) -> float:
            return bend * x

        return (
            custom_op("text", "e * x", "e + e * x", symbol="t", work=("e = exp(x)",)),
            custom_op("function", lambda x: x * x, slope),
        )

    assert cell() == cell()
    namespaces: list[dict[str, Any]] = []
    source = "f = custom_op('twice', lambda x: 2.0 * x, lambda x: two)\ntwo = 2.0"
    shared: dict[str, Any] = {"custom_op": custom_op}
    for lines_before in range(2):  # a cell that is run again, further down
        exec("\n" * lines_before + source, shared)
        namespaces.append(shared["f"])
    assert namespaces[0] is namespaces[1]


@pytest.mark.parametrize(
    ("again", "says"),
    [
        (lambda: custom_op("f", "x * x", "x"), r"was made before with slopes \('2.0 \* x',\), now with \('x',\): give it another"),
        (lambda: custom_op("f", "x * 2.0", "2.0"), r"was made before with value 'x \* x', now with 'x \* 2.0'"),
        (lambda: custom_op("f", "x * x", "2.0 * x", symbol="²"), r"was made before with symbol 'f', now with '²'"),
        (lambda: custom_op("f", "x * x", "2.0 * x", traits="rectifier"), r"with traits 'activation', now with 'activation rectifier'"),
        (lambda: custom_op("f", lambda x: x, lambda x: 1.0), r"was made before from text, now from functions"),
        (lambda: custom_op("g", lambda x: x, lambda x: 3.0), r"'g' was made before with another function as its slope by x"),
        (lambda: custom_op("g", "x", "1.0"), r"was made before from functions, now from text"),
    ],
)  # fmt: skip
def test_another_operation_of_that_name_is_told_how_it_differs(again: Any, says: str) -> None:
    custom_op("f", "x * x", "2.0 * x")
    custom_op("g", lambda x: x, lambda x: 2.0)
    with pytest.raises(ValueError, match=says):
        again()


# ------------------------------------------------------------------ traits


@pytest.mark.parametrize("passes", [">=", "<="])
def test_a_rectifier_whose_slope_jumps_at_0_has_no_known_second_slope_there(passes: str) -> None:
    sign = 1.0 if passes == ">=" else -1.0
    half = custom_op(
        "half",
        f"x if x {passes} 0.0 else 0.0",
        f"1.0 if x {passes} 0.0 else 0.0",
        traits="rectifier",
    )
    assert grad(grad(lambda x: half(sign * x * x)))(1.0) == 2.0 * sign
    assert math.isnan(grad(grad(lambda x: half(-sign * x * x)))(0.0))  # it is 0 on both sides


def test_a_rectifier_gets_the_weights_of_one_and_is_an_activation() -> None:
    custom_op("bend", "0.0 if x < 0.0 else 2.0 * x", "0.0 if x < 0.0 else 2.0", traits="rectifier")
    custom_op("plain", "2.0 * x", "2.0")
    assert initializer(None, "bend") is he
    assert initializer(None, "plain") is xavier
    assert (OPS["bend"].is_rectifier, OPS["bend"].is_activation) == (True, True)
    model = MLP(2, [2, 1], activation="bend", seed=0)
    svg = draw(model([0.5, -0.25])).svg
    assert "a1[0]" in svg
    custom_op("loss_like", "x * x", "2.0 * x", traits="linear")
    assert not OPS["loss_like"].is_activation


def test_a_commutative_operation_has_no_marks_of_order_in_pictures() -> None:
    one = custom_op("either", "x * y + 1.0", ("y", "x"), traits="commutative")
    other = custom_op("first", "x * x * y", ("2.0 * x * y", "x * x"))
    a, b = Value(2.0, "a"), Value(3.0, "b")
    assert "①" not in draw(one(a, b)).svg
    assert "①" in draw(other(a, b)).svg


def test_an_infix_operation_is_written_between_its_operands() -> None:
    meet = custom_op("meet", "x * y / (x + y)", ("y * y / (x + y) ** 2", "x * x / (x + y) ** 2"), symbol="∥", traits="commutative",
                     infix=" ∥ ")  # fmt: skip
    a, b, c = Value(2.0, "a"), Value(3.0, "b"), Value(4.0, "c")
    y = meet(a, b + c) * c
    assert "(a ∥ (b + c))·c" in draw(y).svg
    assert "∥" in str(explain(y, "a"))


def test_traits_that_are_unknown_and_infix_of_one_operand_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'comutative' is none of commutative, linear"):
        custom_op("f", "x * y", ("y", "x"), traits="comutative")
    with pytest.raises(ValueError, match=r"stands between two operands, and there is one"):
        custom_op("f", "x * x", "2.0 * x", infix=" ∘ ")
    for trait in ("rectifier", "activation"):
        with pytest.raises(ValueError, match=r"an activation has one operand, and there are two"):
            custom_op("f", "x * y", ("y", "x"), traits=trait)


def test_a_type_error_of_a_function_that_a_user_gave_comes_through():
    def broken(x):
        raise TypeError("my own")

    op = custom_op("broken_with_a_type_error", broken, lambda x: 1.0)
    with pytest.raises(TypeError, match=r"^my own$"):
        op(Value(1.0))
