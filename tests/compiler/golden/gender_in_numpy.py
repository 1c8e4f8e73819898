# ruff: noqa
# fmt: off
"""Gender by height and weight, generated for the backend numpy."""

def value(w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y):
    """The value of gender.

    w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y: numbers.
    """
    v1 = beside(x1, x2)
    v2 = beside(w1, w2)
    z1 = v1 @ v2.reshape(1, 2).T + b1
    v3 = beside(w3, w4)
    z3 = v1 @ v3.reshape(1, 2).T + b2
    e = exp(-z1)
    a1 = 1.0 / (1.0 + e)
    e_2 = exp(-z3)
    a3 = 1.0 / (1.0 + e_2)
    v4 = beside(a1, a3)
    v5 = beside(w5, w6)
    z5 = v4 @ v5.reshape(1, 2).T + b3
    v6 = -z5
    v7 = exp(v6)
    v8 = 1.0 + v7
    v9 = 1.0 / v8
    v10 = y - v9
    v11 = v10 * v10
    return v11[0]


def value_and_grad(w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y):
    """The value of gender and its slopes by w1, w2, b1, w3, w4, b2, w5, w6 and b3.

    w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y: numbers.
    """
    v1 = beside(x1, x2)
    v2 = beside(w1, w2)
    z1 = v1 @ v2.reshape(1, 2).T + b1
    v3 = beside(w3, w4)
    z3 = v1 @ v3.reshape(1, 2).T + b2
    e = exp(-z1)
    a1 = 1.0 / (1.0 + e)
    e_2 = exp(-z3)
    a3 = 1.0 / (1.0 + e_2)
    v4 = beside(a1, a3)
    v5 = beside(w5, w6)
    z5 = v4 @ v5.reshape(1, 2).T + b3
    v6 = -z5
    v7 = exp(v6)
    v8 = 1.0 + v7
    v9 = 1.0 / v8
    v10 = y - v9
    v11 = v10 * v10
    dv10 = 2.0 * v10
    dv9 = -dv10
    dv8 = mended(unless(v9 * v9 > 1e-290), -v9 / v8, lambda y: -over_square(1.0, y), v8) * dv9
    dv6 = v7 * dv8
    dz5 = -dv6
    v12 = v5.reshape(1, 2)
    v13 = dz5 @ v12
    v14 = v4[..., None, :] * dz5[..., :, None]
    da3 = v13[..., 1:2]
    da1 = v13[..., 0:1]
    dz3 = e_2 * a3 * a3 * da3
    v15 = v1[..., None, :] * dz3[..., :, None]
    dz1 = e * a1 * a1 * da1
    v16 = v1[..., None, :] * dz1[..., :, None]
    dw1 = v16.reshape(2)[..., 0:1][0]
    dw2 = v16.reshape(2)[..., 1:2][0]
    db1 = dz1[0]
    dw3 = v15.reshape(2)[..., 0:1][0]
    dw4 = v15.reshape(2)[..., 1:2][0]
    db2 = dz3[0]
    dw5 = v14.reshape(2)[..., 0:1][0]
    dw6 = v14.reshape(2)[..., 1:2][0]
    db3 = dz5[0]
    return v11[0], (dw1, dw2, db1, dw3, dw4, db2, dw5, dw6, db3)
