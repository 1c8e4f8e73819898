"""Traced numbers: they compute as Values do, and refuse, naming the line, whatever would freeze a number."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import TraceError, Value, custom_op, functions
from scalargrad.ops import OPS


def compiled(fn, **options):
    return sg.compile(fn, **{"backend": "python", **options})


def asks(x):
    if x > 0:
        return x
    return -x


def loops(x):
    while x < 10:
        x = x * x
    return x


def caught(x):
    try:
        return x if x > 0 else -x
    except TypeError:
        return 7.0 * x


# fmt: off
FREEZING = [
    ("if x > 0",          asks,                                       r"the truth of a traced comparison .* write where\("),
    ("while x < 10",      loops,                                      r"the truth of a traced comparison .*: while x < 10:\)"),
    ("a if x else b",     lambda x: 1.0 if x else 2.0,                r"the truth of a traced number .*write where"),
    ("not x",             lambda x: not x,                            r"the truth of a traced number"),
    ("a and b",           lambda x: x > 0 and x < 1,                  r"the truth of a traced comparison .*join conditions by & and \|"),
    ("0 < x < 1",         lambda x: 0 < x < 1,                        r"join conditions by & and \|"),
    ("max(x, 0)",         lambda x: max(x, 0.0),                      r"the truth of a traced comparison .*maximum\(x, y\)"),
    ("min",               lambda x: min([x, x * x]),                  r"minimum\(x, y\)"),
    ("sorted",            lambda x: sorted([x, x * x])[0],            r"the truth of a traced comparison"),
    ("any",               lambda x: float(any([x])),                  r"the truth of a traced number"),
    (".data",             lambda x: x.data * 2,                       r"reading \.data of a traced number .*compute with"),
    (".data of a node",   lambda x: (x * x).data,                     r"reading \.data of a traced number"),
    (".data = 1",         lambda x: setattr(x, "data", 1.0),          r"setting \.data of a traced number"),
    (".grad",             lambda x: x.grad,                           r"reading \.grad of a traced number .*f\.value_and_grad"),
    (".grad = 0",         lambda x: setattr(x, "grad", 0.0),          r"setting \.grad of a traced number"),
    (".partials",         lambda x: (x * x).partials,                 r"reading \.partials of a traced number"),
    ("backward",          lambda x: (x * x).backward(),               r"backward\(\) of a traced number .*return the loss, and take"),
    ("backward elsewhere", lambda x: V2.backward(),                   r"backward\(\) in a function that is traced"),
    ("round",             lambda x: round(x),                         r"round\(x\) of a traced number"),
    ("int",               lambda x: int(x),                           r"int\(x\) of a traced number"),
    ("float",             lambda x: float(x),                         r"float\(x\) of a traced number .*functions of scalargrad"),
    ("complex",           lambda x: complex(x),                       r"complex\(x\) of a traced number"),
    ("floor",             lambda x: math.floor(x),                    r"rounding a traced number"),
    ("ceil",              lambda x: math.ceil(x),                     r"rounding a traced number"),
    ("trunc",             lambda x: math.trunc(x),                    r"rounding a traced number"),
    ("an f-string",       lambda x: float(f"{x:.2f}"),                r"a traced number in an f-string .*print what"),
    ("an f-string, bare", lambda x: f"{x}",                           r"a traced number in an f-string"),
    ("format",            lambda x: format(x, ".3f"),                 r"a traced number in an f-string"),
    ("%",                 lambda x: "%.2f" % x,                       r"float\(x\) of a traced number"),  # noqa: UP031
    ("an index",          lambda x: [1.0, 2.0][x],                    r"a traced number as an index .*one-hot"),
    ("range",             lambda x: len(range(x)),                    r"a traced number as an index"),
    ("a slice",           lambda x: [1.0, 2.0][:x],                   r"a traced number as an index"),
    ("math.exp",          lambda x: math.exp(x),                      r"float\(x\) of a traced number"),
    ("math.isnan",        lambda x: math.isnan(x),                    r"float\(x\) of a traced number"),
    ("np.maximum",        lambda x: np.maximum(np.array([x, x]), 0),  r"the truth of a traced comparison .*maximum"),
    ("np.argmax",         lambda x: np.array([x, x * x]).argmax(),    r"the truth of a traced comparison"),
    ("np.where",          lambda x: np.where(np.array([x]) > 0, x, 0)[0], r"the truth of a traced comparison"),
    ("astype(float)",     lambda x: np.array([x]).astype(float),      r"float\(x\) of a traced number"),
    ("copy",              lambda x: copy.copy(x),                     r"a copy of a traced number"),
    ("deepcopy",          lambda x: copy.deepcopy([x]),               r"a copy of a traced number"),
    ("pickle",            lambda x: pickle.dumps(x),                  r"a copy of a traced number"),
    ("int(x > 0)",        lambda x: int(x > 0),                       r"a traced comparison as a number .*1\.0, 0\.0"),
    ("[a, b][x > 0]",     lambda x: [1.0, 2.0][x > 0],                r"a traced comparison as a number"),
    ("(x > 0) == True",   lambda x: x if (x > 0) == True else -x,     r"a traced comparison compared .*join conditions by & and \|"),  # noqa: E712
    ("c != d",            lambda x: sg.where((x > 0) != (x > 1), x, 1.0), r"a traced comparison compared .*turn one round by ~"),
    ("c ^ d",             lambda x: sg.where((x > 0) ^ (x > 1), x, 1.0), r"a traced comparison compared"),
    ("[c].count(True)",   lambda x: x * [x > 0, x > 1].count(True),   r"a traced comparison compared"),
    ("True in [c]",       lambda x: x if True in [x > 0] else -x,     r"a traced comparison compared"),
    ("f'{x > 0}'",        lambda x: f"{x > 0}",                       r"a traced comparison in an f-string"),
    ("{True: a}.get(c)",  lambda x: x * {True: 1.0}.get(x > 0, 2.0),  r"a traced comparison as a key .*write where"),
    ("c in {True}",       lambda x: x if (x > 0) in {True} else -x,   r"a traced comparison as a key"),
    ("{0: a}.get(x, b)",  lambda x: x * {3: 1.0}.get(x, 2.0),         r"a traced number as a key .*write where"),
    ("x in {3}",          lambda x: x if x in {3} else -x,            r"a traced number as a key"),
    ("x in (2, 3)",       lambda x: x if x in (2, 3) else -x,         r"the truth of a traced comparison"),
    ("[3].count(x)",      lambda x: x * [3.0].count(x),               r"the truth of a traced comparison"),
    ("if x == 3",         lambda x: x if x == 3 else -x,              r"the truth of a traced comparison"),
    ("str(x) == …",       lambda x: x if str(x) == "3.0" else -x,     r"the text of a traced number"),
    ("{…}[str(x)]",       lambda x: x * {"3.0": 1.0}.get(str(x), 2.0), r"the text of a traced number"),
    ("len(repr(x))",      lambda x: x * len(repr(x)),                 r"the text of a traced number"),
    ("f'{x!r}'",          lambda x: x * len(f"{x!r}"),                r"the text of a traced number"),
    ("x.is_integer()",    lambda x: x if x.is_integer() else -x,      r"is_integer of a traced number"),
    ("x // 1",            lambda x: x // 1,                           r"floordiv of a traced number"),
    ("divmod",            lambda x: divmod(x, 2.0)[0],                r"divmod of a traced number"),
    ("math.isclose",      lambda x: x if math.isclose(x, 3) else -x,  r"float\(x\) of a traced number"),
    ("a caught error",    lambda x: caught(x),                        r"the truth of a traced comparison .*: return x if x > 0 else -x"),
    ("softmax by hand",   lambda x: sg.exp(x - max(v.data for v in [x])), r"max\(\[…\]\) and softmax\(\[…\]\)"),
    ("if v > 0",          lambda x: x if V > 0 else -x,               r"a choice by the number of V that fn captured"),
    ("if v",              lambda x: x if V2 else -x,                  r"a choice by the number of a Value that fn captured"),
    ("f'{v:.1f}'",        lambda x: x * float(f"{V:.1f}"),            r"a choice by the number of V that fn captured"),
    ("if v * v > 0",      lambda x: x if V * V > 0 else -x,           r"the truth of a traced comparison"),
    ("float(v * v)",      lambda x: (V * V).data * x,                 r"reading \.data of a traced number"),
]
# fmt: on
V = Value(2.0, "V")
V2 = V * V


@pytest.mark.parametrize(
    ("fn", "text"), [row[1:] for row in FREEZING], ids=[row[0] for row in FREEZING]
)
def test_what_would_freeze_a_number_names_itself_and_the_line(fn, text):
    with pytest.raises(TraceError, match=text) as caught:
        compiled(fn)(3.0)
    assert "would freeze one number into the compiled function" in str(caught.value)
    line = str(caught.value).rpartition(f"{__file__}, line ")[2]
    first = fn.__code__.co_firstlineno
    if fn.__code__.co_names[:1] != ("caught",):
        assert int(line.partition(":")[0]) in range(first, first + 4)


def test_the_text_of_a_traced_number_has_no_number_in_it():
    def told(x):
        print(x, repr(x > 0))
        return x * 2.0

    assert compiled(told)(3.0) == 6.0
    for text in str, repr:
        with pytest.raises(ValueError, match="could not convert string to float"):
            compiled(lambda x, text=text: x * float(text(x)))(3.0)


def test_a_refused_function_leaves_no_mark():
    grad = V.grad
    with pytest.raises(TraceError):
        compiled(lambda x: (V * x > 0) and x)(1.0)
    assert V > 1.0
    assert V * 2.0 > 3.0
    assert (V * 2.0).data == 4.0
    assert V.grad == grad


def matched(x):
    match x:
        case float():
            return x * 2.0
        case _:
            return x * 3.0


def total(tree):
    return sum(map(total, tree)) if isinstance(tree, list) else tree * tree


KINDS = [
    lambda x: x * (2.0 if isinstance(x, float) else 3.0),
    lambda x: x * (2.0 if isinstance(x, float) and x > 0.5 else 3.0),
    lambda x: x * (2.0 if type(x) is float else 3.0),
    lambda x: x * (2.0 if hasattr(x, "backward") else 3.0),
    matched,
]


@pytest.mark.parametrize("fn", KINDS)
def test_asking_for_the_kind_of_a_number_is_refused_where_it_makes_a_difference(fn):
    with pytest.raises(TraceError, match=r"another result of plain numbers than of traced ones"):
        compiled(fn)(2.0)


def test_asking_for_kinds_is_fine_where_the_formula_is_one():
    assert compiled(total).value_and_grad([1.0, [2.0, 3.0]]) == (14.0, [2.0, [4.0, 6.0]])
    dual = lambda x: math.exp(x) if isinstance(x, float) else x.exp()
    assert compiled(dual).value_and_grad(1.0) == (math.e, math.e)
    made = lambda x: (x if isinstance(x, Value) else Value(x)) * 3.0
    assert compiled(made).value_and_grad(1.0) == (3.0, 3.0)
    kinked = lambda x: abs(x) ** 2 * 1.0 + 0.0 if isinstance(x, Value) else x * x  # tried at 0 too
    for made in (sg.hessian, lambda f: sg.grad(sg.grad(f)), lambda f: lambda x: sg.hvp(f)(x, 1.0)):
        assert compiled(made(kinked))(3.0) == made(kinked)(3.0) == 2.0


# ------------------------------------------------------------------ arithmetic


BOTH = [
    lambda x, y: x + y - 2 * x / y,
    lambda x, y: -x + abs(y) ** 2 - 3**y,
    lambda x, y: 1 - x + (2 / y) + x**2.5,
    lambda x, y: sg.sin(x) + y.exp() + x.arctan2(y) + sg.atan2(y, x),
    lambda x, y: x.maximum(y) + y.minimum(1.5) + sg.maximum(0.0, x) + sg.clip(x, y, 3.0) + x.clip(0.0, y),
    lambda x, y: sg.sum([x, y, 1, x]) * sg.mean([x, y]) + sg.prod([x, y, 2.0]) + sg.norm([x, y]) + sg.var([x, y, 1.0]),
    lambda x, y: sg.dot([x, 2.0], [y, x]) + sg.dot([x, y], [y, y], x) + sg.dot((1, 2), (x, y), 0.5),
    lambda x, y: sg.max([x, y, 1.0]) + sg.min((x, y)) + sg.logsumexp([x, y, 0.0]),
    lambda x, y: sg.softmax([x, y, 1000.0])[0] + sg.softmax([x, y])[1] * 3,
    lambda x, y: sg.where(x > y, x * y, x - y) + sg.where(x <= 2, 1.0, y),
    lambda x, y: sg.where((x > 0) & (y < 3) | (x < y), x, y) + sg.where((x < y) & True, x, y) + sg.where(False | (y > x), x, 3.0),
    lambda x, y: (x > y) * 2.0 + (x < y) * x + 3 * (y >= 1) - (x > 0) / 2 + sum(z > 0.5 for z in (x, y)),
    lambda x, y: sg.exp(x > y) + sg.where(x > y, y > 1, x) * x,
    lambda x, y: sg.where(x - y, x, y),
    lambda x, y: np.exp(x) + np.tanh(np.array([x, y])).sum() + np.dot([x, y], [y, x]) + (np.array([[x, y], [y, x]]) @ [1, 2]).sum(),
    lambda x, y: np.float64(2.0) * x + y * np.float32(3.0) + np.int64(2) ** x + np.array([1.0, 2.0]) @ np.array([x, y]) + sum([x, y]),
    lambda x, y: x * True + y * 10**400 * 0.0 if False else x * True + y,
]  # fmt: skip


@pytest.mark.parametrize("fn", BOTH)
@pytest.mark.parametrize("point", [(0.5, 1.25), (2.0, 1.0), (1.0, 1.0)], ids=str)
def test_value_and_slopes_are_those_on_values(fn, point):
    value, slopes = sg.value_and_grad(fn, (0, 1))(*point)
    got, got_slopes = compiled(fn, wrt=(0, 1)).value_and_grad(*point)
    assert got == value
    assert got_slopes == slopes


@pytest.mark.parametrize("name", [name for op in OPS.values() if op.is_public for name in op.names])
def test_every_row_is_a_method_and_a_function_as_of_values(name):
    op = next(op for op in OPS.values() if name in op.names)
    fn = getattr(functions, name)
    if name == "where":
        return
    if op.takes_lists or op.is_composed:
        of_list = (
            (lambda p: fn(p, p[::-1]))
            if name == "dot"
            else (lambda p: fn(p)[1])
            if name == "softmax"
            else fn
        )
        assert compiled(of_list).value_and_grad([0.5, 0.25]) == sg.value_and_grad(of_list)(
            [0.5, 0.25]
        )
        return
    point = [0.5, 0.25, 0.75][: len(op.operands)] if name not in ("arccosh", "acosh") else [1.5]
    expected = sg.value_and_grad(lambda p: fn(*p))(point)
    assert compiled(lambda p: fn(*p)).value_and_grad(point) == expected
    assert compiled(lambda p: getattr(p[0], name)(*p[1:])).value_and_grad(point) == expected


def test_an_operation_of_one_s_own_is_traced():
    op = custom_op("quartic_of_a_test", "x * x * x * x", "4.0 * x * x * x")
    assert compiled(lambda x: op(x) + x.quartic_of_a_test()).value_and_grad(2.0) == (32.0, 64.0)


@pytest.mark.parametrize("x", [0.5, 2.0])
def test_a_condition_is_turned_round_by_a_tilde(x):
    """On Python's own truth values ~ is no negation: swap the branches to write what works on both."""
    assert compiled(lambda x: sg.where(~(x > 1.0), 10.0, 20.0))(x) == (20.0 if x > 1.0 else 10.0)


def test_equality_is_a_condition_for_where():
    f = compiled(lambda x: sg.where(x == 5.0, 3.0, 4.0) + 10.0 * sg.where(x != 5.0, 1.0, 2.0))
    assert (f(5.0), f(4.0), f(float("nan"))) == (23.0, 14.0, 14.0)
    assert compiled(lambda x: sg.where(x == x * 2, 1.0, 2.0))(0.0) == 1.0
    with pytest.raises(sg.TraceError, match=r"truth of a traced comparison"):
        compiled(lambda x: x * (1.0 if x == 5.0 else 2.0))(5.0)


# fmt: off
REFUSED = [
    (lambda x: x + "1",                    r"unsupported operand type"),
    (lambda x: x * None,                   r"unsupported operand type"),
    (lambda x: x < "1",                    r"'<' not supported"),
    (lambda x: (x > 0) & 3.0,              r"unsupported operand type"),
    (lambda x: sg.exp("x") * x,            r"exp takes a real number, got str: write float\('x'\)"),
    (lambda x: sg.maximum(x, "x"),         r"maximum takes Values and real numbers, got str"),
    (lambda x: sg.maximum(x),              r"maximum\(\) missing 1 required positional argument: 'y'"),
    (lambda x: x.maximum(),                r"maximum takes 2 operands \(x, y\), got 1"),
    (lambda x: x.exp(2),                   r"exp takes 1 operands \(x\), got 2"),
    (lambda x: sg.where(x > 0, x, "no"),   r"where takes Values and real numbers, got str"),
    (lambda x: sg.where(x > 0, [x], [x]),  r"where takes Values and real numbers, got list"),
    (lambda x: Value(x),                   r"Value takes a real number, got Traced: use it as it is, or its \.detach\(\)"),
    (lambda x: sg.sum(x),                  r"sum takes an iterable of Values and numbers as xs, got Traced"),
    (lambda x: sg.max(x, 0.0),             r"max takes one iterable, got 2 arguments: write max\(\[x, y\]\) or maximum\(x, y\)"),
]
# fmt: on


@pytest.mark.parametrize(("fn", "text"), REFUSED)
def test_what_is_no_number_is_refused_as_by_values(fn, text):
    with pytest.raises(TypeError, match=text):
        compiled(fn)(1.0)


def test_two_lists_of_two_lengths_have_no_dot():
    with pytest.raises(ValueError, match="dot takes two lists of one length, got 2 and 1 numbers"):
        compiled(lambda x: sg.dot([x, x], [1.0]))(1.0)


def test_a_traced_number_must_not_be_kept():
    kept = []

    def keeping(x):
        kept.append(x * x)
        return x * sg.sum(kept)

    with pytest.raises(
        TraceError,
        match="keeping used a traced number of another call: it must not keep what it is given",
    ):
        compiled(keeping)(3.0)


def test_traced_numbers_and_conditions_show_what_they_are():
    shown = []

    def fn(x, p):
        shown.extend(map(repr, (x, p["W"][1], x * x, x > 0)))
        y = sg.exp(x)
        y.label = "y"
        shown.append(str(y))
        return y

    compiled(fn)(1.0, {"W": [1.0, 2.0]})
    expected = ["Traced('x')", "Traced('W')", "Traced('×')", "Condition('<')", "Traced('y')"]
    assert shown[:5] == expected


def test_a_traced_number_is_printed_once(capsys):
    def fn(x):
        print(x)
        return x * x

    f = compiled(fn)
    assert [f(1.0), f(2.0)] == [1.0, 4.0]
    assert capsys.readouterr().out == "Traced('x')\n"


def test_a_trace_can_be_looked_at_as_a_graph():
    seen = []

    def fn(x, y):
        z = sg.where(x > y, x * y, sg.exp(y))
        seen.append(
            [node.op if isinstance(node, Value) else node._operation.name for node in z.graph()]
        )
        return z

    compiled(fn)(1.0, 2.0)
    assert seen == [[None, None, "_less", "mul", "exp", "_choose"]] * 2
