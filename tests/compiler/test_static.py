"""Arguments that are a part of the structure: a trace is made for each, and code may decide by them."""

from __future__ import annotations

import enum
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import TraceError

from .tools import compiled, counted


class Kind(enum.Enum):
    LINE = 1
    SQUARE = 2


class Power(enum.IntEnum):
    TWO = 2


@dataclass(frozen=True)
class Setting:
    power: int


def power(x, n):
    y = 1.0
    for _ in range(n):
        y = y * x
    return y


# fmt: off
STATIC = {  # a function of x and n, and for each n the value and slope at x = 3
    "range(n)":           (power, {0: (1.0, 0.0), 1: (3.0, 1.0), 4: (81.0, 108.0), Power.TWO: (9.0, 6.0), np.int64(2): (9.0, 6.0)}),
    "if n":               (lambda x, n: x * x if n else x, {0: (3.0, 1.0), 1: (9.0, 6.0), "": (3.0, 1.0), 2.5: (9.0, 6.0)}),
    "n is True":          (lambda x, n: x * x if n is True else x, {1: (3.0, 1.0), 0: (3.0, 1.0)}),
    "an index":           (lambda x, n: [x, x * x][n], {0: (3.0, 1.0), 1: (9.0, 6.0), -1: (9.0, 6.0)}),
    "a text":             (lambda x, n: getattr(sg, n)(x), {"square": (9.0, 6.0), "abs": (3.0, 1.0)}),
    "an enum":            (lambda x, n: x * x if n is Kind.SQUARE else x, {Kind.LINE: (3.0, 1.0), Kind.SQUARE: (9.0, 6.0)}),
    "a tuple":            (lambda x, n: power(x, n[0]) * n[1], {(2, 1): (9.0, 6.0), (2, 3): (27.0, 18.0), (1, 1): (3.0, 1.0)}),
    "a frozen dataclass": (lambda x, n: power(x, n.power), {Setting(2): (9.0, 6.0), Setting(1): (3.0, 1.0)}),
    "the sign of zero":   (lambda x, n: x if str(n) == "0.0" else x * x, {0.0: (3.0, 1.0), -1.0: (9.0, 6.0)}),
}
# fmt: on


@pytest.mark.parametrize(("fn", "cases"), STATIC.values(), ids=STATIC)
def test_a_trace_is_made_for_each_static_argument(fn, cases):
    counting, calls = counted(fn)
    f = compiled(counting, static=("n",))
    for _ in range(2):
        for n, expected in cases.items():
            assert f.value_and_grad(3.0, n) == expected
            assert f.value_and_grad(3.0, n=n) == expected
    traced = len(calls)
    for n, expected in cases.items():
        assert f(3.0, n) == expected[0]
    assert len(calls) == traced


def test_what_is_equal_and_not_the_same_has_a_trace_of_its_own():
    g = compiled(lambda x, n: x * x if n is True else x, static="n")
    assert [g(3.0, n) for n in (1, True, 1.0, True, 1)] == [3.0, 9.0, 3.0, 9.0, 3.0]
    f = compiled(lambda x, n: x if str(n) == "0.0" else x * x, static="n")
    assert [f(3.0, n) for n in (0.0, -0.0, 0, False, 0.0)] == [3.0, 9.0, 9.0, 9.0, 3.0]


@dataclass(frozen=True)
class Times:
    factor: float

    def __call__(self, x):
        return 100.0 * x if self.factor is True else x + np.copysign(1.0, self.factor)


@pytest.mark.parametrize("options", [{}, {"static": "by"}])
def test_objects_that_are_equal_by_a_rule_of_their_own_are_told_apart(options):
    f = compiled(lambda x, by: by(x), **options)
    assert [f(2.0, Times(k)) for k in (0.0, -0.0, 1, True, 1)] == [3.0, 1.0, 3.0, 200.0, 3.0]


def test_lists_dicts_and_arrays_can_be_static():
    counting, calls = counted(lambda x, n: sum(x**i for i in n["powers"]))
    f = compiled(counting, static=["n"])
    for _ in range(3):
        assert f(2.0, {"powers": [1, 2]}) == 6.0
    assert len(calls) == 2
    powers = {"powers": [1, 2]}
    assert f(2.0, powers) == 6.0
    powers["powers"].append(3)
    assert f(2.0, powers) == 14.0
    places = np.array([0, 2])
    g = compiled(lambda x, n: sg.sum([x[i] for i in n]), static="n")
    assert g([1.0, 2.0, 4.0], places) == 5.0
    places[0] = 1
    assert g([1.0, 2.0, 4.0], places) == 6.0


def test_truth_values_texts_and_none_are_static_by_themselves():
    def fn(x, flag, options=None):
        if flag and options and options["square"]:
            return x * x
        return x if flag else -x

    f = compiled(fn)
    for flag in (True, np.True_):
        assert f(3.0, flag) == f(3.0, flag, None) == f(3.0, flag, {"square": False}) == 3.0
        assert f.value_and_grad(3.0, flag, {"square": True}) == (9.0, 6.0)
    assert f(3.0, False) == -3.0
    with pytest.raises(TraceError):
        f(3.0, 1.0)


def test_truth_values_in_lists_of_numbers_and_in_rows_are_numbers():
    counting, calls = counted(lambda p: p[0] * p[1])
    f = compiled(counting)
    assert [f([2.0, flag]) for flag in (True, False, 3.0)] == [2.0, 0.0, 6.0]
    assert len(calls) == 2
    g = compiled(lambda w, y: w * y, rows="y", reduce="sum")
    for rows in ([True, False, True], np.array([True, False, True]), [np.True_, np.False_, 1]):
        assert g(3.0, rows) == 6.0


@pytest.mark.parametrize(
    "fn",
    [
        power,
        lambda x, n: x if n else -x,
        lambda x, n: [x, x, -x][n],
        lambda x, n: x if n == 2 else -x,
        lambda x, n: x * int(n),
        lambda x, n: x if n > 1 else -x,
    ],
)
def test_what_decides_by_an_argument_says_how_to_name_it(fn):
    with pytest.raises(TraceError, match=r'if n is a part of .* static=\("n",\)\)'):
        compiled(fn)(3.0, 2)
    assert compiled(fn, static=("n",))(3.0, 2) == sg.value_and_grad(fn)(3.0, 2)[0]


def test_where_no_argument_is_one_number_static_is_not_spoken_of():
    with pytest.raises(TraceError) as caught:
        compiled(lambda x: power(2.0, x[0]))([3.0])
    assert "static=" not in str(caught.value)


def test_an_argument_of_another_kind_says_how_to_name_it():
    with pytest.raises(TypeError, match=r'kind is Kind, expected .* static=\("kind",\)\)'):
        compiled(lambda x, kind: x)(3.0, Kind.LINE)


def test_static_names_arguments_and_no_rows():
    with pytest.raises(ValueError, match="static names 'm', and power has the arguments x, n"):
        sg.compile(power, static="m")
    with pytest.raises(TypeError, match="static takes names of arguments, got 1"):
        sg.compile(power, static=1)
    with pytest.raises(ValueError, match="n cannot both carry rows and be static"):
        sg.compile(power, rows="n", static="n")
    with pytest.raises(TypeError, match="argument 1, which is no number but 2: name another"):
        sg.compile(power, wrt=1, static="n").value_and_grad(3.0, 2)


def test_it_stays_static_when_it_is_pickled_and_as_a_method():
    f = pickle.loads(pickle.dumps(compiled(power, static="n")))
    assert f(3.0, 2) == 9.0
    assert repr(f) == "compile(power, wrt=0, backend='python', static=('n',))"

    class Powers:
        scale = 2.0

        @sg.compile
        def plain(self, x):
            return x * self.scale

        of = sg.compile(lambda self, x, n: power(x, n) * self.scale, static="n")

    assert Powers().of(3.0, 2) == 18.0


@pytest.mark.parametrize("backend", ["python", "numpy", "native"])
def test_static_arguments_beside_rows_and_in_files(backend, tmp_path):
    f = sg.compile(lambda w, x, n: power(w * x, n), rows="x", static="n", backend=backend)
    x = np.array([1.0, 2.0])
    assert f.value_and_grad(3.0, x, 2) == (22.5, 15.0)
    assert f.value_and_grad(3.0, x, 1) == (4.5, 1.5)
    if backend == "python":
        f.save(tmp_path / "saved.py", 3.0, x, 2)
        names = {}
        exec((tmp_path / "saved.py").read_text(encoding="utf-8"), names)
        assert names["value_and_grad"](3.0, [1.0, 2.0]) == (22.5, 15.0)


def test_functions_within_a_dict_of_settings_are_watched():
    factors = [2.0]
    scale = lambda x: x * factors[0]
    f = compiled(lambda x, settings: settings["how"](x))
    assert f(3.0, {"how": scale}) == 6.0
    factors[0] = 5.0
    assert f(3.0, {"how": scale}) == 15.0
