"""The error table: what can be given wrongly, and what is answered.

A row is a name, the call, the type of the exception and a pattern of its text, which says what was given, what was
expected, and where there is something to write instead, that. The fuller tables of one subject stand beside its
tests: rows of data, losses, optimisers, models and their training in `tests/nn`, pictures in `tests/pictures`,
operations of one's own in `test_ops`. A wrong call that Python itself answers well is answered by Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

import scalargrad as sg
from scalargrad import (
    MLP,
    Layer,
    Neuron,
    Value,
    check_gradient,
    custom_op,
    detect_anomaly,
    draw,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
)  # fmt: skip
from scalargrad.nn import SGD, Adam, cross_entropy, mse

nan = float("nan")
v = Value(1.0, "v")
ITSELF: list[Any] = [1.0]
ITSELF.append(ITSELF)
AROUND: dict[str, Any] = {"inner": [1.0]}
AROUND["inner"].append(AROUND)

Row = tuple[str, Callable[[], object], type[BaseException], str]


def same(x: Any) -> Any:
    return x


def watched(f: Callable[[], Any]) -> Any:
    with detect_anomaly():
        return f()


def unrecorded(f: Callable[[], Any]) -> Any:
    with no_grad():
        return f()


NUMBERS = r"expected a number, a list, tuple or dict of numbers, an array or a module"
CUT = r"would cut the graph: .*scalargrad\.exp.*dtype=object; for the number alone, write "

# fmt: off
VALUE: list[Row] = [
    # what is no real number
    ("a string",            lambda: Value("2"),                  TypeError, r"Value takes a real number, got str: write float\('2'\)"),
    ("bytes",               lambda: Value(b"2"),                 TypeError, r"Value takes a real number, got bytes: write float\(b'2'\)"),
    ("None",                lambda: Value(None),                 TypeError, r"Value takes a real number, got NoneType"),
    ("a complex number",    lambda: Value(1j),                   TypeError, r"got complex: use its real and its imaginary part"),
    ("NumPy's complex",     lambda: Value(np.complex128(1)),     TypeError, r"Value takes a real number, got complex128"),
    ("a list",              lambda: Value([1.0]),                TypeError, r"got list: give it one number at a time"),
    ("an empty list",       lambda: Value([]),                   TypeError, r"got list: give it one number at a time"),
    ("a dict",              lambda: Value({}),                   TypeError, r"got dict: give it one number at a time"),
    ("a set",               lambda: Value({1.0}),                TypeError, r"got set: give it one number at a time"),
    ("an array",            lambda: Value(np.ones(2)),           TypeError, r"got ndarray: give it one number at a time"),
    ("an array of one",     lambda: Value(np.ones(1)),           TypeError, r"got ndarray: give it one number at a time"),
    ("a Value",             lambda: Value(v),                    TypeError, r"got Value: use it as it is, or its \.detach\(\) for a leaf"),
    ("a function",          lambda: Value(abs),                  TypeError, r"Value takes a real number, got builtin_function_or_method"),
    ("a class",             lambda: Value(float),                TypeError, r"Value takes a real number, got type"),
    ("nothing",             lambda: Value(),                     TypeError, r"missing 1 required positional argument: 'data'"),
    # labels
    ("a number as label",   lambda: Value(1.0, 3),               TypeError, r"label must be a str, got int: write label='3'"),
    ("None as label",       lambda: Value(1.0, None),            TypeError, r"label must be a str, got NoneType"),
    ("bytes as label",      lambda: Value(1.0, b"w"),            TypeError, r"label must be a str, got bytes"),
    ("micrograd's children", lambda: Value(1.0, (v, v), "+"),    TypeError, r"takes from 2 to 3 positional arguments but 4 were given"),
    ("an unknown field",    lambda: setattr(v, "gard", 1.0),     AttributeError, r"'Value' object has no attribute 'gard'"),
    ("an unknown method",   lambda: v.foo,                       AttributeError, r"'Value' object has no attribute 'foo'"),
    # what would freeze the number
    ("float()",             lambda: float(v),                    TypeError, rf"float\(Value\) {CUT}value\.data"),
    ("int()",               lambda: int(v),                      TypeError, rf"int\(Value\) {CUT}int\(value\.data\)"),
    ("round()",             lambda: round(v, 2),                 TypeError, rf"round\(Value\) {CUT}round\(value\.data\)"),
    ("complex()",           lambda: complex(v),                  TypeError, rf"float\(Value\) {CUT}value\.data"),
    ("math.exp",            lambda: math.exp(v),                 TypeError, rf"float\(Value\) {CUT}value\.data"),
    ("math.floor",          lambda: math.floor(v),               TypeError, rf"float\(Value\) {CUT}value\.data"),
    ("as an index",         lambda: [1, 2][v],                   TypeError, r"list indices must be integers or slices, not Value"),
    # operators
    ("plus a string",       lambda: v + "1",                     TypeError, r"unsupported operand type\(s\) for \+: 'Value' and 'str'"),
    ("None minus",          lambda: None - v,                    TypeError, r"unsupported operand type\(s\) for -: 'NoneType' and 'Value'"),
    ("times a complex",     lambda: v * 1j,                      TypeError, r"unsupported operand type\(s\) for \*: 'Value' and 'complex'"),
    ("over a dict",         lambda: v / {},                      TypeError, r"unsupported operand type\(s\) for /: 'Value' and 'dict'"),
    ("to a complex power", lambda: v**1j, TypeError, r"unsupported operand type\(s\) for \*\*.*'Value' and 'complex'"),
    ("a list times",        lambda: [1.0] * v,                   TypeError, r"can't multiply sequence by non-int of type 'Value'"),
    ("modulo a string",     lambda: v % "2",                     TypeError, r"unsupported operand type\(s\) for %: 'Value' and 'str'"),
    ("@ of scalars",        lambda: v @ v,                       TypeError, r"unsupported operand type\(s\) for @: 'Value' and 'Value'"),
    ("less than a string",  lambda: v < "1",                     TypeError, r"'<' not supported between instances of 'Value' and 'str'"),
    ("at least a complex", lambda: v >= 1j, TypeError, r"'>=' not supported between instances of 'Value' and 'complex'"),
    ("iterated",            lambda: list(v),                     TypeError, r"'Value' object is not iterable"),
    ("called",              lambda: v(1.0),                      TypeError, r"'Value' object is not callable"),
    ("an unknown format",   lambda: f"{v:y}",                    ValueError, r"Unknown format code 'y' for object of type 'float'"),
    ("backward of a float", lambda: (v.data * 2).backward(),     AttributeError, r"'float' object has no attribute 'backward'"),
    ("backward of a slope", lambda: v.backward(1.0),             TypeError, r"backward\(\) takes 1 positional argument but 2 were given"),
]

FUNCTIONS: list[Row] = [
    ("sin of a string",     lambda: sg.sin("a"),                 TypeError, r"sin takes a real number, got str: write float\('a'\)"),
    ("sin of None",         lambda: sg.sin(None),                TypeError, r"sin takes a real number, got NoneType"),
    ("sin of a list", lambda: sg.sin([1.0]), TypeError, r"sin takes a Value, a number or an array as x, got list: write numpy.array\(xs\), or \[sin\(x\) for x in xs\]"),
    ("sin of an array of text", lambda: sg.sin(np.array(["a"])), TypeError, r"sin takes a real number, got str: write float"),
    ("sin of a complex",    lambda: sg.sin(1j),                  TypeError, r"sin takes a real number, got complex: use its real"),
    ("sin of nothing",      lambda: sg.sin(),                    TypeError, r"sin\(\) missing 1 required positional argument: 'x'"),
    ("sin of two",          lambda: sg.sin(v, v),                TypeError, r"sin\(\) takes 1 positional argument but 2 were given"),
    ("maximum of one",      lambda: sg.maximum(v),               TypeError, r"maximum\(\) missing 1 required positional argument: 'y'"),
    ("maximum of three",    lambda: sg.maximum(1, 2, 3),         TypeError, r"maximum\(\) takes 2 positional arguments but 3 were given"),
    ("maximum, a string",   lambda: sg.maximum(v, "a"),          TypeError, r"maximum takes a real number, got str: write float"),
    ("maximum, in front",   lambda: sg.maximum("a", v),          TypeError, r"maximum takes a real number, got str: write float"),
    ("the method, a list",  lambda: v.maximum([1.0]),            TypeError, r"maximum takes a Value or a real number, got list"),
    ("hypot of three",      lambda: sg.hypot(v, v, v),           TypeError, r"hypot\(\) takes 2 positional arguments but 3 were given"),
    ("clip of two",         lambda: sg.clip(v, 1.0),             TypeError, r"clip\(\) missing 1 required positional argument"),
    ("clip at a string",    lambda: sg.clip(v, "a", 2.0),        TypeError, r"clip takes a real number, got str: write float"),
    ("where not",           lambda: sg.where(~int(v > 0), v, 0.0),  TypeError, r"where got the condition -[12], .* of ~ before a truth value: leave ~ away, and exchange"),
    ("where without else",  lambda: sg.where(v > 0, v),          TypeError, r"where\(\) missing 1 required positional argument: 'y'"),
    ("sum of a number", lambda: sg.sum(3.0), TypeError, r"sum takes an iterable of Values and numbers as xs, got float"),
    ("sum of a Value", lambda: sg.sum(v), TypeError, r"sum takes an iterable of Values and numbers as xs, got Value"),
    ("sum of letters",      lambda: sg.sum("12"),                TypeError, r"sum takes Values and real numbers, got str"),
    ("sum of rows",         lambda: sg.sum([[v, v], [v]]),       TypeError, r"sum takes one row of Values and numbers, got rows \(list\): write \[sum\(row\) for row in xs\]"),
    ("sum of a data frame", lambda: sg.sum(pd.DataFrame({"a": [1.0]})), TypeError, r"got rows \(DataFrame\): write \[sum\(row\) for row in xs\.to_numpy\(\)\]"),
    ("sum with a None",     lambda: sg.sum([v, None]),           TypeError, r"sum takes Values and real numbers, got NoneType"),
    ("logsumexp of one", lambda: sg.logsumexp(v), TypeError, r"logsumexp takes an iterable of Values and numbers as xs, got Value"),
    ("softmax of strings",  lambda: sg.softmax(["a"]),           TypeError, r"softmax takes a real number, got str: write float\('a'\)"),
    ("mean of nothing",     lambda: sg.mean([]),                 ValueError, r"of no numbers: give it at least one"),
    ("var of nothing",      lambda: sg.var([]),                  ValueError, r"of no numbers: give it at least one"),
    ("max of nothing",      lambda: sg.max([]),                  ValueError, r"of no numbers: give it at least one"),
    ("min of nothing",      lambda: sg.min(()),                  ValueError, r"of no numbers: give it at least one"),
    ("dot of two lengths",  lambda: sg.dot([v, v], [1.0]),       ValueError, r"dot takes two lists of one length, got 2 and 1 numbers"),
    ("dot of plain lists",  lambda: sg.dot([1, 2], []),          ValueError, r"dot takes two lists of one length, got 2 and 0 numbers"),
    ("dot of Values", lambda: sg.dot(v, v), TypeError, r"dot takes an iterable of Values and numbers as ws, got Value"),
    ("dot of a matrix",     lambda: sg.dot([[1, 2], [3]], [1, 2]), TypeError, r"got rows \(list\): write \[dot\(row, xs\) for row in ws\]"),
    ("dot, a list as bias", lambda: sg.dot([v], [1.0], [1.0]),   TypeError, r"dot takes Values and real numbers, got list"),
    ("an unknown function", lambda: sg.sine,                     AttributeError, r"module 'scalargrad' has no attribute 'sine'"),
    ("a name that is taken", lambda: custom_op("tanh", "x", "1.0"), ValueError, r"the name 'tanh' is taken: give the operation another"),
    ("a name with a space", lambda: custom_op("a b", "x", "1.0"), ValueError,
     r"'a b' cannot be the name of an operation: write an identifier"),
    ("three slopes", lambda: custom_op("q", "x", ("1.0",) * 3), ValueError, r"custom_op takes one slope or two, by x and by y; got 3"),
    ("an unknown operand",  lambda: custom_op("q", "x + w", "1.0"), ValueError, r"q: 'w' in 'x \+ w' is neither an operand nor a function"),
    ("no expression",       lambda: custom_op("q", "x +", "1.0"), ValueError, r"q: 'x \+' is no expression"),
    ("the first nan", lambda: watched(lambda: sg.log(Value(-1.0, "p"))), FloatingPointError,
     r"log gave nan: log\(p=-1\.0\), at .*line \d+"),
    ("an overflow",         lambda: watched(lambda: sg.exp(v * 1e4)), FloatingPointError, r"exp gave inf: exp\(10000\.0\), at .*line \d+"),
    ("a slope of inf",      lambda: watched(lambda: sg.sqrt(Value(0.0, "x")).backward()), FloatingPointError,
     r"backward through sqrt gave inf: gradient 1\.0 of sqrt\(x=0\.0\), times its local slope inf by x"),
]

DERIVATIVES: list[Row] = [
    # of what: a function
    *[(f"{f.__name__} of a {kind}", lambda f=f, thing=thing: f(thing), TypeError,
       rf"{f.__name__} takes a function, got {type(thing).__name__}: write {f.__name__}\(f\)\(x\)")
      for f in (grad, value_and_grad, jacobian, hessian, jvp, hvp) for kind, thing in (("number", 3), ("Value", v), ("None", None))],
    # which returns one Value
    *[(f"{f.__name__} of a list", lambda f=f: f(lambda x: [x, x])(1.0), TypeError,
       rf"^{f.__name__} takes a function that returns one Value, this one returned list: use jacobian")
      for f in (grad, value_and_grad, hessian)],
    ("hvp of a list", lambda: hvp(lambda x: [x])(1.0, 1.0), TypeError,
     r"hvp takes a function that returns one Value, .* list: use jacobian"),
    ("grad of a tuple",     lambda: grad(lambda x: (x,))(1.0),       TypeError, r"this one returned tuple: use jacobian"),
    ("grad of a dict",      lambda: grad(lambda x: {"y": x})(1.0),   TypeError, r"this one returned dict: use jacobian"),
    ("grad of an array",    lambda: grad(lambda x: np.array([x, x]))(1.0), TypeError, r"this one returned ndarray: use jacobian"),
    ("grad of an array of 0 dimensions", lambda: grad(lambda x: np.where(x > 0, x, 0.0))(1.0), TypeError, r"returned ndarray: write \.item\(\) of it"),
    ("by a data frame",     lambda: grad(same)(pd.DataFrame({"a": [1.0]})), TypeError, r"the argument is DataFrame, .*: write \.to_numpy\(\) of it"),
    ("grad of a string",    lambda: grad(lambda x: "y")(1.0),        TypeError, r"one Value, this one returned str$"),
    ("grad of a complex",   lambda: grad(lambda x: 1j)(1.0),         TypeError, r"one Value, this one returned complex$"),
    ("grad of a generator", lambda: grad(lambda x: (y for y in [x]))(1.0), TypeError, r"one Value, this one returned generator$"),
    ("a forgotten return",  lambda: grad(lambda x: None)(1.0),       TypeError, r"this one returned NoneType: did it forget its return\?"),
    ("forgotten, hessian", lambda: hessian(lambda x: None)(1.0), TypeError,
     r"hessian takes .* returned NoneType: did it forget its return\?"),
    ("a model of outputs",  lambda: grad(lambda m: m([1.0]))(MLP(1, [2])), TypeError, r"this one returned list: use jacobian"),
    ("jacobian of None",    lambda: jacobian(lambda x: [x, None])(1.0), TypeError, r"the result\[1\] is NoneType"),
    ("jacobian of a set",   lambda: jacobian(lambda x: {x})(1.0),    TypeError, r"the result is set"),
    ("jacobian of itself",  lambda: jacobian(lambda x: ITSELF)(1.0), ValueError, r"the result\[1\] contains itself"),
    # by what
    ("by a string",         lambda: grad(same)("a"),                 TypeError, rf"the argument is str, {NUMBERS}"),
    ("by bytes",            lambda: grad(same)(b"a"),                TypeError, rf"the argument is bytes, {NUMBERS}"),
    ("by None",             lambda: grad(same)(None),                TypeError, rf"the argument is NoneType, {NUMBERS}"),
    ("by a complex",        lambda: grad(same)(1j),                  TypeError, rf"the argument is complex, {NUMBERS}"),
    ("by a set",            lambda: grad(same)({1.0}),               TypeError, rf"the argument is set, {NUMBERS}"),
    ("by a range",          lambda: grad(same)(range(3)),            TypeError, rf"the argument is range, {NUMBERS}"),
    ("by a generator",      lambda: grad(same)(x for x in [1.0]),    TypeError, rf"the argument is generator, {NUMBERS}"),
    ("by a function",       lambda: grad(same)(abs),                 TypeError, rf"the argument is builtin_function_or_method, {NUMBERS}"),
    ("deep inside",         lambda: hessian(same)({"w": [1.0, "b"]}), TypeError, rf"the argument\['w'\]\[1\] is str, {NUMBERS}"),
    ("in an array",         lambda: grad(same)(np.array(["a"])),     TypeError, rf"the argument\[0\] is str, {NUMBERS}"),
    ("a complex array",     lambda: grad(same)(np.array([1j])),      TypeError, rf"the argument\[0\] is complex, {NUMBERS}"),
    ("by itself",           lambda: grad(same)(ITSELF),              ValueError, r"the argument\[1\] contains itself"),
    ("by a ring",           lambda: grad(same)(AROUND),              ValueError, r"the argument\['inner'\]\[1\] contains itself"),
    ("one too few",         lambda: grad(lambda x, y: x)(1.0),       TypeError, r"missing 1 required positional argument: 'y'"),
    ("one too many",        lambda: grad(lambda x: x)(1.0, 2.0),     TypeError, r"takes 1 positional argument but 2 were given"),
    ("no argument", lambda: grad(lambda: 1.0)(), ValueError, r"wrt=0 asks for argument 0, counted from 0, but the function was called with none by position"),
    ("wrt out of range", lambda: grad(same, wrt=1)(1.0), ValueError, r"wrt=1 asks for argument 1, counted from 0, but the function was called with 1"),
    ("wrt below range",     lambda: grad(same, wrt=-2)(1.0),         ValueError, r"wrt=-2 asks for argument -2, .*but .* called with 1"),
    ("one wrt of two",      lambda: jacobian(same, wrt=(0, 3))(1.0), ValueError, r"wrt=\(0, 3\) asks for argument 3, .*but .* called with 1"),
    # along what
    ("no direction", lambda: jvp(same)(1.0), TypeError, r"a direction is expected behind the arguments: \(x, v\), got 1 argument"),
    ("nothing at all",      lambda: hvp(same)(),                     TypeError, r"a direction is expected .*: \(x, v\), got nothing"),
    ("other keys", lambda: jvp(lambda p: p["a"])({"a": 1.0}, {"x": 1.0}), ValueError, r"the direction must have the keys \['a'\].*got the keys \['x'\]"),
    ("list for number", lambda: jvp(lambda x: x)(1.0, [1.0]), ValueError, r"the direction must be one number where the argument is one, got list"),
    ("wrt twice", lambda: grad(lambda x, y: x, wrt=(0, -2))(1.0, 2.0), ValueError, r"wrt=\(0, -2\) names an argument twice"),
    ("wrt a list", lambda: grad(lambda x: x, wrt=[0])(1.0), TypeError, r"wrt takes the number of an argument .* got \[0\]: write wrt=0"),
    ("wrt True", lambda: grad(lambda x: x, wrt=True)(1.0, 2.0), TypeError, r"wrt takes the number of an argument or a tuple of them, got True"),
    ("check nothing", lambda: check_gradient(3, 1.0), TypeError, r"check_gradient takes a function and its arguments, got int"),
    ("rtol below 0", lambda: check_gradient(lambda x: x, 1.0, rtol=-1), ValueError, r"rtol and atol must be at least 0, got -1"),
    ("too short", lambda: jvp(lambda x: x[0])([1.0, 2.0], [1.0]), ValueError, r"the direction must have 2 items as the argument has, got 1"),
    ("too long",            lambda: hvp(lambda x: x[0])([1.0], [1.0, 2.0]), ValueError, r"the direction must have 1 items as the argument has, got 2"),
    ("no numbers",          lambda: jvp(same)(1.0, "a"),             TypeError, r"the direction is str"),
    ("None in it",          lambda: hvp(lambda x: x[0])([1.0], [None]), TypeError, r"the direction\[0\] is NoneType"),
    # of a recorded graph
    ("of a list", lambda: gradients([v], v), TypeError, r"gradients takes one Value as root, got list: call it for each Value"),
    ("of a number",         lambda: gradients(1.0, v),               TypeError, r"gradients takes one Value as root, got float"),
    ("by a number",         lambda: gradients(v * 2, [v, 2.0]),      TypeError, r"gradients takes Values as wrt, got the number 2\.0 in it"),
    ("by a name",           lambda: gradients(v * 2, "v"),           TypeError, r"wrt is str"),
    ("by a cycle",          lambda: gradients(v * 2, ITSELF),        ValueError, r"wrt\[1\] contains itself"),
    ("check of a list", lambda: check_gradient(lambda x: [x], 1.0), TypeError, r"check_gradient takes a function that returns one Value, this one returned list: use jacobian"),
    ("check by a string",   lambda: check_gradient(same, "a"),       TypeError, r"the argument\[0\] is str"),
    ("check, wrt",          lambda: check_gradient(same, 1.0, wrt=4), ValueError, r"wrt=4 asks for argument 4, .*but .* called with 1"),
]

ROWS_OF_TWO = sg.compile(lambda w, x, y: w * x - y, rows=("x", "y"), backend="python")
COMPILE: list[Row] = [
    # of what, and how
    ("a number",            lambda: sg.compile(3.0),                 TypeError, r"compile takes a function, got float: write compile\(f\)\(x\)"),
    ("a Value",             lambda: sg.compile(v),                   TypeError, r"compile takes a function, got Value"),
    ("a misspelt reduction", lambda: sg.compile(same, reduce="avg"), ValueError, r"reduce='avg' is none of 'mean', 'sum' and None"),
    ("a misspelt backend",  lambda: sg.compile(same, backend="nmpy"), ValueError, r"backend='nmpy' is none of 'auto', 'python', 'numpy', 'native'"),
    ("wrt a name",          lambda: sg.compile(same, wrt="x"),       TypeError, r"wrt takes the number of an argument or a tuple .* got 'x': write wrt=0"),
    ("wrt True",            lambda: sg.compile(same, wrt=True),      TypeError, r"wrt takes the number of an argument .* got True"),
    ("wrt a list",          lambda: sg.compile(same, wrt=[0]),       TypeError, r"wrt takes the number of an argument .* got \[0\]"),
    ("wrt twice",           lambda: sg.compile(same, wrt=(0, 0)),    ValueError, r"wrt=\(0, 0\) names an argument twice"),
    ("wrt out of range",    lambda: sg.compile(same, wrt=1)(1.0),    ValueError, r"wrt=1 asks for argument 1, counted from 0, .* called with 1"),
    ("wrt below range",     lambda: sg.compile(same, wrt=-2)(1.0),   ValueError, r"wrt=-2 asks for argument -2, .* called with 1"),
    ("rows by number",      lambda: sg.compile(same, rows=0),        TypeError, r"rows takes names of arguments, got 0: write rows=\('x', 'y'\)"),
    ("rows by numbers",     lambda: sg.compile(same, rows=(0, 1)),   TypeError, r"rows takes names of arguments, got 0: write rows="),
    ("rows of what is not", lambda: sg.compile(same, rows="X"),      ValueError, r"rows names 'X', and same has the arguments x"),
    # called with what
    ("one too few",         lambda: ROWS_OF_TWO(1.0, [1.0]),         TypeError, r"lambda\(\) missing a required argument: 'y': it takes w, x, y"),
    ("one too many",        lambda: sg.compile(same)(1.0, 2.0),      TypeError, r"same\(\) too many positional arguments: it takes x"),
    ("an unknown name",     lambda: sg.compile(same)(1.0, z=2.0),    TypeError, r"same\(\) got an unexpected keyword argument 'z': it takes x"),
    ("given twice",         lambda: sg.compile(same)(1.0, x=2.0),    TypeError, r"same\(\) multiple values for argument 'x'"),
    ("a Value as argument", lambda: sg.compile(same)(v), TypeError,
     r"x is a Value, and a compiled function takes numbers: give its \.data, or call the function itself"),
    ("a number as text",    lambda: sg.compile(same)("2"),           TypeError, rf"x is str, {NUMBERS}: write float\('2'\)"),
    ("bytes",               lambda: sg.compile(same)(b"a"),          TypeError, rf"x is bytes, {NUMBERS}"),
    ("a complex",           lambda: sg.compile(same)(1j),            TypeError, rf"x is complex, {NUMBERS}"),
    ("a set",               lambda: sg.compile(same)({1.0}),         TypeError, rf"x is set, {NUMBERS}: write list"),
    ("a generator",         lambda: sg.compile(same)(x for x in [1.0]), TypeError, rf"x is generator, {NUMBERS}: write list"),
    ("deep inside",         lambda: sg.compile(same)({"w": [1.0, b"b"]}), TypeError, rf"x\['w'\]\[1\] is bytes, {NUMBERS}"),
    ("an array of texts",   lambda: sg.compile(same)(np.array(["a"])), TypeError, r"x is an array of <U1, .* write x\.astype\(float\)"),
    ("a complex array",     lambda: sg.compile(same)(np.array([1j])), TypeError, r"x is an array of complex128, expected one of real numbers"),
    ("an array of dates",   lambda: sg.compile(same)(np.array(["2020-01-01"], "M8[D]")), TypeError, r"x is an array of datetime64\[D\]"),
    ("an array of lists",   lambda: sg.compile(same)(np.array([[1], [1, 2]], object)), ValueError, r"x is an array of objects that are no numbers"),
    ("masked numbers",      lambda: sg.compile(same)(np.ma.array([1.0, 2.0], mask=[0, 1])), ValueError, r"x is an array with masked numbers: .*filled"),
    ("itself",              lambda: sg.compile(same)(ITSELF),        ValueError, r"x\[1\] contains itself: give it lists and dicts that end in numbers"),
    ("a ring",              lambda: sg.compile(same)(AROUND),        ValueError, r"x\['inner'\]\[1\] contains itself"),
    # rows
    ("rows of a number",    lambda: ROWS_OF_TWO(1.0, 2.0, 3.0),      TypeError, r"x carries rows and must be a list of rows or an array, got float"),
    ("rows of a dict",      lambda: ROWS_OF_TWO(1.0, {}, [1.0]),     TypeError, r"x carries rows and must be a list of rows .*, got dict"),
    ("rows of a text",      lambda: ROWS_OF_TWO(1.0, "ab", [1.0]),   TypeError, r"x carries rows and must be a list of rows .*, got str"),
    ("rows left out", lambda: sg.compile(lambda w, x=1.0: w * x, rows="x")(1.0), TypeError,
     r"x carries rows and was not given: call lambda with all of x"),
    ("no rows",             lambda: ROWS_OF_TWO(1.0, [], []),        ValueError, r"x and y have no rows: give one at least"),
    ("no rows in arrays",   lambda: ROWS_OF_TWO(1.0, np.ones(0), np.ones(0)), ValueError, r"x and y have no rows"),
    ("no rows to come",     lambda: ROWS_OF_TWO(1.0, iter([]), []),  ValueError, r"x and y have no rows"),
    ("more rows than targets", lambda: ROWS_OF_TWO(1.0, [1.0, 2.0], [1.0]), ValueError, r"must have the same number of them: x has 2, y has 1"),
    ("other rows later",    lambda: (ROWS_OF_TWO(1.0, np.ones(2), np.ones(2)), ROWS_OF_TWO(1.0, np.ones(2), np.ones(3))), ValueError, r"x has 2, y has 3"),
    ("ragged rows",         lambda: ROWS_OF_TWO(1.0, [[1.0, 2.0], [3.0]], [1, 2]), ValueError, r"row 1 of x is a list of 1, row 0 a list of 2: all rows must be alike"),
    ("a number among rows", lambda: ROWS_OF_TWO(1.0, [[1.0], 2.0], [1, 2]), ValueError, r"row 1 of x is a number, row 0 a list of 1"),
    ("a ragged row",        lambda: ROWS_OF_TWO(1.0, [[[1.0], [2.0, 3.0]]], [1]), ValueError, r"row 0 of x must be a number or a regular list"),
    ("a text in a row",     lambda: ROWS_OF_TWO(1.0, [[1.0, "2"]], [1]), TypeError, rf"row 0 of x\[1\] is str, {NUMBERS}"),
    ("a row that is text",  lambda: ROWS_OF_TWO(1.0, ["a"], [1]),    ValueError, r"row 0 of x must be a number or a regular list of numbers"),
    ("a row of Values",     lambda: ROWS_OF_TWO(1.0, [v], [1]),      TypeError, r"row 0 of x is a Value"),
    # what comes out
    ("nothing returned",    lambda: sg.compile(lambda x: None)(1.0), TypeError, r"lambda returned NoneType, .*: did it forget its return\?"),
    ("a text returned",     lambda: sg.compile(lambda x: "x")(1.0),  TypeError, r"lambda returned str, expected a number"),
    ("a set returned",      lambda: sg.compile(lambda x: {x})(1.0),  TypeError, r"the result of lambda is set, expected a number"),
    ("itself returned",     lambda: sg.compile(lambda x: ITSELF)(1.0), ValueError, r"the result of lambda\[1\] contains itself"),
    ("a gradient of several", lambda: sg.compile(lambda x: [x, x]).value_and_grad(1.0), TypeError,
     r"lambda returns several values, and value_and_grad is of one: take f\.jacobian\(…\), or return their sum"),
    ("a gradient by text",  lambda: sg.compile(lambda k, x: x).value_and_grad("k", 1.0), TypeError, r"by argument 0, which is no number but 'k'"),
    ("a gradient by nothing", lambda: sg.compile(lambda: 1.0).value_and_grad(), ValueError, r"lambda was called with no argument to take a gradient by"),
    ("what would freeze",   lambda: sg.compile(lambda x: x if x > 0 else -x)(1.0), sg.TraceError,
     r"the truth of a traced comparison would freeze one number .*where\(condition, a, b\).* \(at .*test_errors\.py, line \d+"),
]

NN: list[Row] = [
    ("a neuron of none",    lambda: Neuron(0),                       ValueError, r"nin must be 1 or more, got 0"),
    ("a layer of half",     lambda: Layer(2, 1.5),                   TypeError, r"nout must be a whole number, got float 1\.5"),
    ("layers as a number",  lambda: MLP(2, 16),                      TypeError, r"nouts must be a list, .*, got 16: write \[16, 16, 1\]"),
    ("no layers", lambda: MLP(2, []), ValueError, r"nouts must name one layer at least, got \[\]: write \[1\]"),
    ("a misspelt name", lambda: Neuron(2, "rellu"), ValueError, r"activation='rellu' is none of .*: did you mean 'relu'\?"),
    ("a misspelt init",     lambda: Neuron(2, init="hee"),           ValueError, r"init='hee' is none of .*: did you mean 'he'\?"),
    ("a seed of letters", lambda: Neuron(2, seed="a"), TypeError, r"seed must be a whole number, a random\.Random or None, got str 'a'"),
    ("a row too short",     lambda: MLP(2, [3, 1])([1.0]),           ValueError, r"layer 1 \(2 → 3\) expects 2 inputs, got 1"),
    ("rows for a row", lambda: MLP(2, [1])([[1, 2], [3, 4]]), TypeError,
     r"takes one row of 2 inputs, got rows: for many rows there is predict\(X\)"),
    ("letters for numbers", lambda: MLP(2, [1])(["a", "b"]),         TypeError, r"layer 1 \(2 → 1\) takes a real number, got str"),
    ("ragged rows", lambda: Neuron(2).fit([[1, 2], [3]], [0, 1]), ValueError, r"row 1 of X is a list of 1, row 0 a list of 2: all rows"),
    ("nan in the data", lambda: Neuron(2).fit([[1, nan]], [0]), ValueError,
     r"row 0 of X has nan in column 1: leave such rows out, or fill"),
    ("nan in the targets", lambda: Neuron(1).fit([1, 2], [0, nan]), ValueError, r"row 1 of y is nan: leave such rows out, or fill them in"),
    ("no data",             lambda: Neuron(2).fit([], []),           ValueError, r"X has no rows"),
    ("fewer targets", lambda: Neuron(1).fit([1, 2], [0]), ValueError, r"X has 2 rows and y has 1: each row of X needs its own of y"),
    ("a misspelt loss",     lambda: Neuron(1).fit([1], [1], loss="msee"), ValueError, r"loss='msee' is none of .*: did you mean 'mse'\?"),
    ("no epoch",            lambda: Neuron(1).fit([1], [1], epochs=0), ValueError, r"epochs must be 1 or more, got 0"),
    ("fit in no_grad", lambda: unrecorded(lambda: Neuron(1).fit([1], [1])), ValueError,
     r"fit cannot learn within no_grad\(\).*: call it outside"),
    ("two lengths", lambda: mse([1.0, 2.0], [1.0]), ValueError, r"mse takes a target for each prediction, got 2 predictions and 1"),
    ("a class too high",    lambda: cross_entropy([1.0, 2.0], 2),    ValueError, r"of 2 logits takes a class from 0 to 1, got 2"),
    ("a rate below 0",      lambda: SGD([v], lr=-0.1),               ValueError, r"lr must be 0 or more, and finite, got -0\.1"),
    ("numbers to learn", lambda: Adam([1.0]), TypeError, r"Adam takes Values, got float: give it model\.parameters\(\)"),
    ("computed Values",     lambda: SGD([v * 2], 0.1),               ValueError, r"SGD takes leaves, and .* was computed by mul"),
    ("nothing to learn",    lambda: SGD([], 0.1),                    ValueError, r"SGD got no parameters: there is nothing to learn"),
    ("a state that lacks",  lambda: Neuron(1).load_state({}),        ValueError, r"the state lacks 'w', 'b': Neuron\(1.*\) has 'w', 'b'"),
    ("a number drawn", lambda: draw(3.0), TypeError, r"got float: a plain number has no graph; compute with Value\(3\.0\)"),
]
# fmt: on

TABLE = {
    "value": VALUE,
    "functions": FUNCTIONS,
    "derivatives": DERIVATIVES,
    "compile": COMPILE,
    "nn": NN,
}
ROWS = [
    pytest.param(*row[1:], id=f"{part}: {row[0]}") for part, rows in TABLE.items() for row in rows
]


@pytest.mark.parametrize(("call", "error", "text"), ROWS)
def test_a_wrong_call_is_answered_with_what_was_given_and_what_is_taken(call, error, text):
    with pytest.raises(error, match=text) as caught:
        call()
    assert caught.type is error


def test_no_row_stands_twice():
    ids = [row.id for row in ROWS]
    assert len(ids) == len(set(ids)) > 150


def test_a_refused_call_leaves_no_mark():
    """Nothing stays switched on, and no gradient is touched, when a function raises in the middle."""

    def breaks(x: Any) -> Any:
        _ = x * v
        raise KeyError("in the function")

    before = v.grad
    for derived in (grad(breaks), hessian(breaks), grad(grad(breaks)), jacobian(breaks)):
        with pytest.raises(KeyError, match="in the function"):
            derived(2.0)
    assert v.grad == before
    assert type(grad(lambda x: x * x)(3.0)) is float


# ------------------------------------------------------------------ what looks wrong and is not


def test_a_constant_has_slopes_of_zero():
    assert grad(lambda x: 3.0)(2.0) == 0.0
    assert grad(lambda x: Fraction(1, 3))([1.0, (2.0,)]) == [0.0, (0.0,)]
    assert hessian(lambda x: 3)([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert jacobian(lambda x: [x, 1.0])(2.0) == [1.0, 0.0]
    assert jvp(lambda x: 1.0)(2.0, 1.0) == 0.0
    assert hvp(lambda x: 1.0)([2.0], [1.0]) == [0.0]
    assert gradients(Value(2.0), [v]) == [0.0]


def test_backward_on_a_leaf_gives_it_the_slope_one():
    x = Value(3.0)
    x.backward()
    assert x.grad == 1.0


def test_of_empty_containers_the_derivative_is_empty():
    assert grad(lambda x: 1.0)([]) == []
    assert grad(lambda x: 1.0)({"w": [], "b": ()}) == {"w": [], "b": ()}
    assert hessian(lambda x: 1.0)({}) == {}
    assert jacobian(lambda x: [])([1.0]) == []
    assert jvp(lambda x: 1.0)([], []) == 0.0
    assert gradients(v * 2, []) == []


def test_ragged_rows_are_arguments_like_others():
    assert grad(lambda rows: rows[0][1] * rows[1][0])([[1.0, 2.0], [3.0]]) == [[0.0, 3.0], [2.0]]


def test_a_list_that_stands_at_two_places_is_no_cycle():
    shared = [2.0]
    assert grad(lambda p: p[0][0] * p[1][0] ** 2)([shared, shared]) == [[4.0], [8.0]]


def test_nan_and_infinity_are_numbers_and_pass_through():
    assert math.isnan(Value(nan).data)
    assert math.isnan(grad(lambda x: x * x)(nan))
    assert grad(lambda x: x * x)(math.inf) == math.inf
    assert grad(lambda p: p[0] * 2)([1.0, nan]) == [2.0, 0.0]
