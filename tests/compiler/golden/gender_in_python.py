# ruff: noqa
# fmt: off
"""Gender by height and weight, generated for the backend python."""

def value(w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y):
    """The value of gender.

    w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y: numbers.
    """
    v1 = w1 * x1 + w2 * x2 + b1
    e = exp(-v1 if v1 > 0.0 else v1)
    v2 = w3 * x1 + w4 * x2 + b2
    e_2 = exp(-v2 if v2 > 0.0 else v2)
    v3 = w5 * ((e if v1 < 0.0 else 1.0) / (1.0 + e)) + w6 * ((e_2 if v2 < 0.0 else 1.0) / (1.0 + e_2))
    return pow(y - 1.0 / (1.0 + exp(-(v3 + b3))), 2.0)


def value_and_grad(w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y):
    """The value of gender and its slopes by w1, w2, b1, w3, w4, b2, w5, w6 and b3.

    w1, w2, b1, w3, w4, b2, w5, w6, b3, x1, x2, y: numbers.
    """
    v1 = w1 * x1 + w2 * x2 + b1
    e = exp(-v1 if v1 > 0.0 else v1)
    t = 1.0 + e
    v2 = (e if v1 < 0.0 else 1.0) / t
    v3 = w3 * x1 + w4 * x2 + b2
    e_2 = exp(-v3 if v3 > 0.0 else v3)
    t_2 = 1.0 + e_2
    v4 = (e_2 if v3 < 0.0 else 1.0) / t_2
    v5 = exp(-(w5 * v2 + w6 * v4 + b3))
    v6 = 1.0 + v5
    v7 = 1.0 / v6
    v8 = y - v7
    dv6 = (-v7 / v6 if v7 * v7 > 1e-290 else -over_square(1.0, v6)) * -(2.0 * v8)
    d = -(v5 * dv6)
    dv1 = e / (t * t) * (d * w5)
    dv3 = e_2 / (t_2 * t_2) * (d * w6)
    dw1 = dv1 * x1
    dw2 = dv1 * x2
    dw3 = dv3 * x1
    dw4 = dv3 * x2
    dw5 = v2 * d
    dw6 = v4 * d
    if not isfinite(dw1 + dw2 + dv1 + dw3 + dw4 + dv3 + dw5 + dw6 + d):
        raise FloatingPointError
    return pow(v8, 2.0), (dw1, dw2, dv1, dw3, dw4, dv3, dw5, dw6, d)
