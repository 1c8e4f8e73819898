# ruff: noqa
# fmt: off
"""Two layers, generated for the backend numpy."""

def value(W1, b1, W2, b2, x, y):
    """The value of two_layers: the sum over the rows of x and y.

    W1: 4 × 3; b1: 4; W2: 2 × 4; b2: 2; x: 3 a row; y: 2 a row.
    """
    z1 = x @ W1.T
    z1 += b1
    e = exp(-z1)
    a1 = 1.0 / (1.0 + e)
    z2 = a1 @ W2.T
    z2 += b2
    e_2 = exp(-z2)
    a2 = 1.0 / (1.0 + e_2)
    v1 = a2 - y
    return ((v1 * v1).sum(-1, keepdims=True) * 0.5).sum()


def value_and_grad(W1, b1, W2, b2, x, y):
    """The value of two_layers and its slopes by W1, b1, W2 and b2: the sum over the rows of x and y.

    W1: 4 × 3; b1: 4; W2: 2 × 4; b2: 2; x: 3 a row; y: 2 a row.
    """
    z1 = x @ W1.T
    z1 += b1
    e = exp(-z1)
    a1 = 1.0 / (1.0 + e)
    z2 = a1 @ W2.T
    z2 += b2
    e_2 = exp(-z2)
    a2 = 1.0 / (1.0 + e_2)
    v1 = a2 - y
    dz2 = e_2 * a2
    dz2 *= a2
    dz2 *= v1
    da1 = dz2 @ W2
    dz1 = e * a1
    dz1 *= a1
    dz1 *= da1
    dW1 = dz1.T @ x
    ones = full(len(x), 1.0)
    db1 = ones @ dz1
    dW2 = dz2.T @ a1
    db2 = ones @ dz2
    return ((v1 * v1).sum(-1, keepdims=True) * 0.5).sum(), (dW1, db1, dW2, db2)
