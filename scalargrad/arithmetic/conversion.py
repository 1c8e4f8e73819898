"""From real numbers of all kinds to floats; errors for anything else.   (floor 0)"""

from __future__ import annotations

from math import inf, nan


def as_float(number: object) -> float | None:
    """The number as a `float`, ±inf where it is too large; None if it is not a real number.

    >>> from fractions import Fraction
    >>> as_float(True), as_float(Fraction(1, 4)), as_float(10**400), as_float("1"), as_float(1j)
    (1.0, 0.25, inf, None, None)
    """
    kind = number.__class__
    if kind is float:
        return number  # type: ignore[return-value]
    if kind is not int and kind is not bool and not _is_real(number):
        return None
    try:
        return float(number)  # type: ignore[arg-type]
    except OverflowError:
        return inf if number > 0 else -inf  # type: ignore[operator]
    except ValueError:  # Decimal's signalling nan
        return nan


def to_float(number: object, taker: str) -> float:
    """The number as a `float`; TypeError, naming the `taker`, if it is not a real number."""
    result = as_float(number)
    if result is not None:
        return result
    advice = ""
    if hasattr(number, "detach"):
        advice = ": use it as it is, or its .detach() for a leaf"
    elif isinstance(number, complex):
        advice = ": use its real and its imaginary part"
    elif isinstance(number, str | bytes):
        advice = f": write float({number!r})"
    elif hasattr(number, "__len__"):
        advice = ": give it one number at a time"
    raise TypeError(f"{taker} takes a real number, got {type(number).__name__}{advice}")


def to_text(text: object, taker: str) -> str:
    """The text as it is; TypeError, naming the argument `taker`, if it is not a str."""
    if not isinstance(text, str):
        raise TypeError(
            f"{taker} must be a str, got {type(text).__name__}: write {taker}={str(text)!r}"
        )
    return text


def _is_real(number: object) -> bool:
    from numbers import Complex, Number, Real  # not needed by a plain float

    kind = type(number)
    if kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"):
        return True
    return isinstance(number, Real) or (
        isinstance(number, Number) and not isinstance(number, Complex)
    )  # Decimal
