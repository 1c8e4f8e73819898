# ruff: noqa
# fmt: off
"""Digits of 2 × 2 pixels, generated for the backend python."""

def value(W1, b1, W2, b2, W3, b3, x, y):
    """The value of digits: the mean over the rows of x and y.

    W1: 3 × 4; b1: 3; W2: 3 × 3; b2: 3; W3: 2 × 3; b3: 2; x: 4 a row; y: 2 a row.
    """
    (W1_0_0, W1_0_1, W1_0_2, W1_0_3), (W1_1_0, W1_1_1, W1_1_2, W1_1_3), (W1_2_0, W1_2_1, W1_2_2, W1_2_3) = W1
    b1_0, b1_1, b1_2 = b1
    (W2_0_0, W2_0_1, W2_0_2), (W2_1_0, W2_1_1, W2_1_2), (W2_2_0, W2_2_1, W2_2_2) = W2
    b2_0, b2_1, b2_2 = b2
    (W3_0_0, W3_0_1, W3_0_2), (W3_1_0, W3_1_1, W3_1_2) = W3
    b3_0, b3_1 = b3
    rows = len(x)
    total = 0.0
    for (x_0, x_1, x_2, x_3), (y_0, y_1) in zip(x, y):
        z1_0 = b1_0 + W1_0_0 * x_0 + W1_0_1 * x_1 + W1_0_2 * x_2 + W1_0_3 * x_3
        e1_0 = exp(-z1_0 if z1_0 > 0.0 else z1_0)
        a1_0 = (e1_0 if z1_0 < 0.0 else 1.0) / (1.0 + e1_0)
        z1_1 = b1_1 + W1_1_0 * x_0 + W1_1_1 * x_1 + W1_1_2 * x_2 + W1_1_3 * x_3
        e1_1 = exp(-z1_1 if z1_1 > 0.0 else z1_1)
        a1_1 = (e1_1 if z1_1 < 0.0 else 1.0) / (1.0 + e1_1)
        z1_2 = b1_2 + W1_2_0 * x_0 + W1_2_1 * x_1 + W1_2_2 * x_2 + W1_2_3 * x_3
        e1_2 = exp(-z1_2 if z1_2 > 0.0 else z1_2)
        a1_2 = (e1_2 if z1_2 < 0.0 else 1.0) / (1.0 + e1_2)
        z2_0 = b2_0 + W2_0_0 * a1_0 + W2_0_1 * a1_1 + W2_0_2 * a1_2
        e2_0 = exp(-z2_0 if z2_0 > 0.0 else z2_0)
        a2_0 = (e2_0 if z2_0 < 0.0 else 1.0) / (1.0 + e2_0)
        z2_1 = b2_1 + W2_1_0 * a1_0 + W2_1_1 * a1_1 + W2_1_2 * a1_2
        e2_1 = exp(-z2_1 if z2_1 > 0.0 else z2_1)
        a2_1 = (e2_1 if z2_1 < 0.0 else 1.0) / (1.0 + e2_1)
        z2_2 = b2_2 + W2_2_0 * a1_0 + W2_2_1 * a1_1 + W2_2_2 * a1_2
        e2_2 = exp(-z2_2 if z2_2 > 0.0 else z2_2)
        a2_2 = (e2_2 if z2_2 < 0.0 else 1.0) / (1.0 + e2_2)
        z3_0 = b3_0 + W3_0_0 * a2_0 + W3_0_1 * a2_1 + W3_0_2 * a2_2
        e3_0 = exp(-z3_0 if z3_0 > 0.0 else z3_0)
        v1 = (e3_0 if z3_0 < 0.0 else 1.0) / (1.0 + e3_0) - y_0
        z3_1 = b3_1 + W3_1_0 * a2_0 + W3_1_1 * a2_1 + W3_1_2 * a2_2
        e3_1 = exp(-z3_1 if z3_1 > 0.0 else z3_1)
        v2 = (e3_1 if z3_1 < 0.0 else 1.0) / (1.0 + e3_1) - y_1
        total += v1 * v1 + v2 * v2
    return total / rows


def value_and_grad(W1, b1, W2, b2, W3, b3, x, y):
    """The value of digits and its slopes by W1, b1, W2, b2, W3 and b3: the mean over the rows of x and y.

    W1: 3 × 4; b1: 3; W2: 3 × 3; b2: 3; W3: 2 × 3; b3: 2; x: 4 a row; y: 2 a row.
    """
    (W1_0_0, W1_0_1, W1_0_2, W1_0_3), (W1_1_0, W1_1_1, W1_1_2, W1_1_3), (W1_2_0, W1_2_1, W1_2_2, W1_2_3) = W1
    b1_0, b1_1, b1_2 = b1
    (W2_0_0, W2_0_1, W2_0_2), (W2_1_0, W2_1_1, W2_1_2), (W2_2_0, W2_2_1, W2_2_2) = W2
    b2_0, b2_1, b2_2 = b2
    (W3_0_0, W3_0_1, W3_0_2), (W3_1_0, W3_1_1, W3_1_2) = W3
    b3_0, b3_1 = b3
    rows = len(x)
    total = 0.0
    dW1_0_0 = dW1_0_1 = dW1_0_2 = dW1_0_3 = dW1_1_0 = dW1_1_1 = dW1_1_2 = dW1_1_3 = dW1_2_0 = dW1_2_1 = dW1_2_2 = 0.0
    dW1_2_3 = db1_0 = db1_1 = db1_2 = dW2_0_0 = dW2_0_1 = dW2_0_2 = dW2_1_0 = dW2_1_1 = dW2_1_2 = dW2_2_0 = dW2_2_1 = 0.0
    dW2_2_2 = db2_0 = db2_1 = db2_2 = dW3_0_0 = dW3_0_1 = dW3_0_2 = dW3_1_0 = dW3_1_1 = dW3_1_2 = db3_0 = db3_1 = 0.0
    for (x_0, x_1, x_2, x_3), (y_0, y_1) in zip(x, y):
        z1_0 = b1_0 + W1_0_0 * x_0 + W1_0_1 * x_1 + W1_0_2 * x_2 + W1_0_3 * x_3
        e1_0 = exp(-z1_0 if z1_0 > 0.0 else z1_0)
        t1_0 = 1.0 + e1_0
        a1_0 = (e1_0 if z1_0 < 0.0 else 1.0) / t1_0
        z1_1 = b1_1 + W1_1_0 * x_0 + W1_1_1 * x_1 + W1_1_2 * x_2 + W1_1_3 * x_3
        e1_1 = exp(-z1_1 if z1_1 > 0.0 else z1_1)
        t1_1 = 1.0 + e1_1
        a1_1 = (e1_1 if z1_1 < 0.0 else 1.0) / t1_1
        z1_2 = b1_2 + W1_2_0 * x_0 + W1_2_1 * x_1 + W1_2_2 * x_2 + W1_2_3 * x_3
        e1_2 = exp(-z1_2 if z1_2 > 0.0 else z1_2)
        t1_2 = 1.0 + e1_2
        a1_2 = (e1_2 if z1_2 < 0.0 else 1.0) / t1_2
        z2_0 = b2_0 + W2_0_0 * a1_0 + W2_0_1 * a1_1 + W2_0_2 * a1_2
        e2_0 = exp(-z2_0 if z2_0 > 0.0 else z2_0)
        t2_0 = 1.0 + e2_0
        a2_0 = (e2_0 if z2_0 < 0.0 else 1.0) / t2_0
        z2_1 = b2_1 + W2_1_0 * a1_0 + W2_1_1 * a1_1 + W2_1_2 * a1_2
        e2_1 = exp(-z2_1 if z2_1 > 0.0 else z2_1)
        t2_1 = 1.0 + e2_1
        a2_1 = (e2_1 if z2_1 < 0.0 else 1.0) / t2_1
        z2_2 = b2_2 + W2_2_0 * a1_0 + W2_2_1 * a1_1 + W2_2_2 * a1_2
        e2_2 = exp(-z2_2 if z2_2 > 0.0 else z2_2)
        t2_2 = 1.0 + e2_2
        a2_2 = (e2_2 if z2_2 < 0.0 else 1.0) / t2_2
        z3_0 = b3_0 + W3_0_0 * a2_0 + W3_0_1 * a2_1 + W3_0_2 * a2_2
        e3_0 = exp(-z3_0 if z3_0 > 0.0 else z3_0)
        t3_0 = 1.0 + e3_0
        v1 = (e3_0 if z3_0 < 0.0 else 1.0) / t3_0 - y_0
        z3_1 = b3_1 + W3_1_0 * a2_0 + W3_1_1 * a2_1 + W3_1_2 * a2_2
        e3_1 = exp(-z3_1 if z3_1 > 0.0 else z3_1)
        t3_1 = 1.0 + e3_1
        v2 = (e3_1 if z3_1 < 0.0 else 1.0) / t3_1 - y_1
        dz3_0 = e3_0 / (t3_0 * t3_0) * (2.0 * v1)
        dz3_1 = e3_1 / (t3_1 * t3_1) * (2.0 * v2)
        dz2_0 = e2_0 / (t2_0 * t2_0) * (dz3_0 * W3_0_0 + dz3_1 * W3_1_0)
        dz2_1 = e2_1 / (t2_1 * t2_1) * (dz3_0 * W3_0_1 + dz3_1 * W3_1_1)
        dz2_2 = e2_2 / (t2_2 * t2_2) * (dz3_0 * W3_0_2 + dz3_1 * W3_1_2)
        dz1_0 = e1_0 / (t1_0 * t1_0) * (dz2_0 * W2_0_0 + dz2_1 * W2_1_0 + dz2_2 * W2_2_0)
        dz1_1 = e1_1 / (t1_1 * t1_1) * (dz2_0 * W2_0_1 + dz2_1 * W2_1_1 + dz2_2 * W2_2_1)
        dz1_2 = e1_2 / (t1_2 * t1_2) * (dz2_0 * W2_0_2 + dz2_1 * W2_1_2 + dz2_2 * W2_2_2)
        total += v1 * v1 + v2 * v2
        dW1_0_0 += dz1_0 * x_0
        dW1_0_1 += dz1_0 * x_1
        dW1_0_2 += dz1_0 * x_2
        dW1_0_3 += dz1_0 * x_3
        dW1_1_0 += dz1_1 * x_0
        dW1_1_1 += dz1_1 * x_1
        dW1_1_2 += dz1_1 * x_2
        dW1_1_3 += dz1_1 * x_3
        dW1_2_0 += dz1_2 * x_0
        dW1_2_1 += dz1_2 * x_1
        dW1_2_2 += dz1_2 * x_2
        dW1_2_3 += dz1_2 * x_3
        db1_0 += dz1_0
        db1_1 += dz1_1
        db1_2 += dz1_2
        dW2_0_0 += a1_0 * dz2_0
        dW2_0_1 += a1_1 * dz2_0
        dW2_0_2 += a1_2 * dz2_0
        dW2_1_0 += a1_0 * dz2_1
        dW2_1_1 += a1_1 * dz2_1
        dW2_1_2 += a1_2 * dz2_1
        dW2_2_0 += a1_0 * dz2_2
        dW2_2_1 += a1_1 * dz2_2
        dW2_2_2 += a1_2 * dz2_2
        db2_0 += dz2_0
        db2_1 += dz2_1
        db2_2 += dz2_2
        dW3_0_0 += a2_0 * dz3_0
        dW3_0_1 += a2_1 * dz3_0
        dW3_0_2 += a2_2 * dz3_0
        dW3_1_0 += a2_0 * dz3_1
        dW3_1_1 += a2_1 * dz3_1
        dW3_1_2 += a2_2 * dz3_1
        db3_0 += dz3_0
        db3_1 += dz3_1
    dW1 = [[dW1_0_0 / rows, dW1_0_1 / rows, dW1_0_2 / rows, dW1_0_3 / rows],
        [dW1_1_0 / rows, dW1_1_1 / rows, dW1_1_2 / rows, dW1_1_3 / rows],
        [dW1_2_0 / rows, dW1_2_1 / rows, dW1_2_2 / rows, dW1_2_3 / rows]]
    db1 = [db1_0 / rows, db1_1 / rows, db1_2 / rows]
    dW2 = [[dW2_0_0 / rows, dW2_0_1 / rows, dW2_0_2 / rows], [dW2_1_0 / rows, dW2_1_1 / rows, dW2_1_2 / rows],
        [dW2_2_0 / rows, dW2_2_1 / rows, dW2_2_2 / rows]]
    db2 = [db2_0 / rows, db2_1 / rows, db2_2 / rows]
    dW3 = [[dW3_0_0 / rows, dW3_0_1 / rows, dW3_0_2 / rows], [dW3_1_0 / rows, dW3_1_1 / rows, dW3_1_2 / rows]]
    db3 = [db3_0 / rows, db3_1 / rows]
    if not isfinite(sum(map(sum, dW1)) + sum(db1) + sum(map(sum, dW2)) + sum(db2) + sum(map(sum, dW3)) + sum(db3)):
        raise FloatingPointError
    return total / rows, (dW1, db1, dW2, db2, dW3, db3)
