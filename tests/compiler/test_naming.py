"""The names in generated source: plain identifiers, each given once, whatever labels say."""

from __future__ import annotations

import keyword
from typing import Any

import pytest

from scalargrad import Value, compile, dot
from scalargrad.compiler.naming import TAKEN, Names, is_name, step_names
from scalargrad.compiler.program import Block, Constant, Step
from scalargrad.ops import OPS

HOSTILE = (
    'x"""\nimport os', "__import__('os').system('true')", "x; y", "a b", "é", "x'", "", "0", "lambda", "print", "exp", "total", "_x",
    "x" * 1000, "a\x00", "%s", "{0}", "{", "x\\", "#", "match", "self", "value_and_grad", "isfinite", "item", "None", "__builtins__",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_plain_free_name_is_none(text: str) -> None:
    assert not is_name(text)
    assert Names().take(text) == "v1"


def test_words_of_the_language_and_of_the_table_are_taken() -> None:
    for text in (
        *keyword.kwlist,
        *keyword.softkwlist,
        *OPS,
        *TAKEN,
        *dir(__builtins__ if not isinstance(__builtins__, dict) else object),
    ):
        assert not is_name(text)


def test_every_name_is_given_once() -> None:
    names = Names(["x"])
    given = [
        names.take(wish) for wish in ("x", "x", "x_2", "v1", "", "", "d", "d", "d_2", "d") * 20
    ]
    assert len(set(given)) == len(given)
    assert "x" not in given
    assert all(name.isidentifier() for name in given)


def test_names_with_numbers_are_found_in_linear_time() -> None:
    names = Names()
    assert [names.take("d") for _ in range(20_000)][-1] == "d_20000"
    assert [names.take("") for _ in range(20_000)][-1] == "v20000"


def test_sums_and_activations_of_layers_are_z_and_a() -> None:
    W, b, x = Block("W2", (3, 2)), Block("b2", (3,)), Block("x", (2,))
    sums = [
        Step(OPS["dot"], (*W.inputs[2 * j : 2 * j + 2], *x.inputs, b.inputs[j])) for j in range(3)
    ]
    outs = [Step(OPS["tanh"], (z,)) for z in sums]
    last = Step(OPS["add"], (outs[0], outs[1]), "loss")
    named = step_names([*sums, *outs, last])
    assert [named[step] for step in (*sums, *outs, last)] == [
        "z2_0",
        "z2_1",
        "z2_2",
        "a2_0",
        "a2_1",
        "a2_2",
        "loss",
    ]


def test_a_layer_of_one_neuron_has_no_number() -> None:
    w, x = Block("w", (2,)), Block("x", (2,))
    z = Step(OPS["dot"], (*w.inputs, *x.inputs, Constant(0.0)))
    assert step_names([z]) == {z: "z"}


def test_other_blocks_lend_no_names() -> None:
    p, x = Block("p", (2,)), Block("x", (2,))
    assert step_names([Step(OPS["dot"], (*p.inputs, *x.inputs, Constant(0.0)))]) == {}


@pytest.mark.parametrize("label", HOSTILE)
def test_a_hostile_label_stays_out_of_the_source(label: str) -> None:
    def f(x: Any) -> Any:
        y = x * 2.0
        y.label = label
        return y * y + y

    made = compile(f, backend="python")
    assert made.value_and_grad(3.0) == (42.0, 26.0)
    source = made.source(3.0)
    assert (
        len(label) < 3
        or label
        in ("exp", "total", "print", "self", "match", "item", "isfinite", "value_and_grad", "None")
        or label not in source
    )
    assert not label or f"{label} = " not in source


def test_a_plain_label_names_its_line() -> None:
    def f(x: Any) -> Any:
        y = x * 2.0
        y.label = "double"
        return y * y

    assert "    double = x * 2.0\n" in compile(f, backend="python").source(1.0)


@pytest.mark.parametrize("key", HOSTILE)
def test_hostile_keys_of_a_dict_are_arguments_with_made_names(key: str) -> None:
    made = compile(lambda p: p[key] * p["w"], backend="python")
    assert made.value_and_grad({key: 3.0, "w": 5.0}) == (15.0, {key: 5.0, "w": 3.0})


def test_a_function_of_a_hostile_name_is_a_function() -> None:
    def f(x: Any) -> Any:
        return x * x

    f.__name__ = '"""\nraise SystemExit\n"""'
    made = compile(f, backend="python")
    assert made(3.0) == 9.0
    assert "SystemExit" not in made.source(3.0)


def test_arguments_may_bear_the_names_of_functions_and_of_made_ones() -> None:
    def f(exp: Any, v1: Any, total: Any, sum: Any, d: Any, x: Any, dx: Any) -> Any:
        y = exp.exp() * v1 + total * sum - d
        return y * y + dot([x, dx], [x, y])

    numbers = (0.5, 1.5, -0.7, 2.0, 0.25, 3.0, -1.0)
    values = [Value(number) for number in numbers]
    root = f(*values)
    root.backward()
    made = compile(f, wrt=tuple(range(7)), backend="python")
    assert made.value_and_grad(*numbers) == (root.data, tuple(value.grad for value in values))
