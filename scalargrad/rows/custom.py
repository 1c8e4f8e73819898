"""Operations that users add to the table, as text or as Python functions.   (floor 2)"""

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
from .text import FAST_NAMES, OF_USERS, TOTAL_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    Given = tuple[Callable[..., Any], ...]  # a value and its slopes, as a user wrote them

LOOSE = SUM - 1  # nobody knows how tightly it binds: in another operation it has brackets
_added: dict[str, tuple[Op, Given]] = {}  # what was added, to know it when it comes again

# The package asks operands of foreign kinds for these. No method may bear their names.
ASKED = {
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

    Value and slopes are text, or they are Python functions. There are one or two slopes: by x, and
    by y. The same operation may be made again, as a notebook's cell does.

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

    `traits` says in words what else is known of it: "commutative", "linear" (in each operand),
    "sum" (all slopes are 1), "activation", "rectifier" (an activation that lets about half of its
    inputs pass), "length" (of its operands; it has a kink where all are 0), "extreme" (it is one of
    its operands; it has a kink where several are equal). An operation of one operand is an
    activation if nothing else is said. `infix` is what stands between its operands in formulas,
    `symbol` what stands on its card, and `domain` holds low and high of each operand.

    TypeError and ValueError say what is wrong with a name, a text or a function.
    """
    given = (value, *slopes) if isinstance(slopes, (tuple, list)) else (value, slopes)
    if not 2 <= len(given) <= 3:
        raise ValueError(
            f"custom_op takes one slope or two, by x and by y; got {len(given) - 1} for {name!r}"
        )
    of_text = all(isinstance(part, str) for part in given)
    if not of_text and not all(callable(part) for part in given):
        kinds = ", ".join(type(part).__name__ for part in given)
        raise TypeError(
            "custom_op takes value and slopes as text or as functions, all of one kind, "
            f"got {kinds}: write "
            "custom_op('cube', 'x * x * x', '3.0 * x * x') or "
            "custom_op('cube', lambda x: x * x * x, lambda x: 3.0 * x * x)"
        )
    if not isinstance(name, str):
        raise TypeError(f"custom_op takes a name as text, got {type(name).__name__}")
    operands = ("x", "y")[: len(given) - 1]
    traits = _checked(traits, infix, operands) + ("" if of_text else " python")
    texts: Any = given if of_text else _texts(name, operands)
    formula, *slope_formulas = (
        texts
        if of_text
        else [f"{name}({', '.join(operands)})", *[f"of {name}, by {x}" for x in operands]]
    )
    op = Op(
        name,
        " ".join(operands),
        f"An operation of your own: {name}.",
        formula=formula,
        slope_formulas=tuple(slope_formulas),
        value=texts[0],
        slopes=tuple(texts[1:]),
        work=tuple(work),
        symbol=symbol,
        domain=domain or (),
        traits=traits,
        infix=(infix, LOOSE, PRODUCT, PRODUCT) if infix else None,
    )
    functions: Given = () if of_text else given  # type: ignore[assignment]
    if name in OPS and _added.get(name, (None,))[0] is OPS[name]:
        _check_same(op, functions)
        return function_named(name)
    _check_name(name)
    if of_text:
        _check_text(op)
    else:
        _add_functions(op, functions)
    OPS[name] = op
    _added[name] = op, functions
    add_method(Value, op)
    return function_named(name)


def _checked(traits: str, infix: str, operands: tuple[str, ...]) -> str:
    """Traits in words, with those that follow from them; ValueError for what is none."""
    words = set(traits.split())
    for word in words:
        if word not in TRAITS:
            raise ValueError(f"traits={traits!r}: {word!r} is none of {', '.join(TRAITS)}")
    if infix and len(operands) < 2:
        raise ValueError(f"infix={infix!r} stands between two operands, and there is one")
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
        TOTAL_NAMES, WORDS, ASKED, ("x", "y", "out", "by_x", "by_y"),
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
    """ValueError that says how an operation differs from the one that was added by that name."""
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
            f"the operation {op.name!r} was made before of {_kind(given_before)}, "
            f"now of {_kind(given)}: give it another name"
        )
    for part, old, new in zip(("value", "slope by x", "slope by y"), given_before, given):
        if _meaning(old) != _meaning(new):
            raise ValueError(
                f"the operation {op.name!r} was made before with another function as its {part}: "
                "give it another name"
            )


def _kind(given: Given) -> str:
    return "functions" if given else "text"


def _shown(field: Any) -> str:
    return repr(" ".join(sorted(field)) if isinstance(field, frozenset) else field)


def _meaning(function: Any, depth: int = 3) -> Any:
    """A function's code and what it reads: equal for two functions that do the same."""
    code = getattr(function, "__code__", None)
    if code is None or not depth:
        return function
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return (
        _instructions(code), function.__defaults__, function.__kwdefaults__,
        id(function.__globals__),
        [_meaning(content, depth - 1) for content in cells],
    )  # fmt: skip


def _instructions(code: CodeType) -> Any:
    """Code without the places where it stands: a cell that is run again counts its lines anew."""
    constants = [
        _instructions(c) if isinstance(c, type(code)) else (type(c), c) for c in code.co_consts
    ]
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants


# ------------------------------------------------------------------ text


def public_names() -> list[str]:
    """The functions that text may call: those of the table, of one, two or three numbers."""
    return sorted(
        name
        for op in OPS.values()
        if op.is_public and not op.takes_lists and not op.is_composed and op.name not in _added
        for name in (op.name, *op.aliases)
    )


def _check_text(op: Op) -> None:
    """ValueError where an expression cannot be read, or reads a name that it may not."""
    local = {*op.operands, "inf", "nan"}
    for i, text in enumerate((*op.work, op.value, *(op.slopes or ()))):
        target, _, expression = text.partition(" = ") if i < len(op.work) else ("", "", text)
        if i == len(op.work) + 1:
            local.add("out")
        try:
            tree = ast.parse(expression, mode="eval")
        except SyntaxError as error:
            raise ValueError(f"{op.name}: {text!r} is no expression: {error.msg}") from None
        is_slope = i > len(op.work)
        for node in ast.walk(tree):
            _check_node(op, text, node, local | ({*FAST_NAMES} if not is_slope else set()))
        if i < len(op.work) and (
            not target.isidentifier()
            or target in local
            or target in FAST_NAMES
            or named(target)
            or target == "out"
        ):
            raise ValueError(
                f"{op.name}: {text!r} must be `name = expression`, with a name of its own"
            )
        if target:
            local.add(target)


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


def _texts(name: str, operands: tuple[str, ...]) -> list[str]:
    """The texts of an operation of functions: a call of each, by a name that nothing else has."""
    arguments = ", ".join(operands)
    return [f"{called}({arguments})" for called in _called(name, operands)]


def _called(name: str, operands: tuple[str, ...]) -> list[str]:
    return [f"_value_of_{name}", *(f"_slope_of_{name}_by_{x}" for x in operands)]


def _add_functions(op: Op, given: Given) -> None:
    """Let generated code call functions: as they are, and in a form that never raises."""
    for called, function in zip(_called(op.name, op.operands), given):
        FAST_NAMES[called] = _on_numbers(op.name, function)
        TOTAL_NAMES[called] = OF_USERS[called] = _total(FAST_NAMES[called])
        slopes.NAMES[called] = _on_values(op.name, called, function)


def _number(name: str, result: object) -> float:
    if (number := as_float(result)) is not None:
        return number
    if isinstance(result, complex):
        return nan
    raise TypeError(
        f"the functions of the operation {name!r} must return a real number of floats, "
        f"got {type(result).__name__}"
    )


def _on_numbers(name: str, function: Callable[..., Any]) -> Callable[..., float]:
    def on_numbers(*operands: float) -> float:
        result = function(*operands)
        return result if result.__class__ is float else _number(name, result)

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
    """A slope as it is differentiated again: a function of Values, if the user's takes them."""

    def on_values(*operands: Any) -> Any:
        if not any(isinstance(x, Value) for x in operands):
            return TOTAL_NAMES[called](*operands)
        try:
            result = function(*operands)
        except TypeError as error:
            raise TypeError(
                f"a second derivative of {name!r} asks its slope of Values, and the function takes "
                "only floats: write it with scalargrad's functions, or make it an operation with a "
                "slope of its own by custom_op"
            ) from error
        return result if isinstance(result, Value) else _number(name, result)

    return on_values
