"""Every operation of the package: its formula, how it is computed and shown.   (floor 0)

Each `Op` is read like this:

    Op("tanh", "x", "The hyperbolic tangent of x: an S-shaped curve from −1 to 1.",
       formula="(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)",       slope_formulas="1 − tanh(x)²",
       value="tanh(x)",                          slopes="4.0 * _sigmoid_slope(2.0 * x)",
       symbol="tanh", traits="activation"),

The first line names the operation and its operands and says what it does. The second line has the
formulas of a textbook. The third line has the formulas that the package computes: the same
mathematics, written so that no digits are lost (1 − tanh² is 0 at x = 20, where the true slope is
1.7e-17). The last line has the symbol for pictures, and traits: words for what else is known of the
operation. Some operations have a `domain`, in which the tests try them.

`x`, `y` … are the operands (`xs` and `ws` are lists), `out` is the value, and `work` holds lines
that value and slopes share. A slope is the partial derivative by one operand. Its text calls
operations. So it gives a float if the operands are floats, and a graph if they are Values: that is
how second derivatives come about. This table holds all the calculus of the package; methods,
functions, pictures, help and tests follow from it.

Arithmetic is that of IEEE 754 and raises no errors. At a kink the slope is the derivative, if there
is one. Else it is the subgradient nearest to 0, if the function is convex; else the limit of the
slopes nearby; else nan. If a function jumps between two constants, its slope there is 0.

An operation whose name begins with `_` is the slope of another one, and no function for users.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

inf = math.inf
LISTS = ("xs", "ws")  # operands that are lists
TRAITS = {
    "commutative": "the order of its operands does not matter",
    "linear": "it is linear in each of its operands, as the sum within a neuron is",
    "sum": "it adds up its operands: its slope by each is 1",
    "activation": "networks apply it to the sum within a neuron",
    "rectifier": "an activation that lets about half of its inputs pass",
    "python": "its value and slopes are Python functions that a user gave",
    "length": "it is the length of its operands, with a kink where all of them are 0",
    "extreme": "it is one of its operands, with a kink where several are equal",
}
SUM, PRODUCT, SIGN, POWER, ATOM = 1, 2, 3, 4, 5  # how tightly a formula binds: see `infix`


class Op:
    """One operation of the table.

    >>> OPS["mul"].slopes, OPS["mul"].symbol, OPS["mul"].is_commutative
    (('y', 'x'), '×', True)
    """

    __slots__ = (
        "aliases", "domain", "formula", "infix", "is_swapped", "name", "operands", "sentence",
        "slope_formulas", "slopes", "symbol", "traits", "value", "work",
    )  # fmt: skip

    def __init__(
        self, name: str, operands: str, sentence: str, *,
        formula: str = "", slope_formulas: str | tuple[str, ...] = (),
        value: str, slopes: str | tuple[str, ...] | None, work: tuple[str, ...] = (),
        symbol: str = "", domain: tuple[tuple[float, float], ...] = (), traits: str = "",
        infix: tuple[str, int, int, int] | None = None, aliases: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.name = name
        self.operands = tuple(operands.split())
        self.sentence = sentence
        self.formula = formula or value  # as textbooks write it
        self.value = value  # as it is computed
        # One slope for each operand; None if it is composed of other operations, which have slopes.
        self.slopes = (slopes,) if isinstance(slopes, str) else slopes
        self.slope_formulas: tuple[str, ...] = (
            (slope_formulas,) if isinstance(slope_formulas, str) else slope_formulas
        )
        self.work = work  # ("name = expression", …)
        self.symbol = symbol or name
        self.domain = domain or ((-inf, inf),) * len(self.operands)  # low and high of each operand
        self.traits = frozenset(traits.split())
        # The text between its operands; how tightly the whole formula binds; and how tightly the
        # first operand, and the others, must bind to need no parentheses.
        self.infix = infix
        self.aliases = aliases
        self.is_swapped = False

    def changed(self, **fields: Any) -> Op:
        """A copy with other contents in some fields."""
        copy = object.__new__(Op)
        for field in Op.__slots__:
            setattr(copy, field, fields[field] if field in fields else getattr(self, field))
        return copy

    def swapped(self) -> Op:
        """This operation for a node of a plain number, its first operand, and a Value."""
        return self.changed(is_swapped=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Its name and its aliases."""
        return self.name, *self.aliases

    @property
    def is_public(self) -> bool:
        """Whether it is a function for users."""
        return not self.name.startswith("_")

    @property
    def is_composed(self) -> bool:
        """Whether it records nothing itself, but calls other operations."""
        return self.slopes is None

    @property
    def is_commutative(self) -> bool:
        """Whether the order of its operands does not matter."""
        return "commutative" in self.traits

    @property
    def is_sum(self) -> bool:
        """Whether it adds up its operands."""
        return "sum" in self.traits

    @property
    def is_activation(self) -> bool:
        """Whether networks apply it to the sum within a neuron."""
        return "activation" in self.traits

    @property
    def is_rectifier(self) -> bool:
        """Whether it is an activation that lets about half of its inputs pass."""
        return "rectifier" in self.traits

    @property
    def is_python(self) -> bool:
        """Whether its value and slopes are Python functions that a user gave."""
        return "python" in self.traits

    @property
    def lists(self) -> tuple[str, ...]:
        """The operands that are lists."""
        return tuple([operand for operand in self.operands if operand in LISTS])

    @property
    def takes_lists(self) -> bool:
        """Whether an operand is a list. If so, Value has no method of this name."""
        return any(operand in LISTS for operand in self.operands)

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.operands)})>"

    def __reduce__(self) -> str | tuple[object, ...]:
        return op_of_copy, (self.name, self.is_swapped)


def op_of_copy(name: str, is_swapped: bool) -> Op:
    """The operation of this name, for a node that was copied or pickled."""
    return OPS[name].swapped() if is_swapped else OPS[name]


def function_names() -> list[str]:
    """The names of all functions for users, as the table is now."""
    return [name for op in OPS.values() if op.is_public for name in op.names]


def named(name: str) -> Op | None:
    """The operation of that name or alias, if there is one.

    >>> named("asin")
    <op arcsin(x)>
    """
    return OPS.get(name) or next((op for op in OPS.values() if name in op.aliases), None)


# ------------------------------------------------------------------ parts of the formulas below

E = "e = exp(-x if x > 0.0 else x)"  # e^−|x|, which never overflows
T = "t = 1.0 + e"
SIGMOID = (E, T, "s = (e if x < 0.0 else 1.0) / t")
GAP = "e = difference_exp(y, x) if x > y else difference_exp(x, y)"  # e^−|x − y|

LN2, LOG2E, LOG10E = "0.6931471805599453", "1.4426950408889634", "0.4342944819032518"
TWO_BY_ROOT_PI, ONE_BY_ROOT_TWO_PI = "1.1283791670955126", "0.3989422804014327"
DEGREES, RADIANS = "57.29577951308232", "0.017453292519943295"  # 180/π and π/180
# √½ is the sum of these two.
ROOT_HALF, ROOT_HALF_REST = "0.7071067811865476", "-4.833646656726457e-17"

# Between these an intermediate result keeps all its digits. Beyond them `arithmetic.extremes` has
# functions that do.
SMALL, BIG = "1e-290", "1e290"

# Cuts u into two halves of 26 bits, h and u − h, so that h·h is exact (Dekker 1971). u is x, but no
# larger than 40: there e^(−u²/2) is 0 already.
SPLIT = (
    "u = 40.0 if x > 40.0 else -40.0 if x < -40.0 else x",
    "t = 134217729.0 * u",
    "h = t - (t - u)",
)

# The slope of xʸ·log(x) by x, and that of y·xʸ⁻¹ by y.
POWER_MIXED = "0.0 if x == 0.0 and y > 1.0 else pow(x, y - 1.0) * (1.0 + y * log(x))"

# fmt: off

# ------------------------------------------------------------------ arithmetic

ARITHMETIC = (
    Op("neg", "x", "The negative of x.",
       formula="−x",                             slope_formulas="−1",
       value="-x",                               slopes="-1.0",
       symbol="−", traits="linear", infix=("−", SIGN, POWER, POWER)),
    Op("add", "x y", "The sum of x and y.",
       formula="x + y",                          slope_formulas=("1", "1"),
       value="x + y",                            slopes=("1.0", "1.0"),
       symbol="+", traits="linear commutative sum", infix=(" + ", SUM, SUM, SUM)),
    Op("sub", "x y", "The difference of x and y.",
       formula="x − y",                          slope_formulas=("1", "−1"),
       value="x - y",                            slopes=("1.0", "-1.0"),
       symbol="−", traits="linear", infix=(" − ", SUM, SUM, PRODUCT)),
    Op("mul", "x y", "The product of x and y.",
       formula="x·y",                            slope_formulas=("y", "x"),
       value="x * y",                            slopes=("y", "x"),
       symbol="×", traits="linear commutative", infix=("·", PRODUCT, PRODUCT, PRODUCT)),
    Op("div", "x y", "The quotient of x and y.",
       formula="x / y",                          slope_formulas=("1 / y", "−x / y²"),
       value="x / y",                            slopes=("1.0 / y", f"-out / y if out * out > {SMALL} else -_over_square(x, y)"),
       symbol="÷", infix=(" / ", PRODUCT, PRODUCT, SIGN)),
    Op("mod", "x y", "The remainder of x divided by y; it has the sign of y.",
       formula="x − y·⌊x / y⌋",                  slope_formulas=("1", "−⌊x / y⌋"),
       value="modulo(x, y)",                     slopes=("1.0 if out == out else nan", "-_whole(x, y)"),
       symbol="mod", infix=(" mod ", PRODUCT, SIGN, SIGN), aliases=("remainder",)),
    Op("pow", "x y", "x to the power y.",
       formula="xʸ",                             slope_formulas=("y·xʸ⁻¹", "xʸ·log(x)"),
       value="pow(x, y)",                        slopes=("_power_slope(x, y)", f"out * log(x) if x > 0.0 and {SMALL} < out < inf else _power_log(x, y)"),
       symbol="**", domain=((0, inf), (-inf, inf)), infix=("**", POWER, ATOM, SIGN)),
    Op("square", "x", "The square of x.",
       formula="x²",                             slope_formulas="2x",
       value="x * x",                            slopes="2.0 * x",
       symbol="x²"),
    Op("reciprocal", "x", "One over x.",
       formula="1 / x",                          slope_formulas="−1 / x²",
       value="1.0 / x",                          slopes="-out * out",
       symbol="1/x"),
    Op("sqrt", "x", "The square root of x.",
       formula="√x",                             slope_formulas="1 / (2√x)",
       value="sqrt(x)",                          slopes="0.5 / out if x > 0.0 else inf if x == 0.0 else nan",
       symbol="√", domain=((0, inf),)),
    Op("cbrt", "x", "The cube root of x; that of a negative number is negative.",
       formula="∛x",                             slope_formulas="1 / (3·∛x²)",
       value="c - (c * c * c - x) / (3.0 * c * c) if 1e-90 < c < 1e90 or -1e90 < c < -1e-90 else cube_root(x)",  # Newton's step
                                                 slopes="out / x / 3.0 if 0.0 < abs(x) < inf else 1.0 / abs(x)",
       work=("c = cbrt(x)",),
       symbol="∛"),
    Op("abs", "x", "The size of x without its sign.",
       formula="|x|",                            slope_formulas="sign(x)",
       value="abs(x)",                           slopes="sign(x)",
       symbol="|x|", traits="length"),
    Op("sign", "x", "1 where x is positive, −1 where it is negative, 0 at 0.",
       formula="x / |x|, 0 at 0",                slope_formulas="0",
       value="1.0 if x > 0.0 else -1.0 if x < 0.0 else x", slopes="0.0 if x == x else nan",
       symbol="sign", traits="activation"),
)

# ------------------------------------------------------------------ exponentials and logarithms

EXPONENTIALS = (
    Op("exp", "x", "e to the power x.",
       formula="eˣ",                             slope_formulas="eˣ",
       value="exp(x)",                           slopes="out",
       symbol="exp", domain=((-745, 709),), traits="activation"),
    Op("exp2", "x", "2 to the power x.",
       formula="2ˣ",                             slope_formulas="2ˣ·log(2)",
       value="exp2(x)",                          slopes=f"{LN2} * out if x < 1023.0 else {LN2} * exp2(x - 1.0) * 2.0",
       symbol="2ˣ", domain=((-1074, 1023),)),
    Op("expm1", "x", "e to the power x, minus 1, with all its digits where x is small.",
       formula="eˣ − 1",                         slope_formulas="eˣ",
       value="expm1(x)",                         slopes="exp(x)",
       symbol="eˣ−1", domain=((-745, 709),)),
    Op("log", "x", "The natural logarithm of x.",
       formula="log(x)",                         slope_formulas="1 / x",
       value="log(x)",                           slopes="1.0 / x if x > 0.0 else inf if x == 0.0 else nan",
       symbol="log", domain=((0, inf),)),
    Op("log1p", "x", "The natural logarithm of 1 + x, with all its digits where x is small.",
       formula="log(1 + x)",                     slope_formulas="1 / (1 + x)",
       value="log1p(x)",                         slopes="1.0 / (1.0 + x) if x > -1.0 else inf if x == -1.0 else nan",
       symbol="log1p", domain=((-1, inf),)),
    Op("log2", "x", "The logarithm of x to base 2.",
       formula="log(x) / log(2)",                slope_formulas="1 / (x·log(2))",
       value="log2(x)",                          slopes=f"{LOG2E} / x if x > 0.0 else inf if x == 0.0 else nan",
       symbol="log₂", domain=((0, inf),)),
    Op("log10", "x", "The logarithm of x to base 10.",
       formula="log(x) / log(10)",               slope_formulas="1 / (x·log(10))",
       value="log10(x)",                         slopes=f"{LOG10E} / x if x > 0.0 else inf if x == 0.0 else nan",
       symbol="log₁₀", domain=((0, inf),)),
    Op("xlogy", "x y", "x times the natural logarithm of y; 0 where x is 0.",
       formula="x·log(y)",                       slope_formulas=("log(y)", "x / y"),
       value="0.0 if x == 0.0 and y == y else x * log(y)", slopes=("log(y)", "x / (y + 0.0) if y >= 0.0 else nan"),
       symbol="x log y", domain=((-inf, inf), (0, inf))),
    Op("logaddexp", "x y", "The logarithm of eˣ + eʸ, without overflow.",
       formula="log(eˣ + eʸ)",                   slope_formulas=("eˣ / (eˣ + eʸ)", "eʸ / (eˣ + eʸ)"),
       value="(x if x > y else y) + log1p(e) if x > -inf or y > -inf else x + y", slopes=("_first_share(x, y)", "_second_share(x, y)"),
       work=(GAP,),
       symbol="logaddexp", traits="commutative"),
)

# ------------------------------------------------------------------ angles

ANGLES = (
    Op("sin", "x", "The sine of x, an angle in radians.",
       formula="sin(x)",                         slope_formulas="cos(x)",
       value="sin(x)",                           slopes="cos(x)",
       symbol="sin", traits="activation"),
    Op("cos", "x", "The cosine of x, an angle in radians.",
       formula="cos(x)",                         slope_formulas="−sin(x)",
       value="cos(x)",                           slopes="-sin(x)",
       symbol="cos", traits="activation"),
    Op("tan", "x", "The tangent of x, an angle in radians.",
       formula="sin(x) / cos(x)",                slope_formulas="1 + tan(x)²",
       value="tan(x)",                           slopes="1.0 + out * out",
       symbol="tan"),
    Op("arcsin", "x", "The angle, in radians, whose sine is x.",
       formula="arcsin(x)",                      slope_formulas="1 / √(1 − x²)",
       value="asin(x)",                          slopes="1.0 / sqrt((1.0 - x) * (1.0 + x))",
       symbol="asin", domain=((-1, 1),), aliases=("asin",)),
    Op("arccos", "x", "The angle, in radians, whose cosine is x.",
       formula="arccos(x)",                      slope_formulas="−1 / √(1 − x²)",
       value="acos(x)",                          slopes="-1.0 / sqrt((1.0 - x) * (1.0 + x))",
       symbol="acos", domain=((-1, 1),), aliases=("acos",)),
    Op("arctan", "x", "The angle, in radians, whose tangent is x.",
       formula="arctan(x)",                      slope_formulas="1 / (1 + x²)",
       value="atan(x)",                          slopes="1.0 / (1.0 + x * x) if -1e150 < x < 1e150 else 1.0 / x / x",
       symbol="atan", traits="activation", aliases=("atan",)),
    Op("arctan2", "x y", "The angle, in radians, of the point that lies x up and y to the right.",
       formula="arctan(x / y), in the point's quadrant", slope_formulas=("y / (x² + y²)", "−x / (x² + y²)"),
       value="atan2(x, y)",                      slopes=(f"y / h / h if ({SMALL} < y or y < -{SMALL}) and h < inf else _over_squares(y, x)",
                                                         f"-x / h / h if ({SMALL} < x or x < -{SMALL}) and h < inf else -_over_squares(x, y)"),
       work=("h = hypot(x, y)",),
       symbol="atan2", aliases=("atan2",)),
    Op("hypot", "x y", "The length of the diagonal of a rectangle with sides x and y.",
       formula="√(x² + y²)",                     slope_formulas=("x / √(x² + y²)", "y / √(x² + y²)"),
       value="hypot(x, y)",                      slopes=(f"x / out if {SMALL} < out < inf else _over_hypot(x, y)",
                                                         f"y / out if {SMALL} < out < inf else _over_hypot(y, x)"),
       symbol="hypot", traits="length commutative"),
    Op("degrees", "x", "An angle of x radians in degrees.",
       formula="x·180 / π",                      slope_formulas="180 / π",
       value=f"x * {DEGREES}",                   slopes=DEGREES,
       symbol="deg", traits="linear", aliases=("rad2deg",)),
    Op("radians", "x", "An angle of x degrees in radians.",
       formula="x·π / 180",                      slope_formulas="π / 180",
       value=f"x * {RADIANS}",                   slopes=RADIANS,
       symbol="rad", traits="linear", aliases=("deg2rad",)),
    Op("sinc", "x", "The sine of πx over πx; 1 at 0.",
       formula="sin(πx) / (πx)",                 slope_formulas="(cos(πx) − sinc(x)) / x",
       value="sinc_slope(x, 0.0)",               slopes="_sinc_slope(x, 1.0)",
       symbol="sinc", traits="activation"),
)

# ------------------------------------------------------------------ hyperbolas

HYPERBOLAS = (
    Op("sinh", "x", "The hyperbolic sine of x.",
       formula="(eˣ − e⁻ˣ) / 2",                 slope_formulas="cosh(x)",
       value="sinh(x)",                          slopes="cosh(x)",
       symbol="sinh", domain=((-710, 710),)),
    Op("cosh", "x", "The hyperbolic cosine of x.",
       formula="(eˣ + e⁻ˣ) / 2",                 slope_formulas="sinh(x)",
       value="cosh(x)",                          slopes="sinh(x)",
       symbol="cosh", domain=((-710, 710),)),
    Op("tanh", "x", "The hyperbolic tangent of x: an S-shaped curve from −1 to 1.",
       formula="(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)",        slope_formulas="1 − tanh(x)²",
       value="tanh(x)",                          slopes="4.0 * _sigmoid_slope(2.0 * x)",
       symbol="tanh", traits="activation"),
    Op("arcsinh", "x", "The number whose hyperbolic sine is x.",
       formula="log(x + √(x² + 1))",             slope_formulas="1 / √(x² + 1)",
       value="asinh(x)",                         slopes="1.0 / hypot(1.0, x)",
       symbol="asinh", traits="activation", aliases=("asinh",)),
    Op("arccosh", "x", "The number, 0 or more, whose hyperbolic cosine is x.",
       formula="log(x + √(x² − 1))",             slope_formulas="1 / √(x² − 1)",
       value="acosh(x)",                         slopes="1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0))",
       symbol="acosh", domain=((1, inf),), aliases=("acosh",)),
    Op("arctanh", "x", "The number whose hyperbolic tangent is x.",
       formula="log((1 + x) / (1 − x)) / 2",     slope_formulas="1 / (1 − x²)",
       value="atanh(x)",                         slopes="1.0 / ((1.0 - x) * (1.0 + x)) if -1.0 <= x <= 1.0 else nan",
       symbol="atanh", domain=((-1, 1),), aliases=("atanh",)),
)

# ------------------------------------------------------------------ activations and their parts

ACTIVATIONS = (
    Op("erf", "x", "The error function: the chance that a normal number of variance ½ lies between −x and x.",
       formula="2 / √π · ∫₀ˣ e^−t² dt",          slope_formulas="2 / √π · e^−x²",
       value="erf(x)",                           slopes=f"{TWO_BY_ROOT_PI} * _gauss(x)",
       symbol="erf", traits="activation"),
    Op("erfc", "x", "1 minus the error function, with all its digits where x is large.",
       formula="1 − erf(x)",                     slope_formulas="−2 / √π · e^−x²",
       value="erfc(x)",                          slopes=f"-{TWO_BY_ROOT_PI} * _gauss(x)",
       symbol="erfc"),
    Op("sigmoid", "x", "The logistic function: an S-shaped curve from 0 to 1.",
       formula="1 / (1 + e⁻ˣ)",                  slope_formulas="σ(x)·(1 − σ(x)), with σ the sigmoid",
       value="(e if x < 0.0 else 1.0) / t",      slopes="_sigmoid_slope(x)",
       work=(E, T),
       symbol="σ", traits="activation"),
    Op("log_sigmoid", "x", "The logarithm of the sigmoid, without overflow.",
       formula="−log(1 + e⁻ˣ)",                  slope_formulas="1 − σ(x), with σ the sigmoid",
       value="(x if x < 0.0 else 0.0) - log1p(e)", slopes="sigmoid(-x)",
       work=(E,),
       symbol="log σ", traits="activation"),
    Op("softplus", "x", "A smooth relu: about 0 far to the left, about x far to the right.",
       formula="log(1 + eˣ)",                    slope_formulas="σ(x), the sigmoid",
       value="(x if x > 0.0 else 0.0) + log1p(e)", slopes="sigmoid(x)",
       work=(E,),
       symbol="softplus", traits="activation rectifier"),
    Op("relu", "x", "x where it is positive, else 0: the rectified linear unit.",
       formula="max(0, x)",                      slope_formulas="1 where x > 0, else 0",
       value="0.0 if x <= 0.0 else x",           slopes="0.0 if x <= 0.0 else 1.0 if x > 0.0 else nan",
       symbol="relu", traits="activation rectifier"),
    Op("leaky_relu", "x", "x where it is positive, else a hundredth of x.",
       formula="max(0.01x, x)",                  slope_formulas="1 where x > 0, else 0.01",
       value="0.01 * x if x <= 0.0 else x",      slopes="0.01 if x <= 0.0 else 1.0 if x > 0.0 else nan",
       symbol="leaky", traits="activation rectifier"),
    Op("elu", "x", "x where it is positive, else eˣ − 1: the exponential linear unit.",
       formula="x where x > 0, else eˣ − 1",     slope_formulas="1 where x > 0, else eˣ",
       value="x if x > 0.0 else expm1(x)",       slopes="1.0 if x > 0.0 else exp(x)",
       symbol="elu", traits="activation rectifier"),
    Op("gelu", "x", "x times the chance that a normal number is less than x, computed by erf, not by tanh.",
       formula="x·Φ(x), with Φ(x) = (1 + erf(x / √2)) / 2", slope_formulas="Φ(x) + x·φ(x), with φ(x) = e^(−x²/2) / √(2π)",
       value="x * _normal_cdf(x) if not x < -37.5 else gelu_tail(x)", slopes="_gelu_slope(x)",
       symbol="gelu", traits="activation rectifier"),
    Op("silu", "x", "x times its sigmoid; also called swish.",
       formula="x·σ(x), with σ the sigmoid",     slope_formulas="σ(x)·(1 + x·(1 − σ(x)))",
       value="x * s if not x < -4.0 else e * (x - x * s) if not x < -700.0 "
             "else x * exp(0.5 * x) * exp(0.5 * x) if x > -inf else -0.0", slopes="_silu_slope(x)",
       work=SIGMOID,
       symbol="silu", traits="activation rectifier"),
)

# ------------------------------------------------------------------ comparing

COMPARING = (
    Op("maximum", "x y", "The larger of x and y; nan if either is nan.",
       formula="max(x, y)",                      slope_formulas=("1 where x > y, ½ where x = y, else 0", "1 where y > x, ½ where x = y, else 0"),
       value="x if x > y or x != x else y",      slopes=("1.0 if x > y else 0.5 if x == y else 0.0 if x < y else nan",
                                                         "1.0 if y > x else 0.5 if x == y else 0.0 if y < x else nan"),
       symbol="max", traits="extreme commutative"),
    Op("minimum", "x y", "The smaller of x and y; nan if either is nan.",
       formula="min(x, y)",                      slope_formulas=("1 where x < y, ½ where x = y, else 0", "1 where y < x, ½ where x = y, else 0"),
       value="x if x < y or x != x else y",      slopes=("1.0 if x < y else 0.5 if x == y else 0.0 if x > y else nan",
                                                         "1.0 if y < x else 0.5 if x == y else 0.0 if y > x else nan"),
       symbol="min", traits="extreme commutative"),
    Op("clip", "x low high", "x, but no less than low and no more than high.",
       formula="min(max(x, low), high)",         slope_formulas=("1 where low ≤ x ≤ high, else 0", "1 where x < low, else 0", "1 where x > high, else 0"),
       value="low if x < low else high if x > high else x", slopes=("1.0 if low <= x <= high else 0.0 if x == x else nan",
                                                         "1.0 if x < low else 0.0 if x >= low else nan",
                                                         "1.0 if x > high and not x < low else 0.0 if x == x else nan"),
       symbol="clip"),
    Op("where", "condition x y", "x where the condition holds, else y: the branch itself.",
       formula="x where the condition holds, else y", slope_formulas=("", "1 where the condition holds, else 0", "0 where the condition holds, else 1"),
       value="x if condition else y",            slopes=None,
       symbol="where"),
)

# ------------------------------------------------------------------ lists of numbers

LIST_OPERATIONS = (
    Op("sum", "xs", "The sum of the numbers, added from left to right; 0 if there are none.",
       formula="x₁ + x₂ + … + xₙ",               slope_formulas="1 by each",
       value="add_up(xs)",                       slopes="[1.0] * len(xs)",
       symbol="Σ", traits="linear commutative sum", infix=(" + ", SUM, SUM, SUM)),
    Op("prod", "xs", "The product of the numbers; 1 if there are none.",
       formula="x₁·x₂·…·xₙ",                     slope_formulas="the product of the others, by each",
       value="product(xs)",                      slopes="products_of_others(xs)",
       symbol="Π", traits="linear commutative", infix=("·", PRODUCT, PRODUCT, PRODUCT)),
    Op("dot", "ws xs bias", "The sum of the products of two lists, plus a bias: a neuron before its activation.",
       formula="w₁·x₁ + w₂·x₂ + … + wₙ·xₙ + bias", slope_formulas=("xᵢ by each wᵢ", "wᵢ by each xᵢ", "1"),
       value="add_up_products(ws, xs, bias)",    slopes=("xs", "ws", "1.0"),
       symbol="Σ×", traits="linear commutative"),
    Op("norm", "xs", "The length of a vector with these coordinates.",
       formula="√(x₁² + x₂² + … + xₙ²)",         slope_formulas="xᵢ / ‖x‖ by each, with ‖x‖ the norm",
       value="hypot(*xs)",                       slopes="[x / out for x in xs] if 1e-290 < out < inf else _unit(xs)",
       symbol="‖x‖", traits="length commutative"),
    Op("logsumexp", "xs", "The logarithm of the sum of the exponentials, without overflow.",
       formula="log(exp(x₁) + exp(x₂) + … + exp(xₙ))", slope_formulas="exp(xᵢ) / (exp(x₁) + … + exp(xₙ)) by each: the softmax",
       value="log_sum_exp(xs)",                  slopes="softmax(xs)",
       symbol="LSE", traits="commutative"),
    Op("max", "xs", "The largest of the numbers; nan if any is nan.",
       formula="max(x₁, x₂, …, xₙ)",             slope_formulas="1 by the largest, 0 by the others; equal ones share it",
       value="largest(xs)",                      slopes="tie_shares(xs, out)",
       symbol="max", traits="extreme commutative"),
    Op("min", "xs", "The smallest of the numbers; nan if any is nan.",
       formula="min(x₁, x₂, …, xₙ)",             slope_formulas="1 by the smallest, 0 by the others; equal ones share it",
       value="smallest(xs)",                     slopes="tie_shares(xs, out)",
       symbol="min", traits="extreme commutative"),
    # These are composed of others.
    Op("mean", "xs", "The average of the numbers.",
       formula="(x₁ + x₂ + … + xₙ) / n",         slope_formulas="1 / n by each",
       value="sum(xs) / count(xs)",              slopes=None,
       symbol="mean", traits="linear commutative"),
    Op("var", "xs", "The variance of the numbers: the mean of their squared differences from their mean.",
       formula="((x₁ − m)² + … + (xₙ − m)²) / n, with m the mean", slope_formulas="2·(xᵢ − m) / n by each",
       value="mean([square(x - m) for x in xs])", slopes=None,
       work=("m = mean(xs)",),
       symbol="var", traits="commutative"),
    Op("softmax", "xs", "The exponentials of the numbers, each divided by their sum: they add up to 1.",
       formula="pᵢ = exp(xᵢ) / (exp(x₁) + … + exp(xₙ))", slope_formulas="pᵢ·(1 − pᵢ) of pᵢ by xᵢ, −pᵢ·pⱼ by another xⱼ",
       value="[e / total for e in es]",          slopes=None,
       work=("m = peak(xs)", "es = [_exp_difference(x, m) for x in xs]", "total = sum(es)"),
       symbol="softmax"),
)

# ------------------------------------------------------------------ slopes that others share

# These formulas are smooth, so that their own slopes are right at 0 too. Where one chooses between
# two formulas, both are the same function.
SLOPES = (
    Op("_same", "x", "x itself, as a node of its own.",
       value="x",                                slopes="1.0",
       symbol="="),
    Op("_unknown", "x", "0, all slopes of which are nan, those of slopes too.",
       value="0.0",                              slopes="exp(nan * x)",
       symbol="?"),
    Op("_share", "x y", "The chain rule's product of a partial x and a slope y: a slope of 0 passes nothing on.",
       value="0.0 if y == 0.0 else x * y",       slopes=("y", "x"),
       symbol="chain"),
    Op("_both", "x y", "The product of two slopes, where a 0 of either passes nothing on.",
       value="0.0 if x == 0.0 or y == 0.0 else x * y", slopes=("y", "x"),
       symbol="chain"),
    Op("_whole", "x y", "The largest whole number that is no greater than x / y.",
       formula="⌊x / y⌋",
       value="whole(x, y)",                      slopes=("0.0 if out == out else nan", "0.0 if out == out else nan"),
       symbol="⌊x/y⌋"),
    Op("_over_square", "x y", "The slope of a quotient by its divisor, but for the sign.",
       formula="x / y²",
       value="over_square(x, y)",                slopes=("1.0 / y / y", "-2.0 * out / y"),
       symbol="x/y²"),
    Op("_over_squares", "x y", "A slope of arctan2, where squares would overflow or vanish.",
       formula="x / (x² + y²)",
       value="over_squares(x, y)",               slopes=("(_over_squares(y, x) - out) * (_over_squares(y, x) + out)", "-2.0 * out * _over_squares(y, x)"),
       symbol="x/(x²+y²)"),
    Op("_over_hypot", "x y", "A slope of hypot, where squares would overflow or vanish.",
       formula="x / √(x² + y²)",
       value="over_hypot(x, y)",                 slopes=("y / hypot(x, y) * (y / hypot(x, y)) / hypot(x, y)", "-out * (y / hypot(x, y)) / hypot(x, y)"),
       symbol="x/√(x²+y²)"),
    Op("_unit", "xs", "The slopes of norm: a vector of length 1.",
       formula="xᵢ / ‖x‖",
       value="[x * s / h if n > 0.0 else n * x for x in xs]", slopes=None,
       work=("n = norm(xs)", "s = 4.149515568880993e+180 if n < 1.0 else 0.25", "h = norm([x * s for x in xs])"),
       symbol="x/‖x‖"),
    Op("_power_slope", "x y", "The slope of a power by its base.",
       formula="y·xʸ⁻¹",
       value=f"2.0 * x if y == 2.0 else y * (p / x) if {SMALL} < p * p < {BIG} and {SMALL} < x * x < {BIG} else power_slope(x, y)",
                                                 slopes=("0.0 if x == 0.0 and y == 0.0 else y * _power_slope(x, y - 1.0)", POWER_MIXED),
       work=("p = pow(x, y)",),
       symbol="y x^(y−1)", domain=((0, inf), (-inf, inf))),
    Op("_power_log", "x y", "The slope of a power by its exponent.",
       formula="xʸ·log(x)",
       value="power_log(x, y)",                  slopes=(POWER_MIXED, "0.0 if x == 0.0 and y >= 0.0 else out * log(x)"),
       symbol="x^y log x", domain=((0, inf), (-inf, inf))),
    Op("_exp_difference", "x y", "A term of softmax, corrected for the rounding of x − y.",
       formula="e^(x − y)",
       value="difference_exp(x, y)",             slopes=("out", "-out"),
       symbol="e^(x−y)"),
    Op("_first_share", "x y", "The slope of logaddexp by x.",
       formula="σ(x − y), with σ the sigmoid",
       value="(1.0 if x >= y else e) / (1.0 + e)", slopes=("_sigmoid_slope(x - y)", "-_sigmoid_slope(x - y)"),
       work=(GAP,),
       symbol="σ(x−y)"),
    Op("_second_share", "x y", "The slope of logaddexp by y.",
       formula="σ(y − x), with σ the sigmoid",
       value="(1.0 if y >= x else e) / (1.0 + e)", slopes=("-_sigmoid_slope(x - y)", "_sigmoid_slope(x - y)"),
       work=(GAP,),
       symbol="σ(y−x)"),
    Op("_sinc_slope", "x y", "The y-th slope of sinc.",
       formula="∫₀¹ (πt)ʸ cos(πxt + yπ/2) dt",
       value="sinc_slope(x, y)",                 slopes=("_sinc_slope(x, y + 1.0)", "nan"),
       symbol="sinc′"),
    Op("_sigmoid_slope", "x", "The slope of the sigmoid.",
       formula="σ(x)·(1 − σ(x))",
       value="e / (t * t)",                      slopes="-out * tanh(0.5 * x)",
       work=(E, T),
       symbol="σ′"),
    Op("_silu_slope", "x", "The slope of silu.",
       formula="σ(x)·(1 + x·(1 − σ(x)))",
       value="s * (1.0 + x - x * s if x < 0.0 else 1.0 + x * (e / t)) if -4.0 <= x < inf "
             "else e * (1.0 + x - s * (1.0 + 2.0 * x - x * s)) if -700.0 < x < 0.0 "  # the same, with fewer roundings
             "else 1.0 if x > 0.0 else nan if x != x else (1.0 + x) * exp(0.5 * x) * exp(0.5 * x) if x > -inf else 0.0",
       slopes="_sigmoid_slope(x) * (2.0 - x * tanh(0.5 * x)) if -740.0 < x < 740.0 else 0.0 if x == x else nan",
       work=SIGMOID,
       symbol="silu′"),
    Op("_gelu_slope", "x", "The slope of gelu.",
       formula="Φ(x) + x·φ(x)",
       value="_normal_cdf(x) + x * _normal_pdf(x) if -37.5 <= x < inf else gelu_tail_slope(x)",
                                                 slopes="(2.0 - x * x) * _normal_pdf(x) if -40.0 < x < 40.0 else 0.0 if x == x else nan",
       symbol="gelu′"),
    Op("_gauss", "x", "The bell curve in the slope of erf.",
       formula="e^−x²",
       value="g + g * expm1((h - u) * (h + u))", slopes="-2.0 * (x * out)",
       work=(*SPLIT, "g = exp(-h * h)"),
       symbol="e^−x²"),
    Op("_normal_pdf", "x", "The density of the normal distribution.",
       formula="φ(x) = e^(−x²/2) / √(2π)",
       value=f"{ONE_BY_ROOT_TWO_PI} * (g + g * expm1(0.5 * (h - u) * (h + u)))", slopes="-x * out",
       work=(*SPLIT, "g = exp(-0.5 * h * h)"),
       symbol="φ"),
    Op("_normal_cdf", "x", "The chance that a normal number is less than x.",
       formula="Φ(x) = (1 + erf(x / √2)) / 2",
       value="c",                                slopes="_normal_pdf(x)",
       work=(*SPLIT, f"v = -u * {ROOT_HALF}",
             # r is the rounding error of u/√2, from the halves of u and √½
             f"r = ((h * 0.7071067839860916 + v) + h * -2.7995440410322203e-09) + (u - h) * {ROOT_HALF} + u * {ROOT_HALF_REST}",
             "c = 0.5 * erfc(v) + 0.5641895835477563 * exp(-v * v) * r"),
       symbol="Φ"),
)
# fmt: on

OPS: dict[str, Op] = {
    op.name: op
    for op in (
        *ARITHMETIC, *EXPONENTIALS, *ANGLES, *HYPERBOLAS, *ACTIVATIONS, *COMPARING,
        *LIST_OPERATIONS, *SLOPES,
    )
}  # fmt: skip
