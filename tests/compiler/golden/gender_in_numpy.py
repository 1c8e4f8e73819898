# ruff: noqa
# fmt: off
"""Gender by height and weight, generated for the backend numpy."""

def value(w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y):
    """The value of gender.

    w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y: numbers.
    """
    z1 = w1 * x1 + w2 * x2 + b1
    z3 = w3 * x1 + w4 * x2 + b2
    e = exp(-z1)
    a1 = 1.0 / (1.0 + e)
    e_2 = exp(-z3)
    a3 = 1.0 / (1.0 + e_2)
    z5 = w5 * a1 + w6 * a3 + b3
    v1 = y - 1.0 / (1.0 + exp(-z5))
    return (v1 * v1)[0]


def value_and_grad(w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y):
    """The value of gender and its slopes by w1, w2, b1, w3, w4, b2, w5, w6 and b3.

    w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y: numbers.
    """
    z1 = w1 * x1 + w2 * x2 + b1
    z3 = w3 * x1 + w4 * x2 + b2
    e = exp(-z1)
    a1 = 1.0 / (1.0 + e)
    e_2 = exp(-z3)
    a3 = 1.0 / (1.0 + e_2)
    z5 = w5 * a1 + w6 * a3 + b3
    v1 = exp(-z5)
    v2 = 1.0 + v1
    v3 = 1.0 / v2
    v4 = y - v3
    v5 = mended(v3 * v3 > 1e-290, -v3 / v2, lambda y: -over_square(1.0, y), v2) * -(2.0 * v4)
    dz5 = -(v1 * v5)
    da3 = w6 * dz5
    da1 = w5 * dz5
    dz3 = e_2 * a3 * a3 * da3
    dz1 = e * a1 * a1 * da1
    dw1 = (x1 * dz1)[0]
    dw2 = (x2 * dz1)[0]
    db1 = dz1[0]
    dw3 = (x1 * dz3)[0]
    dw4 = (x2 * dz3)[0]
    db2 = dz3[0]
    dw5 = (a1 * dz5)[0]
    dw6 = (a3 * dz5)[0]
    db3 = dz5[0]
    return (v4 * v4)[0], (dw1, dw2, db1, dw3, dw4, db2, dw5, dw6, db3)
