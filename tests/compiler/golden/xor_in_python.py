# ruff: noqa
# fmt: off
"""XOR, generated for the backend python."""

def value(W1, b1, W2, b2, x, y):
    """The value of xor: the sum over the rows of x and y.

    W1: 3 × 2; b1: 3; W2: 1 × 3; b2: 1; x: 2 a row; y: a number a row.
    """
    (W1_0_0, W1_0_1), (W1_1_0, W1_1_1), (W1_2_0, W1_2_1) = W1
    b1_0, b1_1, b1_2 = b1
    ((W2_0_0, W2_0_1, W2_0_2),) = W2
    (b2_0,) = b2
    total = 0.0
    for (x_0, x_1), y_i in zip(x, y):
        z1_0 = b1_0 + W1_0_0 * x_0 + W1_0_1 * x_1
        e1_0 = exp(-z1_0 if z1_0 > 0.0 else z1_0)
        z1_1 = b1_1 + W1_1_0 * x_0 + W1_1_1 * x_1
        e1_1 = exp(-z1_1 if z1_1 > 0.0 else z1_1)
        z1_2 = b1_2 + W1_2_0 * x_0 + W1_2_1 * x_1
        e1_2 = exp(-z1_2 if z1_2 > 0.0 else z1_2)
        z2 = (b2_0 + W2_0_0 * ((e1_0 if z1_0 < 0.0 else 1.0) / (1.0 + e1_0))
            + W2_0_1 * ((e1_1 if z1_1 < 0.0 else 1.0) / (1.0 + e1_1)) + W2_0_2 * ((e1_2 if z1_2 < 0.0 else 1.0) / (1.0 + e1_2)))
        e2 = exp(-z2 if z2 > 0.0 else z2)
        v1 = (e2 if z2 < 0.0 else 1.0) / (1.0 + e2) - y_i
        total += v1 * v1 * 0.5
    return total


def value_and_grad(W1, b1, W2, b2, x, y):
    """The value of xor and its slopes by W1, b1, W2 and b2: the sum over the rows of x and y.

    W1: 3 × 2; b1: 3; W2: 1 × 3; b2: 1; x: 2 a row; y: a number a row.
    """
    (W1_0_0, W1_0_1), (W1_1_0, W1_1_1), (W1_2_0, W1_2_1) = W1
    b1_0, b1_1, b1_2 = b1
    ((W2_0_0, W2_0_1, W2_0_2),) = W2
    (b2_0,) = b2
    total = 0.0
    dW1_0_0 = dW1_0_1 = dW1_1_0 = dW1_1_1 = dW1_2_0 = dW1_2_1 = db1_0 = db1_1 = db1_2 = dW2_0_0 = dW2_0_1 = dW2_0_2 = 0.0
    db2_0 = 0.0
    for (x_0, x_1), y_i in zip(x, y):
        z1_0 = b1_0 + W1_0_0 * x_0 + W1_0_1 * x_1
        e1_0 = exp(-z1_0 if z1_0 > 0.0 else z1_0)
        t1_0 = 1.0 + e1_0
        a1_0 = (e1_0 if z1_0 < 0.0 else 1.0) / t1_0
        z1_1 = b1_1 + W1_1_0 * x_0 + W1_1_1 * x_1
        e1_1 = exp(-z1_1 if z1_1 > 0.0 else z1_1)
        t1_1 = 1.0 + e1_1
        a1_1 = (e1_1 if z1_1 < 0.0 else 1.0) / t1_1
        z1_2 = b1_2 + W1_2_0 * x_0 + W1_2_1 * x_1
        e1_2 = exp(-z1_2 if z1_2 > 0.0 else z1_2)
        t1_2 = 1.0 + e1_2
        a1_2 = (e1_2 if z1_2 < 0.0 else 1.0) / t1_2
        z2 = b2_0 + W2_0_0 * a1_0 + W2_0_1 * a1_1 + W2_0_2 * a1_2
        e2 = exp(-z2 if z2 > 0.0 else z2)
        t2 = 1.0 + e2
        v1 = (e2 if z2 < 0.0 else 1.0) / t2 - y_i
        dz2 = e2 / (t2 * t2) * (0.5 * (2.0 * v1))
        dz1_0 = e1_0 / (t1_0 * t1_0) * (dz2 * W2_0_0)
        dz1_1 = e1_1 / (t1_1 * t1_1) * (dz2 * W2_0_1)
        dz1_2 = e1_2 / (t1_2 * t1_2) * (dz2 * W2_0_2)
        total += v1 * v1 * 0.5
        dW1_0_0 += dz1_0 * x_0
        dW1_0_1 += dz1_0 * x_1
        dW1_1_0 += dz1_1 * x_0
        dW1_1_1 += dz1_1 * x_1
        dW1_2_0 += dz1_2 * x_0
        dW1_2_1 += dz1_2 * x_1
        db1_0 += dz1_0
        db1_1 += dz1_1
        db1_2 += dz1_2
        dW2_0_0 += a1_0 * dz2
        dW2_0_1 += a1_1 * dz2
        dW2_0_2 += a1_2 * dz2
        db2_0 += dz2
    dW1 = [[dW1_0_0, dW1_0_1], [dW1_1_0, dW1_1_1], [dW1_2_0, dW1_2_1]]
    db1 = [db1_0, db1_1, db1_2]
    dW2 = [[dW2_0_0, dW2_0_1, dW2_0_2]]
    db2 = [db2_0]
    if not isfinite(sum(map(sum, dW1)) + sum(db1) + sum(map(sum, dW2)) + sum(db2)):
        raise FloatingPointError
    return total, (dW1, db1, dW2, db2)
