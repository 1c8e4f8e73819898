# ruff: noqa
# fmt: off
"""Cross-entropy without biases, generated for the backend python."""

def value(W1, W2, x, y):
    """The value of cross_entropy: the mean over the rows of x and y.

    W1: 4 × 2; W2: 1 × 4; x: 2 a row; y: a number a row.
    """
    (W1_0_0, W1_0_1), (W1_1_0, W1_1_1), (W1_2_0, W1_2_1), (W1_3_0, W1_3_1) = W1
    ((W2_0_0, W2_0_1, W2_0_2, W2_0_3),) = W2
    rows = len(x)
    total = 0.0
    for (x_0, x_1), y_i in zip(x, y):
        z1_0 = 0.0 + W1_0_0 * x_0 + W1_0_1 * x_1
        e1_0 = exp(-z1_0 if z1_0 > 0.0 else z1_0)
        z1_1 = 0.0 + W1_1_0 * x_0 + W1_1_1 * x_1
        e1_1 = exp(-z1_1 if z1_1 > 0.0 else z1_1)
        z1_2 = 0.0 + W1_2_0 * x_0 + W1_2_1 * x_1
        e1_2 = exp(-z1_2 if z1_2 > 0.0 else z1_2)
        z1_3 = 0.0 + W1_3_0 * x_0 + W1_3_1 * x_1
        e1_3 = exp(-z1_3 if z1_3 > 0.0 else z1_3)
        z2 = (0.0 + W2_0_0 * ((e1_0 if z1_0 < 0.0 else 1.0) / (1.0 + e1_0))
            + W2_0_1 * ((e1_1 if z1_1 < 0.0 else 1.0) / (1.0 + e1_1)) + W2_0_2 * ((e1_2 if z1_2 < 0.0 else 1.0) / (1.0 + e1_2))
            + W2_0_3 * ((e1_3 if z1_3 < 0.0 else 1.0) / (1.0 + e1_3)))
        e2 = exp(-z2 if z2 > 0.0 else z2)
        a2 = (e2 if z2 < 0.0 else 1.0) / (1.0 + e2)
        v1 = 0.0 - log1p(-a2)
        v2 = 0.0 - log(a2)
        v3 = v1 if y_i <= 0.0 else v2 if y_i >= 1.0 else y_i * v2 + (1.0 - y_i) * v1
        total += v3
    return total / rows


def value_and_grad(W1, W2, x, y):
    """The value of cross_entropy and its slopes by W1 and W2: the mean over the rows of x and y.

    W1: 4 × 2; W2: 1 × 4; x: 2 a row; y: a number a row.
    """
    (W1_0_0, W1_0_1), (W1_1_0, W1_1_1), (W1_2_0, W1_2_1), (W1_3_0, W1_3_1) = W1
    ((W2_0_0, W2_0_1, W2_0_2, W2_0_3),) = W2
    rows = len(x)
    total = 0.0
    dW1_0_0 = dW1_0_1 = dW1_1_0 = dW1_1_1 = dW1_2_0 = dW1_2_1 = dW1_3_0 = dW1_3_1 = dW2_0_0 = dW2_0_1 = dW2_0_2 = 0.0
    dW2_0_3 = 0.0
    for (x_0, x_1), y_i in zip(x, y):
        v1 = y_i <= 0.0
        z1_0 = 0.0 + W1_0_0 * x_0 + W1_0_1 * x_1
        e1_0 = exp(-z1_0 if z1_0 > 0.0 else z1_0)
        t1_0 = 1.0 + e1_0
        a1_0 = (e1_0 if z1_0 < 0.0 else 1.0) / t1_0
        z1_1 = 0.0 + W1_1_0 * x_0 + W1_1_1 * x_1
        e1_1 = exp(-z1_1 if z1_1 > 0.0 else z1_1)
        t1_1 = 1.0 + e1_1
        a1_1 = (e1_1 if z1_1 < 0.0 else 1.0) / t1_1
        z1_2 = 0.0 + W1_2_0 * x_0 + W1_2_1 * x_1
        e1_2 = exp(-z1_2 if z1_2 > 0.0 else z1_2)
        t1_2 = 1.0 + e1_2
        a1_2 = (e1_2 if z1_2 < 0.0 else 1.0) / t1_2
        z1_3 = 0.0 + W1_3_0 * x_0 + W1_3_1 * x_1
        e1_3 = exp(-z1_3 if z1_3 > 0.0 else z1_3)
        t1_3 = 1.0 + e1_3
        a1_3 = (e1_3 if z1_3 < 0.0 else 1.0) / t1_3
        z2 = 0.0 + W2_0_0 * a1_0 + W2_0_1 * a1_1 + W2_0_2 * a1_2 + W2_0_3 * a1_3
        e2 = exp(-z2 if z2 > 0.0 else z2)
        t2 = 1.0 + e2
        a2 = (e2 if z2 < 0.0 else 1.0) / t2
        v2 = -a2
        v3 = 0.0 - log1p(v2)
        v4 = y_i >= 1.0
        v5 = 0.0 - log(a2)
        v6 = 1.0 - y_i
        d = 0.0 if v1 else 1.0
        d_2 = 0.0 if v4 else d
        v7 = 1.0 / (1.0 + v2) if v2 > -1.0 else inf if v2 == -1.0 else nan
        v8 = (1.0 / a2 if a2 > 0.0 else inf if a2 == 0.0 else nan) * -((d if v4 else 0.0) + d_2 * y_i)
        dz2 = e2 / (t2 * t2) * (v8 - v7 * -((1.0 if v1 else 0.0) + v6 * d_2))
        dz1_0 = e1_0 / (t1_0 * t1_0) * (dz2 * W2_0_0)
        dz1_1 = e1_1 / (t1_1 * t1_1) * (dz2 * W2_0_1)
        dz1_2 = e1_2 / (t1_2 * t1_2) * (dz2 * W2_0_2)
        dz1_3 = e1_3 / (t1_3 * t1_3) * (dz2 * W2_0_3)
        total += v3 if v1 else v5 if v4 else y_i * v5 + v6 * v3
        dW1_0_0 += dz1_0 * x_0
        dW1_0_1 += dz1_0 * x_1
        dW1_1_0 += dz1_1 * x_0
        dW1_1_1 += dz1_1 * x_1
        dW1_2_0 += dz1_2 * x_0
        dW1_2_1 += dz1_2 * x_1
        dW1_3_0 += dz1_3 * x_0
        dW1_3_1 += dz1_3 * x_1
        dW2_0_0 += a1_0 * dz2
        dW2_0_1 += a1_1 * dz2
        dW2_0_2 += a1_2 * dz2
        dW2_0_3 += a1_3 * dz2
    dW1 = [[dW1_0_0 / rows, dW1_0_1 / rows], [dW1_1_0 / rows, dW1_1_1 / rows], [dW1_2_0 / rows, dW1_2_1 / rows],
        [dW1_3_0 / rows, dW1_3_1 / rows]]
    dW2 = [[dW2_0_0 / rows, dW2_0_1 / rows, dW2_0_2 / rows, dW2_0_3 / rows]]
    if not isfinite(sum(map(sum, dW1)) + sum(map(sum, dW2))):
        raise FloatingPointError
    return total / rows, (dW1, dW2)
