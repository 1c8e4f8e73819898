"""The functions, as editors and type checkers see them. Written by `python -m tests.stubs`."""

# fmt: off
from collections.abc import Iterable
from typing import Any, TypeVar, overload

from .rows.custom import custom_op as custom_op
from .rows.value_methods import Array, Number
from .value import Value

A = TypeVar("A")
B = TypeVar("B")
@overload
def neg(x: Value) -> Value: ...
@overload
def neg(x: Number) -> float: ...
@overload
def neg(x: Array) -> Any:
    """The negative of x.

        neg(x) = −x
        slope: −1

    >>> from scalargrad import Value, neg
    >>> x = Value(0.5)
    >>> out = neg(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (-0.5, -1.0)
    """
@overload
def add(x: Value, y: Value | Number) -> Value: ...
@overload
def add(x: Number, y: Value) -> Value: ...
@overload
def add(x: Number, y: Number) -> float: ...
@overload
def add(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def add(x: Value | Number, y: Array) -> Any:
    """The sum of x and y.

        add(x, y) = x + y
        slope by x: 1
        slope by y: 1

    >>> from scalargrad import Value, add
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = add(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (2.5, 1.0, 1.0)
    """
@overload
def sub(x: Value, y: Value | Number) -> Value: ...
@overload
def sub(x: Number, y: Value) -> Value: ...
@overload
def sub(x: Number, y: Number) -> float: ...
@overload
def sub(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def sub(x: Value | Number, y: Array) -> Any:
    """The difference of x and y.

        sub(x, y) = x − y
        slope by x: 1
        slope by y: −1

    >>> from scalargrad import Value, sub
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = sub(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (-1.5, 1.0, -1.0)
    """
@overload
def mul(x: Value, y: Value | Number) -> Value: ...
@overload
def mul(x: Number, y: Value) -> Value: ...
@overload
def mul(x: Number, y: Number) -> float: ...
@overload
def mul(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def mul(x: Value | Number, y: Array) -> Any:
    """The product of x and y.

        mul(x, y) = x·y
        slope by x: y
        slope by y: x

    >>> from scalargrad import Value, mul
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = mul(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (1.0, 2.0, 0.5)
    """
@overload
def div(x: Value, y: Value | Number) -> Value: ...
@overload
def div(x: Number, y: Value) -> Value: ...
@overload
def div(x: Number, y: Number) -> float: ...
@overload
def div(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def div(x: Value | Number, y: Array) -> Any:
    """The quotient of x and y.

        div(x, y) = x / y
        slope by x: 1 / y
        slope by y: −x / y²

    >>> from scalargrad import Value, div
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = div(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (0.25, 0.5, -0.125)
    """
@overload
def mod(x: Value, y: Value | Number) -> Value: ...
@overload
def mod(x: Number, y: Value) -> Value: ...
@overload
def mod(x: Number, y: Number) -> float: ...
@overload
def mod(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def mod(x: Value | Number, y: Array) -> Any:
    """The remainder of x divided by y; it has the sign of y.

        mod(x, y) = x − y·⌊x / y⌋
        slope by x: 1
        slope by y: −⌊x / y⌋

    >>> from scalargrad import Value, mod
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = mod(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (0.5, 1.0, 0.0)
    """
remainder = mod
@overload
def pow(x: Value, y: Value | Number) -> Value: ...
@overload
def pow(x: Number, y: Value) -> Value: ...
@overload
def pow(x: Number, y: Number) -> float: ...
@overload
def pow(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def pow(x: Value | Number, y: Array) -> Any:
    """x to the power y.

        pow(x, y) = xʸ
        slope by x: y·xʸ⁻¹
        slope by y: xʸ·log(x)

    >>> from scalargrad import Value, pow
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = pow(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (0.25, 1.0, -0.1733)
    """
@overload
def square(x: Value) -> Value: ...
@overload
def square(x: Number) -> float: ...
@overload
def square(x: Array) -> Any:
    """The square of x.

        square(x) = x²
        slope: 2x

    >>> from scalargrad import Value, square
    >>> x = Value(0.5)
    >>> out = square(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.25, 1.0)
    """
@overload
def reciprocal(x: Value) -> Value: ...
@overload
def reciprocal(x: Number) -> float: ...
@overload
def reciprocal(x: Array) -> Any:
    """One over x.

        reciprocal(x) = 1 / x
        slope: −1 / x²

    >>> from scalargrad import Value, reciprocal
    >>> x = Value(0.5)
    >>> out = reciprocal(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (2.0, -4.0)
    """
@overload
def sqrt(x: Value) -> Value: ...
@overload
def sqrt(x: Number) -> float: ...
@overload
def sqrt(x: Array) -> Any:
    """The square root of x.

        sqrt(x) = √x
        slope: 1 / (2√x)

    >>> from scalargrad import Value, sqrt
    >>> x = Value(0.5)
    >>> out = sqrt(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.7071, 0.7071)
    """
@overload
def cbrt(x: Value) -> Value: ...
@overload
def cbrt(x: Number) -> float: ...
@overload
def cbrt(x: Array) -> Any:
    """The cube root of x; that of a negative number is negative.

        cbrt(x) = ∛x
        slope: 1 / (3·∛x²)

    >>> from scalargrad import Value, cbrt
    >>> x = Value(0.5)
    >>> out = cbrt(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.7937, 0.5291)
    """
@overload
def abs(x: Value) -> Value: ...
@overload
def abs(x: Number) -> float: ...
@overload
def abs(x: Array) -> Any:
    """The size of x without its sign.

        abs(x) = |x|
        slope: sign(x)

    >>> from scalargrad import Value, abs
    >>> x = Value(0.5)
    >>> out = abs(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.5, 1.0)
    """
@overload
def sign(x: Value) -> Value: ...
@overload
def sign(x: Number) -> float: ...
@overload
def sign(x: Array) -> Any:
    """1 where x is positive, −1 where it is negative, 0 at 0.

        sign(x) = x / |x|, 0 at 0
        slope: 0

    >>> from scalargrad import Value, sign
    >>> x = Value(0.5)
    >>> out = sign(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (1.0, 0.0)
    """
@overload
def exp(x: Value) -> Value: ...
@overload
def exp(x: Number) -> float: ...
@overload
def exp(x: Array) -> Any:
    """e to the power x.

        exp(x) = eˣ
        slope: eˣ

    >>> from scalargrad import Value, exp
    >>> x = Value(0.5)
    >>> out = exp(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (1.6487, 1.6487)
    """
@overload
def exp2(x: Value) -> Value: ...
@overload
def exp2(x: Number) -> float: ...
@overload
def exp2(x: Array) -> Any:
    """2 to the power x.

        exp2(x) = 2ˣ
        slope: 2ˣ·log(2)

    >>> from scalargrad import Value, exp2
    >>> x = Value(0.5)
    >>> out = exp2(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (1.4142, 0.9803)
    """
@overload
def expm1(x: Value) -> Value: ...
@overload
def expm1(x: Number) -> float: ...
@overload
def expm1(x: Array) -> Any:
    """e to the power x, minus 1, with all its digits where x is small.

        expm1(x) = eˣ − 1
        slope: eˣ

    >>> from scalargrad import Value, expm1
    >>> x = Value(0.5)
    >>> out = expm1(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.6487, 1.6487)
    """
@overload
def log(x: Value) -> Value: ...
@overload
def log(x: Number) -> float: ...
@overload
def log(x: Array) -> Any:
    """The natural logarithm of x.

        log(x) = log(x)
        slope: 1 / x

    >>> from scalargrad import Value, log
    >>> x = Value(0.5)
    >>> out = log(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (-0.6931, 2.0)
    """
@overload
def log1p(x: Value) -> Value: ...
@overload
def log1p(x: Number) -> float: ...
@overload
def log1p(x: Array) -> Any:
    """The natural logarithm of 1 + x, with all its digits where x is small.

        log1p(x) = log(1 + x)
        slope: 1 / (1 + x)

    >>> from scalargrad import Value, log1p
    >>> x = Value(0.5)
    >>> out = log1p(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.4055, 0.6667)
    """
@overload
def log2(x: Value) -> Value: ...
@overload
def log2(x: Number) -> float: ...
@overload
def log2(x: Array) -> Any:
    """The logarithm of x to base 2.

        log2(x) = log(x) / log(2)
        slope: 1 / (x·log(2))

    >>> from scalargrad import Value, log2
    >>> x = Value(0.5)
    >>> out = log2(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (-1.0, 2.8854)
    """
@overload
def log10(x: Value) -> Value: ...
@overload
def log10(x: Number) -> float: ...
@overload
def log10(x: Array) -> Any:
    """The logarithm of x to base 10.

        log10(x) = log(x) / log(10)
        slope: 1 / (x·log(10))

    >>> from scalargrad import Value, log10
    >>> x = Value(0.5)
    >>> out = log10(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (-0.301, 0.8686)
    """
@overload
def xlogy(x: Value, y: Value | Number) -> Value: ...
@overload
def xlogy(x: Number, y: Value) -> Value: ...
@overload
def xlogy(x: Number, y: Number) -> float: ...
@overload
def xlogy(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def xlogy(x: Value | Number, y: Array) -> Any:
    """x times the natural logarithm of y; 0 where x is 0.

        xlogy(x, y) = x·log(y)
        slope by x: log(y)
        slope by y: x / y

    >>> from scalargrad import Value, xlogy
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = xlogy(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (0.3466, 0.6931, 0.25)
    """
@overload
def logaddexp(x: Value, y: Value | Number) -> Value: ...
@overload
def logaddexp(x: Number, y: Value) -> Value: ...
@overload
def logaddexp(x: Number, y: Number) -> float: ...
@overload
def logaddexp(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def logaddexp(x: Value | Number, y: Array) -> Any:
    """The logarithm of eˣ + eʸ, without overflow.

        logaddexp(x, y) = log(eˣ + eʸ)
        slope by x: eˣ / (eˣ + eʸ)
        slope by y: eʸ / (eˣ + eʸ)

    >>> from scalargrad import Value, logaddexp
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = logaddexp(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (2.2014, 0.1824, 0.8176)
    """
@overload
def sin(x: Value) -> Value: ...
@overload
def sin(x: Number) -> float: ...
@overload
def sin(x: Array) -> Any:
    """The sine of x, an angle in radians.

        sin(x) = sin(x)
        slope: cos(x)

    >>> from scalargrad import Value, sin
    >>> x = Value(0.5)
    >>> out = sin(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.4794, 0.8776)
    """
@overload
def cos(x: Value) -> Value: ...
@overload
def cos(x: Number) -> float: ...
@overload
def cos(x: Array) -> Any:
    """The cosine of x, an angle in radians.

        cos(x) = cos(x)
        slope: −sin(x)

    >>> from scalargrad import Value, cos
    >>> x = Value(0.5)
    >>> out = cos(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.8776, -0.4794)
    """
@overload
def tan(x: Value) -> Value: ...
@overload
def tan(x: Number) -> float: ...
@overload
def tan(x: Array) -> Any:
    """The tangent of x, an angle in radians.

        tan(x) = sin(x) / cos(x)
        slope: 1 + tan(x)²

    >>> from scalargrad import Value, tan
    >>> x = Value(0.5)
    >>> out = tan(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.5463, 1.2984)
    """
@overload
def arcsin(x: Value) -> Value: ...
@overload
def arcsin(x: Number) -> float: ...
@overload
def arcsin(x: Array) -> Any:
    """The angle, in radians, whose sine is x.

        arcsin(x) = arcsin(x)
        slope: 1 / √(1 − x²)

    >>> from scalargrad import Value, arcsin
    >>> x = Value(0.5)
    >>> out = arcsin(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.5236, 1.1547)
    """
asin = arcsin
@overload
def arccos(x: Value) -> Value: ...
@overload
def arccos(x: Number) -> float: ...
@overload
def arccos(x: Array) -> Any:
    """The angle, in radians, whose cosine is x.

        arccos(x) = arccos(x)
        slope: −1 / √(1 − x²)

    >>> from scalargrad import Value, arccos
    >>> x = Value(0.5)
    >>> out = arccos(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (1.0472, -1.1547)
    """
acos = arccos
@overload
def arctan(x: Value) -> Value: ...
@overload
def arctan(x: Number) -> float: ...
@overload
def arctan(x: Array) -> Any:
    """The angle, in radians, whose tangent is x.

        arctan(x) = arctan(x)
        slope: 1 / (1 + x²)

    >>> from scalargrad import Value, arctan
    >>> x = Value(0.5)
    >>> out = arctan(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.4636, 0.8)
    """
atan = arctan
@overload
def arctan2(x: Value, y: Value | Number) -> Value: ...
@overload
def arctan2(x: Number, y: Value) -> Value: ...
@overload
def arctan2(x: Number, y: Number) -> float: ...
@overload
def arctan2(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def arctan2(x: Value | Number, y: Array) -> Any:
    """The angle, in radians, of the point that lies x up and y to the right.

        arctan2(x, y) = arctan(x / y), in the point's quadrant
        slope by x: y / (x² + y²)
        slope by y: −x / (x² + y²)

    >>> from scalargrad import Value, arctan2
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = arctan2(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (0.245, 0.4706, -0.1176)
    """
atan2 = arctan2
@overload
def hypot(x: Value, y: Value | Number) -> Value: ...
@overload
def hypot(x: Number, y: Value) -> Value: ...
@overload
def hypot(x: Number, y: Number) -> float: ...
@overload
def hypot(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def hypot(x: Value | Number, y: Array) -> Any:
    """The length of the diagonal of a rectangle with sides x and y.

        hypot(x, y) = √(x² + y²)
        slope by x: x / √(x² + y²)
        slope by y: y / √(x² + y²)

    >>> from scalargrad import Value, hypot
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = hypot(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (2.0616, 0.2425, 0.9701)
    """
@overload
def degrees(x: Value) -> Value: ...
@overload
def degrees(x: Number) -> float: ...
@overload
def degrees(x: Array) -> Any:
    """An angle of x radians in degrees.

        degrees(x) = x·180 / π
        slope: 180 / π

    >>> from scalargrad import Value, degrees
    >>> x = Value(0.5)
    >>> out = degrees(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (28.6479, 57.2958)
    """
rad2deg = degrees
@overload
def radians(x: Value) -> Value: ...
@overload
def radians(x: Number) -> float: ...
@overload
def radians(x: Array) -> Any:
    """An angle of x degrees in radians.

        radians(x) = x·π / 180
        slope: π / 180

    >>> from scalargrad import Value, radians
    >>> x = Value(0.5)
    >>> out = radians(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.0087, 0.0175)
    """
deg2rad = radians
@overload
def sinc(x: Value) -> Value: ...
@overload
def sinc(x: Number) -> float: ...
@overload
def sinc(x: Array) -> Any:
    """The sine of πx over πx; 1 at 0.

        sinc(x) = sin(πx) / (πx)
        slope: (cos(πx) − sinc(x)) / x

    >>> from scalargrad import Value, sinc
    >>> x = Value(0.5)
    >>> out = sinc(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.6366, -1.2732)
    """
@overload
def sinh(x: Value) -> Value: ...
@overload
def sinh(x: Number) -> float: ...
@overload
def sinh(x: Array) -> Any:
    """The hyperbolic sine of x.

        sinh(x) = (eˣ − e⁻ˣ) / 2
        slope: cosh(x)

    >>> from scalargrad import Value, sinh
    >>> x = Value(0.5)
    >>> out = sinh(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.5211, 1.1276)
    """
@overload
def cosh(x: Value) -> Value: ...
@overload
def cosh(x: Number) -> float: ...
@overload
def cosh(x: Array) -> Any:
    """The hyperbolic cosine of x.

        cosh(x) = (eˣ + e⁻ˣ) / 2
        slope: sinh(x)

    >>> from scalargrad import Value, cosh
    >>> x = Value(0.5)
    >>> out = cosh(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (1.1276, 0.5211)
    """
@overload
def tanh(x: Value) -> Value: ...
@overload
def tanh(x: Number) -> float: ...
@overload
def tanh(x: Array) -> Any:
    """The hyperbolic tangent of x: an S-shaped curve from −1 to 1.

        tanh(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)
        slope: 1 − tanh(x)²

    >>> from scalargrad import Value, tanh
    >>> x = Value(0.5)
    >>> out = tanh(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.4621, 0.7864)
    """
@overload
def arcsinh(x: Value) -> Value: ...
@overload
def arcsinh(x: Number) -> float: ...
@overload
def arcsinh(x: Array) -> Any:
    """The number whose hyperbolic sine is x.

        arcsinh(x) = log(x + √(x² + 1))
        slope: 1 / √(x² + 1)

    >>> from scalargrad import Value, arcsinh
    >>> x = Value(0.5)
    >>> out = arcsinh(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.4812, 0.8944)
    """
asinh = arcsinh
@overload
def arccosh(x: Value) -> Value: ...
@overload
def arccosh(x: Number) -> float: ...
@overload
def arccosh(x: Array) -> Any:
    """The number, 0 or more, whose hyperbolic cosine is x.

        arccosh(x) = log(x + √(x² − 1))
        slope: 1 / √(x² − 1)

    >>> from scalargrad import Value, arccosh
    >>> x = Value(2.0)
    >>> out = arccosh(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (1.317, 0.5774)
    """
acosh = arccosh
@overload
def arctanh(x: Value) -> Value: ...
@overload
def arctanh(x: Number) -> float: ...
@overload
def arctanh(x: Array) -> Any:
    """The number whose hyperbolic tangent is x.

        arctanh(x) = log((1 + x) / (1 − x)) / 2
        slope: 1 / (1 − x²)

    >>> from scalargrad import Value, arctanh
    >>> x = Value(0.5)
    >>> out = arctanh(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.5493, 1.3333)
    """
atanh = arctanh
@overload
def erf(x: Value) -> Value: ...
@overload
def erf(x: Number) -> float: ...
@overload
def erf(x: Array) -> Any:
    """The error function: the chance that a normal number of variance ½ lies between −x and x.

        erf(x) = 2 / √π · ∫₀ˣ e^−t² dt
        slope: 2 / √π · e^−x²

    >>> from scalargrad import Value, erf
    >>> x = Value(0.5)
    >>> out = erf(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.5205, 0.8788)
    """
@overload
def erfc(x: Value) -> Value: ...
@overload
def erfc(x: Number) -> float: ...
@overload
def erfc(x: Array) -> Any:
    """1 minus the error function, with all its digits where x is large.

        erfc(x) = 1 − erf(x)
        slope: −2 / √π · e^−x²

    >>> from scalargrad import Value, erfc
    >>> x = Value(0.5)
    >>> out = erfc(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.4795, -0.8788)
    """
@overload
def sigmoid(x: Value) -> Value: ...
@overload
def sigmoid(x: Number) -> float: ...
@overload
def sigmoid(x: Array) -> Any:
    """The logistic function: an S-shaped curve from 0 to 1.

        sigmoid(x) = 1 / (1 + e⁻ˣ)
        slope: σ(x)·(1 − σ(x)), with σ the sigmoid

    >>> from scalargrad import Value, sigmoid
    >>> x = Value(0.5)
    >>> out = sigmoid(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.6225, 0.235)
    """
@overload
def log_sigmoid(x: Value) -> Value: ...
@overload
def log_sigmoid(x: Number) -> float: ...
@overload
def log_sigmoid(x: Array) -> Any:
    """The logarithm of the sigmoid, without overflow.

        log_sigmoid(x) = −log(1 + e⁻ˣ)
        slope: 1 − σ(x), with σ the sigmoid

    >>> from scalargrad import Value, log_sigmoid
    >>> x = Value(0.5)
    >>> out = log_sigmoid(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (-0.4741, 0.3775)
    """
@overload
def softplus(x: Value) -> Value: ...
@overload
def softplus(x: Number) -> float: ...
@overload
def softplus(x: Array) -> Any:
    """A smooth relu: about 0 far to the left, about x far to the right.

        softplus(x) = log(1 + eˣ)
        slope: σ(x), the sigmoid

    >>> from scalargrad import Value, softplus
    >>> x = Value(0.5)
    >>> out = softplus(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.9741, 0.6225)
    """
@overload
def relu(x: Value) -> Value: ...
@overload
def relu(x: Number) -> float: ...
@overload
def relu(x: Array) -> Any:
    """x where it is positive, else 0: the rectified linear unit.

        relu(x) = max(0, x)
        slope: 1 where x > 0, else 0

    >>> from scalargrad import Value, relu
    >>> x = Value(0.5)
    >>> out = relu(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.5, 1.0)
    """
@overload
def leaky_relu(x: Value) -> Value: ...
@overload
def leaky_relu(x: Number) -> float: ...
@overload
def leaky_relu(x: Array) -> Any:
    """x where it is positive, else a hundredth of x.

        leaky_relu(x) = max(0.01x, x)
        slope: 1 where x > 0, else 0.01

    >>> from scalargrad import Value, leaky_relu
    >>> x = Value(0.5)
    >>> out = leaky_relu(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.5, 1.0)
    """
@overload
def elu(x: Value) -> Value: ...
@overload
def elu(x: Number) -> float: ...
@overload
def elu(x: Array) -> Any:
    """x where it is positive, else eˣ − 1: the exponential linear unit.

        elu(x) = x where x > 0, else eˣ − 1
        slope: 1 where x > 0, else eˣ

    >>> from scalargrad import Value, elu
    >>> x = Value(0.5)
    >>> out = elu(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.5, 1.0)
    """
@overload
def gelu(x: Value) -> Value: ...
@overload
def gelu(x: Number) -> float: ...
@overload
def gelu(x: Array) -> Any:
    """x times the chance that a normal number is less than x, computed by erf, not by tanh.

        gelu(x) = x·Φ(x), with Φ(x) = (1 + erf(x / √2)) / 2
        slope: Φ(x) + x·φ(x), with φ(x) = e^(−x²/2) / √(2π)

    >>> from scalargrad import Value, gelu
    >>> x = Value(0.5)
    >>> out = gelu(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.3457, 0.8675)
    """
@overload
def silu(x: Value) -> Value: ...
@overload
def silu(x: Number) -> float: ...
@overload
def silu(x: Array) -> Any:
    """x times its sigmoid; also called swish.

        silu(x) = x·σ(x), with σ the sigmoid
        slope: σ(x)·(1 + x·(1 − σ(x)))

    >>> from scalargrad import Value, silu
    >>> x = Value(0.5)
    >>> out = silu(x)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4)
    (0.3112, 0.74)
    """
@overload
def maximum(x: Value, y: Value | Number) -> Value: ...
@overload
def maximum(x: Number, y: Value) -> Value: ...
@overload
def maximum(x: Number, y: Number) -> float: ...
@overload
def maximum(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def maximum(x: Value | Number, y: Array) -> Any:
    """The larger of x and y; nan if either is nan.

        maximum(x, y) = max(x, y)
        slope by x: 1 where x > y, ½ where x = y, else 0
        slope by y: 1 where y > x, ½ where x = y, else 0

    >>> from scalargrad import Value, maximum
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = maximum(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (2.0, 0.0, 1.0)
    """
@overload
def minimum(x: Value, y: Value | Number) -> Value: ...
@overload
def minimum(x: Number, y: Value) -> Value: ...
@overload
def minimum(x: Number, y: Number) -> float: ...
@overload
def minimum(x: Array, y: Value | Number | Array) -> Any: ...
@overload
def minimum(x: Value | Number, y: Array) -> Any:
    """The smaller of x and y; nan if either is nan.

        minimum(x, y) = min(x, y)
        slope by x: 1 where x < y, ½ where x = y, else 0
        slope by y: 1 where y < x, ½ where x = y, else 0

    >>> from scalargrad import Value, minimum
    >>> x, y = Value(0.5), Value(2.0)
    >>> out = minimum(x, y)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(y.grad, 4)
    (0.5, 1.0, 0.0)
    """
@overload
def clip(x: Value, low: Value | Number, high: Value | Number) -> Value: ...
@overload
def clip(x: Number, low: Value, high: Value | Number) -> Value: ...
@overload
def clip(x: Number, low: Number, high: Value) -> Value: ...
@overload
def clip(x: Number, low: Number, high: Number) -> float: ...
@overload
def clip(x: Array, low: Value | Number | Array, high: Value | Number | Array) -> Any: ...
@overload
def clip(x: Value | Number, low: Array, high: Value | Number | Array) -> Any: ...
@overload
def clip(x: Value | Number, low: Value | Number, high: Array) -> Any:
    """x, but no less than low and no more than high.

        clip(x, low, high) = min(max(x, low), high)
        slope by x: 1 where low ≤ x ≤ high, else 0
        slope by low: 1 where x < low, else 0
        slope by high: 1 where x > high, else 0

    >>> from scalargrad import Value, clip
    >>> x, low, high = Value(0.5), Value(2.0), Value(3.0)
    >>> out = clip(x, low, high)
    >>> out.backward()
    >>> round(out.data, 4), round(x.grad, 4), round(low.grad, 4), round(high.grad, 4)
    (2.0, 0.0, 1.0, 0.0)
    """
@overload
def where(condition: Array, x: Any, y: Any) -> Any: ...
@overload
def where(condition: object, x: A, y: B) -> A | B:
    """x where the condition holds, else y: the branch itself.

        where(condition, x, y) = x where the condition holds, else y
        slope by x: 1 where the condition holds, else 0
        slope by y: 0 where the condition holds, else 1

    >>> from scalargrad import where
    >>> where(0.5 > 0.0, 2.0, 3.0)
    2.0
    """
@overload
def sum(xs: Iterable[Number]) -> float: ...
@overload
def sum(xs: Iterable[Value]) -> Value: ...
@overload
def sum(xs: Iterable[Value | Number]) -> Any:
    """The sum of the numbers, added from left to right; 0 if there are none.

        sum(xs) = x₁ + x₂ + … + xₙ
        slope: 1 by each

    >>> from scalargrad import Value, sum
    >>> xs = [Value(1.0), Value(2.0)]
    >>> out = sum(xs)
    >>> out.backward()
    >>> round(out.data, 4), [round(x.grad, 4) for x in xs]
    (3.0, [1.0, 1.0])
    """
@overload
def prod(xs: Iterable[Number]) -> float: ...
@overload
def prod(xs: Iterable[Value]) -> Value: ...
@overload
def prod(xs: Iterable[Value | Number]) -> Any:
    """The product of the numbers; 1 if there are none.

        prod(xs) = x₁·x₂·…·xₙ
        slope: the product of the others, by each

    >>> from scalargrad import Value, prod
    >>> xs = [Value(1.0), Value(2.0)]
    >>> out = prod(xs)
    >>> out.backward()
    >>> round(out.data, 4), [round(x.grad, 4) for x in xs]
    (2.0, [2.0, 1.0])
    """
@overload
def dot(ws: Iterable[Number], xs: Iterable[Number], bias: Number = 0.0) -> float: ...
@overload
def dot(
    ws: Iterable[Value],
    xs: Iterable[Value | Number],
    bias: Value | Number = 0.0
) -> Value: ...
@overload
def dot(
    ws: Iterable[Value | Number],
    xs: Iterable[Value],
    bias: Value | Number = 0.0
) -> Value: ...
@overload
def dot(
    ws: Iterable[Value | Number],
    xs: Iterable[Value | Number],
    bias: Value | Number = 0.0
) -> Any:
    """The sum of the products of two lists, plus a bias: a neuron before its activation.

        dot(ws, xs, bias) = w₁·x₁ + w₂·x₂ + … + wₙ·xₙ + bias
        slope by ws: xᵢ by each wᵢ
        slope by xs: wᵢ by each xᵢ
        slope by bias: 1

    >>> from scalargrad import Value, dot
    >>> ws, xs = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
    >>> out = dot(ws, xs)
    >>> out.backward()
    >>> round(out.data, 4), [round(w.grad, 4) for w in ws], [round(x.grad, 4) for x in xs]
    (11.0, [3.0, 4.0], [1.0, 2.0])
    """
@overload
def norm(xs: Iterable[Number]) -> float: ...
@overload
def norm(xs: Iterable[Value]) -> Value: ...
@overload
def norm(xs: Iterable[Value | Number]) -> Any:
    """The length of a vector with these coordinates.

        norm(xs) = √(x₁² + x₂² + … + xₙ²)
        slope: xᵢ / ‖x‖ by each, with ‖x‖ the norm

    >>> from scalargrad import Value, norm
    >>> xs = [Value(1.0), Value(2.0)]
    >>> out = norm(xs)
    >>> out.backward()
    >>> round(out.data, 4), [round(x.grad, 4) for x in xs]
    (2.2361, [0.4472, 0.8944])
    """
@overload
def logsumexp(xs: Iterable[Number]) -> float: ...
@overload
def logsumexp(xs: Iterable[Value]) -> Value: ...
@overload
def logsumexp(xs: Iterable[Value | Number]) -> Any:
    """The logarithm of the sum of the exponentials, without overflow.

        logsumexp(xs) = log(exp(x₁) + exp(x₂) + … + exp(xₙ))
        slope: exp(xᵢ) / (exp(x₁) + … + exp(xₙ)) by each: the softmax

    >>> from scalargrad import Value, logsumexp
    >>> xs = [Value(1.0), Value(2.0)]
    >>> out = logsumexp(xs)
    >>> out.backward()
    >>> round(out.data, 4), [round(x.grad, 4) for x in xs]
    (2.3133, [0.2689, 0.7311])
    """
@overload
def max(xs: Iterable[Number]) -> float: ...
@overload
def max(xs: Iterable[Value]) -> Value: ...
@overload
def max(xs: Iterable[Value | Number]) -> Any:
    """The largest of the numbers; nan if any is nan.

        max(xs) = max(x₁, x₂, …, xₙ)
        slope: 1 by the largest, 0 by the others; equal ones share it

    >>> from scalargrad import Value, max
    >>> xs = [Value(1.0), Value(2.0)]
    >>> out = max(xs)
    >>> out.backward()
    >>> round(out.data, 4), [round(x.grad, 4) for x in xs]
    (2.0, [0.0, 1.0])
    """
@overload
def min(xs: Iterable[Number]) -> float: ...
@overload
def min(xs: Iterable[Value]) -> Value: ...
@overload
def min(xs: Iterable[Value | Number]) -> Any:
    """The smallest of the numbers; nan if any is nan.

        min(xs) = min(x₁, x₂, …, xₙ)
        slope: 1 by the smallest, 0 by the others; equal ones share it

    >>> from scalargrad import Value, min
    >>> xs = [Value(1.0), Value(2.0)]
    >>> out = min(xs)
    >>> out.backward()
    >>> round(out.data, 4), [round(x.grad, 4) for x in xs]
    (1.0, [1.0, 0.0])
    """
@overload
def mean(xs: Iterable[Number]) -> float: ...
@overload
def mean(xs: Iterable[Value]) -> Value: ...
@overload
def mean(xs: Iterable[Value | Number]) -> Any:
    """The average of the numbers.

        mean(xs) = (x₁ + x₂ + … + xₙ) / n
        slope: 1 / n by each

    >>> from scalargrad import mean
    >>> mean([1.0, 2.0])
    1.5
    """
@overload
def var(xs: Iterable[Number]) -> float: ...
@overload
def var(xs: Iterable[Value]) -> Value: ...
@overload
def var(xs: Iterable[Value | Number]) -> Any:
    """The variance of the numbers: the mean of their squared differences from their mean.

        var(xs) = ((x₁ − m)² + … + (xₙ − m)²) / n, with m the mean
        slope: 2·(xᵢ − m) / n by each

    >>> from scalargrad import var
    >>> var([1.0, 2.0])
    0.25
    """
@overload
def softmax(xs: Iterable[Number]) -> list[float]: ...
@overload
def softmax(xs: Iterable[Value]) -> list[Value]: ...
@overload
def softmax(xs: Iterable[Value | Number]) -> list[Any]:
    """The exponentials of the numbers, each divided by their sum: they add up to 1.

        softmax(xs) = pᵢ = exp(xᵢ) / (exp(x₁) + … + exp(xₙ))
        slope: pᵢ·(1 − pᵢ) of pᵢ by xᵢ, −pᵢ·pⱼ by another xⱼ

    >>> from scalargrad import softmax
    >>> softmax([1.0, 2.0])
    [0.2689414213699951, 0.7310585786300049]
    """
