"""Arguments: the form of each, its blocks in order, and back again."""

from __future__ import annotations

import math
from collections import OrderedDict, namedtuple
from fractions import Fraction

import numpy as np
import pandas
import pytest

from scalargrad import MLP, Neuron
from scalargrad.compiler.arguments import read, read_rows
from scalargrad.compiler.contents import as_array, as_lists, flat, handing, shaped

Point = namedtuple("Point", "x y")
MODEL = Neuron(2, seed=1)

ARGUMENTS = {
    "a number": 2.0,
    "an int": 3,
    "a list": [1.0, 2.0],
    "mixed numbers": [1, 2.0, True],
    "a tuple of lists": ([1.0], [2.0]),
    "ragged": [[1.0], [2.0, 3.0], 4.0],
    "an array": np.arange(6.0).reshape(2, 3),
    "a list of arrays": [np.arange(3.0), np.arange(3)],
    "an array of ints": np.arange(3),
    "numbers and arrays of several kinds": {"a": np.float64(2.0), "b": np.ones(2, "f")},
    "a dict": {"w": [[1.0, 2.0]], "b": 0.5, "in": {"a": (1.0,)}},
    "an ordered dict": OrderedDict(a=1.0, b=[2.0]),
    "a named tuple": Point(1.0, [2.0, 3.0]),
    "a module": MODEL,
    "a state": MLP(2, [3, 1], seed=1).state(),
    "modules in a list": [MODEL, Neuron(1, seed=2)],
    "with fixed parts": {"kind": "relu", "how": abs, "nothing": None, "x": 1.0},
    "empty": [[], (), {}],
    "a text": "mean",
}


def numbers(content):
    return flat(as_lists(content))


@pytest.mark.parametrize("argument", ARGUMENTS.values(), ids=ARGUMENTS)
def test_blocks_stand_in_the_order_of_contents_and_have_their_shapes(argument):
    contents = []
    form = read(argument, "p", contents)
    blocks = form.blocks("p")
    assert [block.shape for block in blocks] == [np.shape(content) for content in contents]
    assert [len(block.inputs) for block in blocks] == [
        len(numbers(content)) for content in contents
    ]


@pytest.mark.parametrize(
    "argument",
    [a for name, a in ARGUMENTS.items() if not name.startswith(("a module", "modules", "a state"))],
)
def test_what_is_traced_and_gathered_has_the_argument_s_structure(argument):
    contents = []
    form = read(argument, "p", contents)
    seen = form.traced(zip(form.blocks("p"), map(numbers, contents)))
    assert alike(seen, argument)
    for give in (list, np.array):  # as a backend in plain Python gives them, and one on arrays
        given = [shaped(numbers(content), np.shape(content)) for content in contents]
        given = [give(x) if isinstance(x, list) else x for x in given]
        assert alike(form.gathering()(iter(given)), argument, is_gradient=True)


def alike(one, other, is_gradient=False):
    if isinstance(other, np.ndarray):
        kind = float if is_gradient else object
        return one.dtype == kind and np.array_equal(one.astype(float), other)
    if isinstance(other, dict):
        return (
            type(one) is type(other)
            and one.keys() == other.keys()
            and all(alike(one[key], other[key], is_gradient) for key in other)
        )
    if isinstance(other, list | tuple):
        return (
            type(one) is type(other)
            and len(one) == len(other)
            and all(alike(a, b, is_gradient) for a, b in zip(one, other))
        )
    return one == (
        None
        if is_gradient and (other is None or callable(other) or isinstance(other, str))
        else other
    )


def test_a_module_is_traced_as_a_copy_and_gives_a_state():
    contents = []
    form = read(MODEL, "model", contents)
    copy = form.traced(zip(form.blocks("p"), [["w0", "w1"], ["b"]]))
    assert (copy.w, copy.b) == (("w0", "w1"), "b")
    assert [type(x).__name__ for x in MODEL.parameters()] == ["Value"] * 3
    state = form.gathering()(iter([[1.0, 2.0], 3.0]))
    assert (state["w"].tolist(), state["b"], state.module) == ([1.0, 2.0], 3.0, MODEL)
    assert read(MODEL.state(), "s", []) == form


# ------------------------------------------------------------------ forms as keys


def form(argument):
    return read(argument, "x", [])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.0, 2),
        ([1.0, 2.0], [3, True]),
        (np.ones(2), np.zeros(2, int)),
        ({"a": 1.0}, {"a": 5}),
        (Point(1.0, 2.0), Point(3.0, 4.0)),
        (OrderedDict(a=1.0), OrderedDict(a=2.0)),
        ([[1.0], [2.0, 3.0]], [[4.0], [5.0, 6.0]]),
        (MODEL, MODEL.state()),
        ("mean", "mean"),
        (pandas.Series([1.0]), np.array([2.0])),
    ],
)
def test_other_numbers_have_the_same_form_and_key(one, other):
    assert form(one) == form(other)
    assert hash(form(one)) == hash(form(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.0, [1.0]),
        ([1.0], (1.0,)),
        ([1.0], np.array([1.0])),
        ([1.0], [1.0, 2.0]),
        ([[1.0]], [(1.0,)]),
        ([np.ones(1)], [[1.0]]),
        ({"a": 1.0}, {"b": 1.0}),
        ({"a": 1.0, "b": 2.0}, {"b": 2.0, "a": 1.0}),
        ({"a": 1.0}, OrderedDict(a=1.0)),
        ((1.0, 2.0), Point(1.0, 2.0)),
        (MODEL, Neuron(2, seed=1)),
        ("mean", "sum"),
        (None, "None"),
        (abs, len),
        ([], ()),
    ],
)
def test_what_a_function_can_tell_apart_has_another_form(one, other):
    assert form(one) != form(other)


def test_callables_without_a_hash_are_told_by_identity():
    class Odd:
        __hash__ = None

        def __call__(self, x):
            return x

    one = Odd()
    assert form(one) == form(one) != form(Odd())
    assert form(one).traced(iter([])) is one


# ------------------------------------------------------------------ reading again


@pytest.mark.parametrize("argument", [a for name, a in ARGUMENTS.items() if name != "a module"])
def test_what_fits_is_read_as_it_would_be_read_anew(argument):
    first, again = [], []
    assert read(argument, "p", first).fits(argument, again)
    assert [as_lists(content) for content in again] == [as_lists(content) for content in first]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.0, np.float64(1.0)), (1.0, True), (1.0, [1.0]), (np.ones(2), np.ones(3)), (np.ones(2), np.ones((2, 1))),
        (np.ones(2), np.ones((2, 2))),
        (np.ones(2), [1.0, 2.0]), ([1.0], [1.0, 2.0]), (MODEL.state(), {**MODEL.state()}), (MODEL.state(), Neuron(2, seed=1).state()),
        (MODEL.state(), MODEL),
    ],
)  # fmt: skip
def test_what_has_another_form_does_not_fit(one, other):
    assert not form(one).fits(other, []) or form(one) == form(other)


@pytest.mark.parametrize("kind", [list, np.array])
def test_a_state_with_other_arrays_fits_and_one_with_other_shapes_does_not(kind):
    state = MODEL.state()
    state["w"] = kind([1.0, 2.0])
    fits = form(state).fits
    contents = []
    state["w"] = kind([3, 4])
    assert fits(state, contents)
    assert [*contents[0]] == [3.0, 4.0]
    assert kind is not list or all(type(x) is float for x in contents[0])
    state["w"] = (np.array if kind is list else list)([3.0, 4.0])
    assert not fits(state, [])
    state["w"] = kind([3, 4, 5])
    assert not fits(state, [])
    del state["w"]
    assert not fits(state, [])


class Own(float):
    """A float of a class of its own, whose operators may be others."""


@pytest.mark.parametrize(
    "odd", [2, True, np.float64(2.5), np.float32(2.5), Own(2.5), Fraction(5, 2)]
)
@pytest.mark.parametrize("place", [0, 50, -1])
def test_one_number_of_another_kind_among_floats_is_read_as_a_float(odd, place):
    numbers = [0.5] * 100
    numbers[place] = odd
    for given, shape in (
        (numbers, (100,)),
        (tuple(numbers), (100,)),
        ([[0.5] * 100, numbers], (2, 100)),
    ):
        contents = []
        assert read(given, "x", contents).shape == shape
        assert {type(x) for x in flat(contents[0])} == {float}
        assert sum(flat(contents[0])) == 49.5 + float(odd) + 50.0 * (len(shape) - 1)
    contents = []
    read_rows(numbers, "x", contents)
    assert {type(x) for x in flat(contents[0])} == {float}


def test_one_item_that_is_no_number_among_floats_is_refused():
    for odd in (1j, b"2", "2"):
        with pytest.raises(TypeError, match=r"x\[50\] is (complex|bytes|str), expected a number"):
            read([*[0.5] * 50, odd], "x", [])
    with pytest.raises(ValueError, match="row 50 of x is a list of 1, row 0 a number"):
        read_rows([*[0.5] * 50, [1.0]], "x", [])


# ------------------------------------------------------------------ rows

ROWS = {
    "lists": [[1.0, 2.0], [3.0, 4.0]],
    "tuples": [(1.0, 2.0), (3, 4.0)],
    "a tuple": ((1.0, 2.0), (3.0, 4.0)),
    "an array": np.array([[1.0, 2.0], [3.0, 4.0]]),
    "arrays": [np.array([1.0, 2.0]), np.array([3, 4])],
    "an array of objects": np.array([[1, 2.0], [3.0, True * 4]], dtype=object),
    "a frame": pandas.DataFrame([[1.0, 2.0], [3.0, 4.0]]),
    "a generator": ([i, i + 1.0] for i in (1, 3)),
    "ranges as lists": map(list, (range(1, 3), range(3, 5))),
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_rows_of_all_kinds_are_read_as_one_content(rows):
    contents = []
    form = read_rows(rows, "x", contents)
    assert len(contents[0]) == 2
    assert as_array(contents[0]).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    (block,) = form.blocks("x")
    assert (block.shape, block.has_rows) == ((2,), True)


def test_rows_of_numbers():
    for rows in ([1.0, 2.0], (1, 2), range(1, 3), np.array([1, 2]), pandas.Series([1.0, 2.0])):
        contents = []
        form = read_rows(rows, "y", contents)
        assert (form.shape, form.has_rows) == ((), True)
        assert as_array(contents[0]).tolist() == [1.0, 2.0]


def test_iterators_are_not_used_up_by_a_look():
    fits = read_rows([[1.0, 2.0]], "x", []).fits
    rows = iter([[1.0, 2.0]])
    assert not fits(rows, [])
    assert list(rows) == [[1.0, 2.0]]


def test_a_gradient_by_rows_is_in_what_they_came_in():
    for rows in (ROWS["tuples"], ROWS["a tuple"], ROWS["lists"]):
        assert read_rows(rows, "x", []).gathering()(iter([[[1.0, 2.0], [3.0, 4.0]]])) == rows


# ------------------------------------------------------------------ small parts


@pytest.mark.parametrize("shape", [(3,), (40,), (2, 3), (2, 40), (3, 1, 40), (2, 40, 1), (0, 40)])
def test_lists_few_and_many_become_arrays_of_their_own(shape):
    expected = np.arange(math.prod(shape), dtype=float).reshape(shape)
    for lists in (expected.tolist(), expected.astype(int).tolist()):
        array = as_array(lists)
        assert (array.dtype, array.shape) == (expected.dtype, np.shape(lists))
        assert array.tolist() == expected.tolist()
        array += 1.0
        assert lists == expected.tolist()


@pytest.mark.parametrize("content", [[[1.0], [2.0]], np.array([[1.0], [2.0]])])
def test_numbers_are_put_into_the_containers_that_they_came_in(content):
    for kinds, expected in (
        (("list", "list"), [[1.0], [2.0]]),
        (("tuple", "list"), ([1.0], [2.0])),
        (("list", "tuple"), [(1.0,), (2.0,)]),
    ):
        assert handing(kinds)(content) == expected
    arrays = handing(("list", "array"))(content)
    assert type(arrays) is list
    assert [array.tolist() for array in arrays] == [[1.0], [2.0]]
    assert handing(("array", "array"))(content).tolist() == [[1.0], [2.0]]
    assert type(handing(())(np.float64(2.0))) is float


def test_lists_for_source_in_python_hold_floats():
    for array in (
        np.ones(2, int),
        np.ones(2, bool),
        np.ones(2, np.float32),
        np.ones(2, np.longdouble),
    ):
        assert [type(x) for x in as_lists(array)] == [float, float]
    assert as_lists([1.0]) == [1.0]


def test_names_of_blocks_are_keys_and_places():
    form = read({"W": [[1.0]], 3: 1.0, "in": (1.0, [2.0])}, "p", [])
    assert [block.name for block in form.blocks("p")] == ["W", "p_3", "in_0", "in_1"]
    assert [block.name for block in read([1.0, [2.0]], "p", []).blocks("p")] == ["p_0", "p_1"]
