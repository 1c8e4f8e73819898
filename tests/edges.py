"""The table of kinks and edges, literally: for each point the value and the slopes that are promised there.

`nan` equals `nan` here; the sign of a zero slope means nothing, that of a zero value is as written. `About`
is a number known to so many digits.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

inf, nan, pi = math.inf, math.nan, math.pi


class About(float):
    """A number of four digits: equal to all that round to it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and f"{other:.3e}" == f"{float(self):.3e}"

    __hash__ = float.__hash__


class Edge(NamedTuple):
    """A row of the table at a point: the value there, and the slope by each operand."""

    name: str
    operands: tuple[Any, ...]
    value: float
    slopes: tuple[Any, ...]


# fmt: off
EDGES = [Edge(*edge) for edge in (
    ("mod",       (7.5, 2.0),           1.5,                 (1.0, -3.0)),
    ("mod",       (-7.5, 2.0),          0.5,                 (1.0, 4.0)),
    ("mod",       (6.0, 2.0),           0.0,                 (1.0, -3.0)),
    ("mod",       (1.0, 0.0),           nan,                 (nan, nan)),
    ("mod",       (inf, 2.0),           nan,                 (nan, nan)),
    ("mod",       (-1.0, inf),          inf,                 (1.0, 1.0)),
    ("sinc",      (0.0,),               1.0,                 (0.0,)),
    ("sinc",      (2.0,),               0.0,                 (0.5,)),
    ("sinc",      (inf,),               0.0,                 (0.0,)),
    ("sinc",      (nan,),               nan,                 (nan,)),
    ("relu",      (0.0,),               0.0,                 (0.0,)),
    ("relu",      (nan,),               nan,                 (nan,)),
    ("abs",       (0.0,),               0.0,                 (0.0,)),
    ("abs",       (nan,),               nan,                 (nan,)),
    ("sign",      (0.0,),               0.0,                 (0.0,)),
    ("sign",      (nan,),               nan,                 (nan,)),
    ("maximum",   (1.0, 1.0),           1.0,                 (0.5, 0.5)),
    ("maximum",   (nan, 1.0),           nan,                 (nan, nan)),
    ("maximum",   (1.0, nan),           nan,                 (nan, nan)),
    ("minimum",   (1.0, 1.0),           1.0,                 (0.5, 0.5)),
    ("minimum",   (nan, 1.0),           nan,                 (nan, nan)),
    ("minimum",   (1.0, nan),           nan,                 (nan, nan)),
    ("clip",      (1.0, -1.0, 1.0),     1.0,                 (1.0, 0.0, 0.0)),
    ("clip",      (-1.0, -1.0, 1.0),    -1.0,                (1.0, 0.0, 0.0)),
    ("clip",      (nan, -1.0, 1.0),     nan,                 (nan, nan, nan)),
    ("sqrt",      (0.0,),               0.0,                 (inf,)),
    ("sqrt",      (-0.0,),              -0.0,                (inf,)),
    ("sqrt",      (-1.0,),              nan,                 (nan,)),
    ("cbrt",      (0.0,),               0.0,                 (inf,)),
    ("cbrt",      (-inf,),              -inf,                (0.0,)),
    ("log",       (0.0,),               -inf,                (inf,)),
    ("log",       (-0.0,),              -inf,                (inf,)),
    ("log",       (-1.0,),              nan,                 (nan,)),
    ("log2",      (0.0,),               -inf,                (inf,)),
    ("log2",      (-1.0,),              nan,                 (nan,)),
    ("log10",     (0.0,),               -inf,                (inf,)),
    ("log10",     (-1.0,),              nan,                 (nan,)),
    ("log1p",     (-1.0,),              -inf,                (inf,)),
    ("log1p",     (-2.0,),              nan,                 (nan,)),
    ("arcsin",    (1.0,),               pi / 2,              (inf,)),
    ("arcsin",    (1.5,),               nan,                 (nan,)),
    ("arctanh",   (1.0,),               inf,                 (inf,)),
    ("arctanh",   (1.5,),               nan,                 (nan,)),
    ("arccosh",   (1.0,),               0.0,                 (inf,)),
    ("sin",       (inf,),               nan,                 (nan,)),
    ("xlogy",     (0.0, 0.0),           0.0,                 (-inf, nan)),
    ("xlogy",     (1.0, -0.0),          -inf,                (-inf, inf)),
    ("xlogy",     (1.0, -1.0),          nan,                 (nan, nan)),
    ("exp",       (1000.0,),            inf,                 (inf,)),
    ("exp",       (-745.0,),            5e-324,              (5e-324,)),
    ("sigmoid",   (40.0,),              1.0,                 (4.248354255291589e-18,)),
    ("sigmoid",   (-800.0,),            0.0,                 (0.0,)),
    ("tanh",      (20.0,),              1.0,                 (1.6993417021166355e-17,)),  # 1.69934170211663558…e-17
    ("softplus",  (20.5,),              20.500000001250154,  (0.9999999987498471,)),
    ("softplus",  (inf,),               inf,                 (1.0,)),
    ("softplus",  (-inf,),              0.0,                 (0.0,)),
    ("div",       (1.0, 0.0),           inf,                 (inf, -inf)),
    ("div",       (0.0, 0.0),           nan,                 (inf, nan)),
    ("pow",       (0.0, 0.0),           1.0,                 (0.0, 0.0)),
    ("pow",       (0.0, 0.5),           0.0,                 (inf, 0.0)),
    ("pow",       (0.0, -1.0),          inf,                 (-inf, -inf)),
    ("pow",       (-2.0, 3.0),          -8.0,                (12.0, nan)),
    ("pow",       (-8.0, 1 / 3),        nan,                 (nan, nan)),
    ("pow",       (nan, 0.0),           1.0,                 (0.0, nan)),
    ("pow",       (10.0, 400.0),        inf,                 (inf, inf)),
    ("arctan2",   (0.0, 0.0),           0.0,                 (nan, nan)),
    ("arctan2",   (1e-200, 1e-200),     pi / 4,              (About(5e199), About(-5e199))),
    ("hypot",     (0.0, 0.0),           0.0,                 (0.0, 0.0)),
    ("hypot",     (1e-200, 1e-200),     About(1.414e-200),   (About(0.7071), About(0.7071))),
    ("hypot",     (1.7e308, 1.7e308),   inf,                 (About(0.7071), About(0.7071))),
    ("logaddexp", (-inf, -inf),         -inf,                (nan, nan)),
    ("logaddexp", (inf, 0.0),           inf,                 (1.0, 0.0)),
    ("logsumexp", ([1000.0, 1000.0],),  1000.6931471805599,  ([0.5, 0.5],)),
    ("leaky_relu", (0.0,),              0.0,                 (0.01,)),
    ("leaky_relu", (nan,),              nan,                 (nan,)),
    ("silu",      (inf,),               inf,                 (1.0,)),
    ("silu",      (-inf,),              -0.0,                (0.0,)),
    ("silu",      (nan,),               nan,                 (nan,)),
    ("gelu",      (inf,),               inf,                 (1.0,)),
    ("gelu",      (-inf,),              -0.0,                (0.0,)),
    ("gelu",      (nan,),               nan,                 (nan,)),
    ("max",       ([2.0, 1.0, 2.0],),   2.0,                 ([0.5, 0.0, 0.5],)),
    ("min",       ([2.0, 1.0, 1.0],),   1.0,                 ([0.0, 0.5, 0.5],)),
)]
# fmt: on

# where(x > 0, sqrt(x), 0) at x: the value, and the slope by x
MASKED = [(0.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (4.0, 2.0, 0.25)]


def same(got: float, expected: float) -> bool:
    """Equal, nan equal to nan, and zeros of one sign."""
    if math.isnan(expected):
        return math.isnan(got)
    return expected == got and (
        got != 0.0 or math.copysign(1.0, got) == math.copysign(1.0, expected)
    )


def same_slope(got: float, expected: float) -> bool:
    """Equal, nan equal to nan."""
    return math.isnan(got) if math.isnan(expected) else expected == got
