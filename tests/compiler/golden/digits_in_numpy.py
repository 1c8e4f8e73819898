# ruff: noqa
# fmt: off
"""Digits of 2 × 2 pixels, generated for the backend numpy."""

def value(W1, b1, W2, b2, W3, b3, x, y, rows=None):
    """The value of digits: the mean over the rows of x and y.

    W1: 3 × 4; b1: 3; W2: 3 × 3; b2: 3; W3: 2 × 3; b3: 2; x: 4 a row; y: 2 a row.
    """
    rows = rows or len(x)
    z1 = x @ W1.T
    z1 += b1
    e = exp(-z1)
    a1 = 1.0 / (1.0 + e)
    z2 = a1 @ W2.T
    z2 += b2
    e_2 = exp(-z2)
    a2 = 1.0 / (1.0 + e_2)
    z3 = a2 @ W3.T
    z3 += b3
    e_3 = exp(-z3)
    a3 = 1.0 / (1.0 + e_3)
    v1 = a3 - y
    return vdot(v1, v1) / rows


def value_and_grad(W1, b1, W2, b2, W3, b3, x, y, rows=None):
    """The value of digits and its slopes by W1, b1, W2, b2, W3 and b3: the mean over the rows of x and y.

    W1: 3 × 4; b1: 3; W2: 3 × 3; b2: 3; W3: 2 × 3; b3: 2; x: 4 a row; y: 2 a row.
    """
    rows = rows or len(x)
    each = 1.0 / rows
    z1 = x @ W1.T
    z1 += b1
    e = exp(-z1)
    a1 = 1.0 / (1.0 + e)
    z2 = a1 @ W2.T
    z2 += b2
    e_2 = exp(-z2)
    a2 = 1.0 / (1.0 + e_2)
    z3 = a2 @ W3.T
    z3 += b3
    e_3 = exp(-z3)
    a3 = 1.0 / (1.0 + e_3)
    v1 = a3 - y
    da3 = v1 * (2.0 * each)
    dz3 = e_3 * a3
    dz3 *= a3
    dz3 *= da3
    da2 = dz3 @ W3
    dz2 = e_2 * a2
    dz2 *= a2
    dz2 *= da2
    da1 = dz2 @ W2
    dz1 = e * a1
    dz1 *= a1
    dz1 *= da1
    dW1 = dz1.T @ x
    ones = full(len(x), 1.0)
    db1 = ones @ dz1
    dW2 = dz2.T @ a1
    db2 = ones @ dz2
    dW3 = dz3.T @ a2
    db3 = ones @ dz3
    return vdot(v1, v1) / rows, (dW1, db1, dW2, db2, dW3, db3)
