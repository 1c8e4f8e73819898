"""Value's methods, as editors and type checkers see them. Written by `python -m tests.stubs`."""

# fmt: off
from typing import Any, Protocol, Self, SupportsFloat, TypeVar, overload

from ..ops import Op

N = TypeVar("N", covariant=True)

class Number(SupportsFloat, Protocol):
    """A real number: int, float, Fraction, Decimal, a scalar of NumPy."""
    def __hash__(self) -> int: ...  # an array has __float__ too, but no hash

class Array(Protocol):
    """An array of numbers or Values: NumPy's, a Series, or another that NumPy can read."""
    def __array__(self) -> Any: ...
    def __len__(self) -> int: ...

class Operator(Protocol[N]):
    """An operator of Value and another operand."""
    @overload
    def __call__(self, other: Methods | Number, /) -> N: ...
    @overload
    def __call__(self, other: Array, /) -> Any: ...

class Methods:
    """The fields of Value, and the methods that the table gives it."""
    __slots__ = ("_dx", "_dy", "_operation", "_x", "_y", "data", "grad", "label")
    data: float
    grad: float
    label: str
    _operation: Op | None
    _x: Any
    _y: Any
    _dx: Any
    _dy: Any
    @staticmethod
    def _record(op: Op, *operands: Any) -> Any: ...
    def neg(self) -> Self:
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
    def add(self, y: Methods | Number, /) -> Self:
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
    def sub(self, y: Methods | Number, /) -> Self:
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
    def mul(self, y: Methods | Number, /) -> Self:
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
    def div(self, y: Methods | Number, /) -> Self:
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
    def mod(self, y: Methods | Number, /) -> Self:
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
    def pow(self, y: Methods | Number, /) -> Self:
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
    def square(self) -> Self:
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
    def reciprocal(self) -> Self:
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
    def sqrt(self) -> Self:
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
    def cbrt(self) -> Self:
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
    def abs(self) -> Self:
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
    def sign(self) -> Self:
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
    def exp(self) -> Self:
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
    def exp2(self) -> Self:
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
    def expm1(self) -> Self:
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
    def log(self) -> Self:
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
    def log1p(self) -> Self:
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
    def log2(self) -> Self:
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
    def log10(self) -> Self:
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
    def xlogy(self, y: Methods | Number, /) -> Self:
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
    def logaddexp(self, y: Methods | Number, /) -> Self:
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
    def sin(self) -> Self:
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
    def cos(self) -> Self:
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
    def tan(self) -> Self:
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
    def arcsin(self) -> Self:
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
    def arccos(self) -> Self:
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
    def arctan(self) -> Self:
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
    def arctan2(self, y: Methods | Number, /) -> Self:
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
    def hypot(self, y: Methods | Number, /) -> Self:
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
    def degrees(self) -> Self:
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
    def radians(self) -> Self:
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
    def sinc(self) -> Self:
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
    def sinh(self) -> Self:
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
    def cosh(self) -> Self:
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
    def tanh(self) -> Self:
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
    def arcsinh(self) -> Self:
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
    def arccosh(self) -> Self:
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
    def arctanh(self) -> Self:
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
    def erf(self) -> Self:
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
    def erfc(self) -> Self:
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
    def sigmoid(self) -> Self:
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
    def log_sigmoid(self) -> Self:
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
    def softplus(self) -> Self:
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
    def relu(self) -> Self:
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
    def leaky_relu(self) -> Self:
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
    def elu(self) -> Self:
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
    def gelu(self) -> Self:
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
    def silu(self) -> Self:
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
    def maximum(self, y: Methods | Number, /) -> Self:
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
    def minimum(self, y: Methods | Number, /) -> Self:
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
    def clip(self, low: Methods | Number, high: Methods | Number, /) -> Self:
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
