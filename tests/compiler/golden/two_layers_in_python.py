# ruff: noqa
# fmt: off
"""Two layers, generated for the backend python."""

def value(W1, b1, W2, b2, x, y):
    """The value of two_layers: the sum over the rows of x and y.

    W1: 4 × 3; b1: 4; W2: 2 × 4; b2: 2; x: 3 a row; y: 2 a row.
    """
    (W1_0_0, W1_0_1, W1_0_2), (W1_1_0, W1_1_1, W1_1_2), (W1_2_0, W1_2_1, W1_2_2), (W1_3_0, W1_3_1, W1_3_2) = W1
    b1_0, b1_1, b1_2, b1_3 = b1
    (W2_0_0, W2_0_1, W2_0_2, W2_0_3), (W2_1_0, W2_1_1, W2_1_2, W2_1_3) = W2
    b2_0, b2_1 = b2
    total = 0.0
    for (x_0, x_1, x_2), (y_0, y_1) in zip(x, y):
        z1_0 = b1_0 + W1_0_0 * x_0 + W1_0_1 * x_1 + W1_0_2 * x_2
        e1_0 = exp(-z1_0 if z1_0 > 0.0 else z1_0)
        a1_0 = (e1_0 if z1_0 < 0.0 else 1.0) / (1.0 + e1_0)
        z1_1 = b1_1 + W1_1_0 * x_0 + W1_1_1 * x_1 + W1_1_2 * x_2
        e1_1 = exp(-z1_1 if z1_1 > 0.0 else z1_1)
        a1_1 = (e1_1 if z1_1 < 0.0 else 1.0) / (1.0 + e1_1)
        z1_2 = b1_2 + W1_2_0 * x_0 + W1_2_1 * x_1 + W1_2_2 * x_2
        e1_2 = exp(-z1_2 if z1_2 > 0.0 else z1_2)
        a1_2 = (e1_2 if z1_2 < 0.0 else 1.0) / (1.0 + e1_2)
        z1_3 = b1_3 + W1_3_0 * x_0 + W1_3_1 * x_1 + W1_3_2 * x_2
        e1_3 = exp(-z1_3 if z1_3 > 0.0 else z1_3)
        a1_3 = (e1_3 if z1_3 < 0.0 else 1.0) / (1.0 + e1_3)
        z2_0 = b2_0 + W2_0_0 * a1_0 + W2_0_1 * a1_1 + W2_0_2 * a1_2 + W2_0_3 * a1_3
        e2_0 = exp(-z2_0 if z2_0 > 0.0 else z2_0)
        v1 = (e2_0 if z2_0 < 0.0 else 1.0) / (1.0 + e2_0) - y_0
        z2_1 = b2_1 + W2_1_0 * a1_0 + W2_1_1 * a1_1 + W2_1_2 * a1_2 + W2_1_3 * a1_3
        e2_1 = exp(-z2_1 if z2_1 > 0.0 else z2_1)
        v2 = (e2_1 if z2_1 < 0.0 else 1.0) / (1.0 + e2_1) - y_1
        total += (v1 * v1 + v2 * v2) * 0.5
    return total


def value_and_grad(W1, b1, W2, b2, x, y):
    """The value of two_layers and its slopes by W1, b1, W2 and b2: the sum over the rows of x and y.

    W1: 4 × 3; b1: 4; W2: 2 × 4; b2: 2; x: 3 a row; y: 2 a row.
    """
    (W1_0_0, W1_0_1, W1_0_2), (W1_1_0, W1_1_1, W1_1_2), (W1_2_0, W1_2_1, W1_2_2), (W1_3_0, W1_3_1, W1_3_2) = W1
    b1_0, b1_1, b1_2, b1_3 = b1
    (W2_0_0, W2_0_1, W2_0_2, W2_0_3), (W2_1_0, W2_1_1, W2_1_2, W2_1_3) = W2
    b2_0, b2_1 = b2
    total = 0.0
    dW1_0_0 = dW1_0_1 = dW1_0_2 = dW1_1_0 = dW1_1_1 = dW1_1_2 = dW1_2_0 = dW1_2_1 = dW1_2_2 = dW1_3_0 = dW1_3_1 = 0.0
    dW1_3_2 = db1_0 = db1_1 = db1_2 = db1_3 = dW2_0_0 = dW2_0_1 = dW2_0_2 = dW2_0_3 = dW2_1_0 = dW2_1_1 = dW2_1_2 = 0.0
    dW2_1_3 = db2_0 = db2_1 = 0.0
    for (x_0, x_1, x_2), (y_0, y_1) in zip(x, y):
        z1_0 = b1_0 + W1_0_0 * x_0 + W1_0_1 * x_1 + W1_0_2 * x_2
        e1_0 = exp(-z1_0 if z1_0 > 0.0 else z1_0)
        t1_0 = 1.0 + e1_0
        a1_0 = (e1_0 if z1_0 < 0.0 else 1.0) / t1_0
        z1_1 = b1_1 + W1_1_0 * x_0 + W1_1_1 * x_1 + W1_1_2 * x_2
        e1_1 = exp(-z1_1 if z1_1 > 0.0 else z1_1)
        t1_1 = 1.0 + e1_1
        a1_1 = (e1_1 if z1_1 < 0.0 else 1.0) / t1_1
        z1_2 = b1_2 + W1_2_0 * x_0 + W1_2_1 * x_1 + W1_2_2 * x_2
        e1_2 = exp(-z1_2 if z1_2 > 0.0 else z1_2)
        t1_2 = 1.0 + e1_2
        a1_2 = (e1_2 if z1_2 < 0.0 else 1.0) / t1_2
        z1_3 = b1_3 + W1_3_0 * x_0 + W1_3_1 * x_1 + W1_3_2 * x_2
        e1_3 = exp(-z1_3 if z1_3 > 0.0 else z1_3)
        t1_3 = 1.0 + e1_3
        a1_3 = (e1_3 if z1_3 < 0.0 else 1.0) / t1_3
        z2_0 = b2_0 + W2_0_0 * a1_0 + W2_0_1 * a1_1 + W2_0_2 * a1_2 + W2_0_3 * a1_3
        e2_0 = exp(-z2_0 if z2_0 > 0.0 else z2_0)
        t2_0 = 1.0 + e2_0
        v1 = (e2_0 if z2_0 < 0.0 else 1.0) / t2_0 - y_0
        z2_1 = b2_1 + W2_1_0 * a1_0 + W2_1_1 * a1_1 + W2_1_2 * a1_2 + W2_1_3 * a1_3
        e2_1 = exp(-z2_1 if z2_1 > 0.0 else z2_1)
        t2_1 = 1.0 + e2_1
        v2 = (e2_1 if z2_1 < 0.0 else 1.0) / t2_1 - y_1
        dz2_0 = e2_0 / (t2_0 * t2_0) * (2.0 * (0.5 * v1))
        dz2_1 = e2_1 / (t2_1 * t2_1) * (2.0 * (0.5 * v2))
        dz1_0 = e1_0 / (t1_0 * t1_0) * (dz2_0 * W2_0_0 + dz2_1 * W2_1_0)
        dz1_1 = e1_1 / (t1_1 * t1_1) * (dz2_0 * W2_0_1 + dz2_1 * W2_1_1)
        dz1_2 = e1_2 / (t1_2 * t1_2) * (dz2_0 * W2_0_2 + dz2_1 * W2_1_2)
        dz1_3 = e1_3 / (t1_3 * t1_3) * (dz2_0 * W2_0_3 + dz2_1 * W2_1_3)
        total += (v1 * v1 + v2 * v2) * 0.5
        dW1_0_0 += dz1_0 * x_0
        dW1_0_1 += dz1_0 * x_1
        dW1_0_2 += dz1_0 * x_2
        dW1_1_0 += dz1_1 * x_0
        dW1_1_1 += dz1_1 * x_1
        dW1_1_2 += dz1_1 * x_2
        dW1_2_0 += dz1_2 * x_0
        dW1_2_1 += dz1_2 * x_1
        dW1_2_2 += dz1_2 * x_2
        dW1_3_0 += dz1_3 * x_0
        dW1_3_1 += dz1_3 * x_1
        dW1_3_2 += dz1_3 * x_2
        db1_0 += dz1_0
        db1_1 += dz1_1
        db1_2 += dz1_2
        db1_3 += dz1_3
        dW2_0_0 += a1_0 * dz2_0
        dW2_0_1 += a1_1 * dz2_0
        dW2_0_2 += a1_2 * dz2_0
        dW2_0_3 += a1_3 * dz2_0
        dW2_1_0 += a1_0 * dz2_1
        dW2_1_1 += a1_1 * dz2_1
        dW2_1_2 += a1_2 * dz2_1
        dW2_1_3 += a1_3 * dz2_1
        db2_0 += dz2_0
        db2_1 += dz2_1
    dW1 = [[dW1_0_0, dW1_0_1, dW1_0_2], [dW1_1_0, dW1_1_1, dW1_1_2], [dW1_2_0, dW1_2_1, dW1_2_2], [dW1_3_0, dW1_3_1, dW1_3_2]]
    db1 = [db1_0, db1_1, db1_2, db1_3]
    dW2 = [[dW2_0_0, dW2_0_1, dW2_0_2, dW2_0_3], [dW2_1_0, dW2_1_1, dW2_1_2, dW2_1_3]]
    db2 = [db2_0, db2_1]
    if not isfinite(sum(map(sum, dW1)) + sum(db1) + sum(map(sum, dW2)) + sum(db2)):
        raise FloatingPointError
    return total, (dW1, db1, dW2, db2)
