"""custom_op: users add operations to the table, as text or as Python functions.   (floor 2)"""

from __future__ import annotations

import ast
import builtins
import math
import sys
from keyword import iskeyword

from ..arithmetic.conversion import as_float
from ..arithmetic.total import inf, nan
from ..ops import OPS, PRODUCT, SUM, TRAITS, Op, named
from ..value import Value
from . import free_functions, slopes
from .free_functions import function_named
from .methods import add_method
from .templates import WORDS
from .text import FAST_NAMES, TOTAL_NAMES, USER_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    Given = tuple[Callable[..., Any], ...]  # a user's functions: value, slopes

LOOSEST = SUM - 1  # a formula that binds so loosely stands in brackets within any other
_added: dict[str, tuple[Op, Given]] = {}  # so far, to recognize one that is added again

# The package looks for these attributes on operands of other kinds. No method may have such a name.
FOREIGN_ATTRIBUTES = {
    "activation", "arranged", "at", "b", "bit_generator", "block", "cache_info", "columns",
    "dtype", "get_state", "getuid", "item", "kind", "layers", "mask", "module", "ndim", "neurons",
    "origin", "parameters", "random", "random_raw", "ravel", "records", "shape", "step",
    "steps", "to_numpy", "tobytes", "tolist", "w", "zero_grad",
}  # fmt: skip


def custom_op(
    name: str,
    value: str | Callable[..., float],
    slopes: str | Callable[..., Any] | tuple[str | Callable[..., Any], ...],
    symbol: str = "",
    domain: tuple[tuple[float, float], ...] | None = None,
    work: tuple[str, ...] = (),
    traits: str = "",
    infix: str = "",
) -> Callable[..., Any]:
    """Add an operation of your own and return its function; Values get it as a method, too.

    >>> from scalargrad import Value, custom_op
    >>> cube = custom_op("cube", "x * x * x", "3.0 * x * x", symbol="x³")
    >>> x = Value(2.0)
    >>> y = cube(x) + x.cube()
    >>> y.backward()
    >>> y.data, x.grad
    (16.0, 24.0)

    Value and slopes are all text, or all Python functions. There is one slope, by x, or there are
    two, by x and by y. To make the same operation again, as a notebook's cell does, is no error.

    Text is arithmetic (+ - * / **), comparisons and choices (a if x > 0 else b) of x, y, numbers
    and calls. A slope may read the value as `out`; `work` holds lines ("e = exp(-x)",) that value
    and slopes share. Text compiles everywhere. It may call these functions:

    abs, acos, acosh, add, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, asin,
    asinh, atan, atan2, atanh, cbrt, clip, cos, cosh, deg2rad, degrees, div, elu, erf, erfc,
    exp, exp2, expm1, gelu, hypot, leaky_relu, log, log10, log1p, log2, log_sigmoid, logaddexp,
    maximum, minimum, mod, mul, neg, pow, rad2deg, radians, reciprocal, relu, remainder,
    sigmoid, sign, silu, sin, sinc, sinh, softplus, sqrt, square, sub, tan, tanh, xlogy.

    Python functions take floats and return a float: custom_op("lgamma", math.lgamma, digamma). A
    ValueError that they raise is taken as nan, an OverflowError as inf. Such an operation runs in
    eager mode and in compiled Python and NumPy, not in machine code. For second derivatives its
    slope must take Values as well.

    `traits` tells in words what else is known of the operation: "commutative", "linear" (in each
    operand), "sum" (all slopes are 1), "activation", "rectifier" (an activation that lets about
    half of its inputs pass), "length" (of its operands; it has a kink where all are 0), "extreme"
    (it is one of its operands; it has a kink where several are equal). Without `traits` an
    operation with one operand is an activation. Formulas write `infix` between the two operands,
    pictures show `symbol`, and `domain` holds the least and the greatest number of each operand.

    A name, a text or a function that will not do raises TypeError or ValueError.
    """
    given = _parts(name, value, slopes)
    functions: Given = () if isinstance(value, str) else given
    operands = ("x", "y")[: len(given) - 1]
    traits = _known_traits(traits, infix, operands)
    texts = formulas = given
    if functions:
        traits += " python"
        texts = _call_texts(name, operands)
        formulas = (f"{name}({', '.join(operands)})", *[f"of {name}, by {x}" for x in operands])
    op = Op(
        name, " ".join(operands), f"An operation of your own: {name}.",
        formula=formulas[0], slope_formulas=tuple(formulas[1:]),
        value=texts[0], slopes=tuple(texts[1:]), work=tuple(work),
        symbol=symbol, domain=domain or (), traits=traits,
        infix=(infix, LOOSEST, PRODUCT, PRODUCT) if infix else None,
    )  # fmt: skip
    if name in OPS and _added.get(name, (None,))[0] is OPS[name]:
        _check_same(op, functions)
        return function_named(name)
    _check_name(name)
    if functions:
        _add_functions(op, functions)
    else:
        _check_text(op)
    OPS[name] = op
    _added[name] = op, functions
    add_method(Value, op)
    return function_named(name)


def _parts(name: Any, value: Any, slopes: Any) -> tuple[Any, ...]:
    """The value and each slope; an error if they are not all text, or all functions."""
    given = (value, *slopes) if isinstance(slopes, (tuple, list)) else (value, slopes)
    if not 2 <= len(given) <= 3:
        raise ValueError(
            f"custom_op takes one slope or two, by x and by y; got {len(given) - 1} for {name!r}"
        )
    if not all(isinstance(part, str) for part in given) and not all(map(callable, given)):
        kinds = ", ".join(type(part).__name__ for part in given)
        raise TypeError(
            "custom_op takes value and slopes as text or as functions, all of one kind, "
            f"got {kinds}: write "
            "custom_op('cube', 'x * x * x', '3.0 * x * x') or "
            "custom_op('cube', lambda x: x * x * x, lambda x: 3.0 * x * x)"
        )
    if not isinstance(name, str):
        raise TypeError(f"custom_op takes a name as text, got {type(name).__name__}")
    return given


def definition(op: Op) -> tuple[Any, ...] | None:
    """The arguments that make an operation again, in another process; None for the package's own.

    >>> _ = custom_op("cube", "x * x * x", "3.0 * x * x", symbol="x³")
    >>> custom_op(*definition(OPS["cube"])).__name__, definition(OPS["exp"])
    ('cube', None)
    """
    if op.name not in _added:
        return None
    op, functions = _added[op.name]
    given: tuple[Any, ...] = functions or (op.value, *(op.slopes or ()))
    traits, infix = " ".join(sorted(op.traits - {"python"})), op.infix[0] if op.infix else ""
    return op.name, given[0], given[1:], op.symbol, op.domain, op.work, traits, infix


def _known_traits(traits: str, infix: str, operands: tuple[str, ...]) -> str:
    """The traits, with those that follow from them; ValueError for one that cannot be."""
    words = set(traits.split())
    for word in words:
        if word not in TRAITS:
            raise ValueError(f"traits={traits!r}: {word!r} is none of {', '.join(TRAITS)}")
    if infix and len(operands) < 2:
        raise ValueError(f"infix={infix!r} stands between two operands, and there is one")
    if words & {"activation", "rectifier"} and len(operands) > 1:
        raise ValueError(f"traits={traits!r}: an activation has one operand, and there are two")
    if "rectifier" in words or (not words and len(operands) == 1):
        words.add("activation")
    return " ".join(words)


# ------------------------------------------------------------------ names


def _check_name(name: str) -> None:
    if not name.isidentifier() or iskeyword(name) or name.startswith("_"):
        raise ValueError(
            f"{name!r} cannot be the name of an operation: "
            "write an identifier that does not begin with _"
        )
    package = sys.modules[__name__.partition(".")[0]]
    if named(name):
        raise ValueError(f"the name {name!r} is taken: give the operation another")
    scopes = (
        vars(builtins), vars(free_functions), vars(slopes), slopes.NAMES,
        TOTAL_NAMES, WORDS, FOREIGN_ATTRIBUTES, ("x", "y", "out", "by_x", "by_y"),
    )  # fmt: skip
    if (
        hasattr(Value, name)
        or hasattr(package, name)
        or any(name in scope for scope in scopes)
        or name.startswith("record_")
    ):
        raise ValueError(
            f"the name {name!r} is taken by Python or by the package: "
            f"give the operation another, {name}_of_mine say"
        )


def _check_same(op: Op, given: Given) -> None:
    """Raise ValueError if the operation differs from the one that has its name already."""
    before, given_before = _added[op.name]
    fields = ("value", "slopes", "operands", "work", "symbol", "domain", "traits", "infix")
    for field in fields:
        old, new = getattr(before, field), getattr(op, field)
        if old != new:
            if bool(given) != bool(given_before):
                break
            raise ValueError(
                f"the operation {op.name!r} was made before with {field} {_shown(old)}, "
                f"now with {_shown(new)}: give it another name"
            )
    if bool(given) != bool(given_before):
        raise ValueError(
            f"the operation {op.name!r} was made before from {_kind(given_before)}, "
            f"now from {_kind(given)}: give it another name"
        )
    for part, old, new in zip(("value", "slope by x", "slope by y"), given_before, given):
        if _behaviour(old) != _behaviour(new):
            raise ValueError(
                f"the operation {op.name!r} was made before with another function as its {part}: "
                "give it another name"
            )


def _kind(given: Given) -> str:
    return "functions" if given else "text"


def _shown(field: Any) -> str:
    return repr(" ".join(sorted(field)) if isinstance(field, frozenset) else field)


def _behaviour(function: Any, depth: int = 3) -> Any:
    """The code of a function and what it reads, equal for two functions that do the same."""
    code = getattr(function, "__code__", None)
    if code is None or not depth:
        return function
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return (
        _instructions(code), function.__defaults__, function.__kwdefaults__,
        id(function.__globals__),
        [_behaviour(content, depth - 1) for content in cells],
    )  # fmt: skip


def _instructions(code: CodeType) -> Any:
    """Code without its line numbers, which change when a notebook's cell is run again."""
    constants = [
        _instructions(c) if isinstance(c, type(code)) else (type(c), c) for c in code.co_consts
    ]
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants


# ------------------------------------------------------------------ text


def public_names() -> list[str]:
    """The functions of the table that text may call: those of one, two or three numbers."""
    return sorted(
        name
        for op in OPS.values()
        if op.is_public and not op.takes_lists and not op.is_composed and op.name not in _added
        for name in op.names
    )


def _check_text(op: Op) -> None:
    """Raise ValueError if an expression has a mistake, or uses a name that it may not use."""
    own = {*op.operands, "inf", "nan"}
    for line in op.work:
        name, _, expression = line.partition(" = ")
        _check_expression(op, line, expression, own.union(FAST_NAMES))
        if not name.isidentifier() or name in {*own, *FAST_NAMES, "out"} or named(name):
            raise ValueError(
                f"{op.name}: {line!r} must be `name = expression`, with a name of its own"
            )
        own.add(name)
    _check_expression(op, op.value, op.value, own.union(FAST_NAMES))
    for slope in op.slopes or ():
        _check_expression(op, slope, slope, own | {"out"})


def _check_expression(op: Op, text: str, expression: str, known: set[str]) -> None:
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError as error:
        raise ValueError(f"{op.name}: {text!r} is no expression: {error.msg}") from None
    for node in ast.walk(tree):
        _check_node(op, text, node, known)


_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_REFUSED = (ast.Attribute, ast.Subscript, ast.Lambda, ast.NamedExpr, ast.keyword, ast.comprehension)


def _check_node(op: Op, text: str, node: ast.AST, known: set[str]) -> None:
    if (
        isinstance(node, _REFUSED)
        or (isinstance(node, ast.BinOp) and not isinstance(node.op, _ARITHMETIC))
        or (isinstance(node, ast.Constant) and not isinstance(node.value, (int, float)))
    ):
        names = ", ".join(op.operands)
        raise ValueError(
            f"{op.name}: {text!r} must be arithmetic (+ - * / **) of {names} "
            "and calls of functions by name"
        )
    if isinstance(node, ast.Name) and node.id not in known and not named(node.id):
        module = "math." if hasattr(math, node.id) else ""
        raise ValueError(
            f"{op.name}: {node.id!r} in {text!r} is neither an operand nor a function of the "
            "table. "
            f"Text may call {', '.join(public_names())}. "
            "Give any other as a Python function, with one for each slope: "
            f"custom_op({op.name!r}, {module}{node.id}, its_slope)"
        )
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        called = named(name)
        if called and len(node.args) != len(called.operands):
            raise ValueError(
                f"{op.name}: {name} takes {len(called.operands)} operands, "
                f"{text!r} gives it {len(node.args)}"
            )
        if called and called.is_composed:
            raise ValueError(
                f"{op.name}: {name} is composed of other operations: "
                f"write {called.value!r} out in {text!r}"
            )


# ------------------------------------------------------------------ Python functions


def _call_texts(name: str, operands: tuple[str, ...]) -> tuple[str, ...]:
    """The text of an operation made of functions: a call of each, by a name of its own."""
    arguments = ", ".join(operands)
    return tuple([f"{called}({arguments})" for called in _function_names(name, operands)])


def _function_names(name: str, operands: tuple[str, ...]) -> list[str]:
    return [f"_value_of_{name}", *(f"_slope_of_{name}_by_{x}" for x in operands)]


def _add_functions(op: Op, given: Given) -> None:
    """Let generated code call the functions, as they are and in a form that never raises."""
    for called, function in zip(_function_names(op.name, op.operands), given):
        FAST_NAMES[called] = _on_numbers(op.name, function)
        TOTAL_NAMES[called] = USER_NAMES[called] = _total(FAST_NAMES[called])
        slopes.NAMES[called] = _on_values(op.name, called, function)


def _as_real(name: str, result: object) -> float:
    if (number := as_float(result)) is not None:
        return number
    if isinstance(result, complex):
        return nan
    raise TypeError(
        f"the functions of the operation {name!r} must take floats and return a real number, "
        f"got {type(result).__name__}"
    )


def _on_numbers(name: str, function: Callable[..., Any]) -> Callable[..., float]:
    def on_numbers(*operands: float) -> float:
        result = function(*operands)
        return result if result.__class__ is float else _as_real(name, result)

    return on_numbers


def _total(function: Callable[..., float]) -> Callable[..., float]:
    def total(*operands: float) -> float:
        try:
            return function(*operands)
        except OverflowError:
            return inf
        except (ArithmeticError, ValueError):
            return nan

    return total


def _on_values(name: str, called: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A slope as a function of Values, to be differentiated again, if the user's takes Values."""

    def on_values(*operands: Any) -> Any:
        if not any(isinstance(x, Value) for x in operands):
            return TOTAL_NAMES[called](*operands)
        try:
            result = function(*operands)
        except TypeError as error:
            raise TypeError(
                f"a second derivative of {name!r} calls its slope with Values, but that function "
                "takes only floats: write it with scalargrad's functions, or make it an operation "
                "with a slope of its own by custom_op"
            ) from error
        return result if isinstance(result, Value) else _as_real(name, result)

    return on_values
