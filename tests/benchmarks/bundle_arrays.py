"""The Jacobian of bundle adjustment in array libraries, and derived by hand in NumPy.

By hand: with q = r·r, c = cos √q, s = sin √q / √q, v = (1 − c) / q the rotation is

    R X = c X + s (r × X) + v (r·X) r,

and its slope by r_k is

    2 r_k (c′ X + s′ (r × X) + v′ (r·X) r) + s (e_k × X) + v (X_k r + (r·X) e_k),

where the primes are slopes by q: c′ = −s/2, s′ = (c − s)/2q, v′ = (s/2 − v)/q.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .c import library, pointer
from .contest import Run

Rows = list[list[float]]
Residual = Callable[..., list[Any]]


def again(f: Callable[[], Any]) -> Run:
    """The run that calls it n times."""

    def run(n: int) -> Any:
        for _ in range(n):
            result = f()
        return result

    return run


def numpy_by_matrices(rows: Rows) -> Run:
    """Stacks of small matrices, multiplied by the chain rule."""
    import numpy as np

    data = np.array(rows)
    r, C, f, x0, k1, k2 = (
        data[:, :3],
        data[:, 3:6],
        data[:, 6],
        data[:, 7:9],
        data[:, 9],
        data[:, 10],
    )
    point, w, measured = data[:, 11:14], data[:, 14], data[:, 15:]

    def crossing(a: Any) -> Any:
        """The matrices that take x to a × x."""
        K = np.zeros((len(a), 3, 3))
        K[:, 0, 1], K[:, 0, 2], K[:, 1, 2] = -a[:, 2], a[:, 1], -a[:, 0]
        return K - K.swapaxes(1, 2)

    def jacobian() -> Any:
        X = point - C
        q = (r * r).sum(axis=1)[:, None, None]
        c, s = np.cos(np.sqrt(q)), np.sin(np.sqrt(q)) / np.sqrt(q)
        v = (1 - c) / q
        eye, rr, K = np.eye(3), r[:, :, None] * r[:, None, :], crossing(r)
        R = c * eye + s * K + v * rr
        Y = (R @ X[:, :, None])[:, :, 0]
        by_q = (-s / 2 * eye + (c - s) / (2 * q) * K + (s / 2 - v) / q * rr) @ X[:, :, None]
        along = (r * X).sum(axis=1)[:, None, None]
        by_r = (
            2 * by_q * r[:, None, :]
            - s * crossing(X)
            + v * (r[:, :, None] * X[:, None, :] + along * eye)
        )
        p = Y[:, :2] / Y[:, 2:]
        t = (p * p).sum(axis=1)
        L, dL = 1 + k1 * t + k2 * t * t, k1 + 2 * k2 * t
        by_Y = np.zeros((len(p), 2, 3))
        by_Y[:, :, :2] = (
            L[:, None, None] * np.eye(2) + 2 * dL[:, None, None] * p[:, :, None] * p[:, None, :]
        ) / Y[:, 2, None, None]
        by_Y[:, :, 2] = -(by_Y[:, :, :2] @ p[:, :, None])[:, :, 0]
        by_Y *= (w * f)[:, None, None]
        off = (f * L)[:, None] * p + x0 - measured
        J = np.empty((len(p), 2, 15))
        J[:, :, 0:3] = by_Y @ by_r
        J[:, :, 11:14] = by_Y @ R
        J[:, :, 3:6] = -J[:, :, 11:14]
        J[:, :, 6] = (w * L)[:, None] * p
        J[:, :, 7:9] = w[:, None, None] * np.eye(2)
        J[:, :, 9] = (w * f * t)[:, None] * p
        J[:, :, 10] = (w * f * t * t)[:, None] * p
        J[:, :, 14] = off
        return (w[:, None] * off).T, J.swapaxes(0, 1)

    return again(jacobian)


def one_row(numbers: Any, out: Any, J: Any, cos: Any, sin: Any, sqrt: Any) -> None:
    """Put the two numbers of a row into `out` and their slopes into `J` (2 × 15).

    For many rows at once a number is a column: the last axis counts the rows.
    """
    r1, r2, r3, f, w = numbers[0], numbers[1], numbers[2], numbers[6], numbers[14]
    x, y, z = numbers[11] - numbers[3], numbers[12] - numbers[4], numbers[13] - numbers[5]
    q = r1 * r1 + r2 * r2 + r3 * r3
    angle = sqrt(q)
    c, s = cos(angle), sin(angle) / angle
    v = (1.0 - c) / q
    k1, k2, k3 = r2 * z - r3 * y, r3 * x - r1 * z, r1 * y - r2 * x
    along = r1 * x + r2 * y + r3 * z
    v_along = v * along
    X, Y, Z = (
        c * x + s * k1 + v_along * r1,
        c * y + s * k2 + v_along * r2,
        c * z + s * k3 + v_along * r3,
    )
    dc, ds, dv = -s, (c - s) / q, (s - 2.0 * v) / q * along  # twice the slopes by q
    g1, g2, g3 = dc * x + ds * k1 + dv * r1, dc * y + ds * k2 + dv * r2, dc * z + ds * k3 + dv * r3
    vr1, vr2, vr3, sr1, sr2, sr3 = v * r1, v * r2, v * r3, s * r1, s * r2, s * r3
    sx, sy, sz = s * x, s * y, s * z
    p1, p2 = X / Z, Y / Z
    t = p1 * p1 + p2 * p2
    kt = numbers[10] * t
    L, dL = 1.0 + (numbers[9] + kt) * t, 2.0 * (numbers[9] + 2.0 * kt)
    wL, wf = w * L, w * f
    over = wf / Z
    straight, skew = over * L, over * dL
    for i in range(2):
        p = p1 if i == 0 else p2
        a, b = skew * p1 * p, skew * p2 * p
        if i == 0:
            a = a + straight
        else:
            b = b + straight
        d = -(a * p1 + b * p2)
        along_g, along_r = a * g1 + b * g2 + d * g3, a * vr1 + b * vr2 + d * vr3
        J[i, 0] = along_g * r1 + along_r * x + a * v_along + d * sy - b * sz
        J[i, 1] = along_g * r2 + along_r * y + b * v_along + a * sz - d * sx
        J[i, 2] = along_g * r3 + along_r * z + d * v_along + b * sx - a * sy
        J[i, 11] = a * c + along_r * r1 + b * sr3 - d * sr2
        J[i, 12] = b * c + along_r * r2 + d * sr1 - a * sr3
        J[i, 13] = d * c + along_r * r3 + a * sr2 - b * sr1
        for k in range(3):
            J[i, 3 + k] = -J[i, 11 + k]
        wfp = wf * t * p
        off = f * L * p + numbers[7 + i] - numbers[15 + i]
        J[i, 6] = wL * p
        J[i, 7] = w * (1 - i)
        J[i, 8] = w * i
        J[i, 9] = wfp
        J[i, 10] = wfp * t
        J[i, 14] = off
        out[i] = w * off


def numpy_by_columns(rows: Rows) -> Run:
    """Each scalar of the derivation a column of 500 rows, which stay in the cache."""
    import numpy as np

    columns, count, chunk = np.array(rows).T.copy(), len(rows), 500

    def jacobian() -> Any:
        out, J = np.empty((2, count)), np.empty((2, 15, count))
        for i in range(0, count, chunk):
            one_row(
                columns[:, i : i + chunk],
                out[:, i : i + chunk],
                J[:, :, i : i + chunk],
                np.cos,
                np.sin,
                np.sqrt,
            )
        return out, J.swapaxes(1, 2)

    return again(jacobian)


def casadi_c(rows: Rows, residual: Residual) -> Run:
    """The C that CasADi writes for a row, compiled, called in a loop over the rows in C."""
    import ctypes
    import os
    import tempfile

    import casadi as ca
    import numpy as np

    inputs, measured = ca.SX.sym("inputs", 15), ca.SX.sym("measured", 2)
    two = ca.vertcat(
        *residual(ca.vertsplit(inputs), ca.vertsplit(measured), ca.sqrt, ca.sin, ca.cos)
    )
    f = ca.Function("of_op", [inputs, measured], [two, ca.densify(ca.jacobian(two, inputs)).T])
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # CasADi writes where it stands
        try:
            f.generate("row.c")
        finally:
            os.chdir(here)
        text = Path(folder, "row.c").read_text()
    loop = f"""
void rows(const double *data, long n, double *out, double *J) {{
    double work[{max(f.sz_w(), 1)}];
    for (long r = 0; r < n; r++) {{
        const double *arguments[{max(f.sz_arg(), 2)}] = {{data + 17 * r, data + 17 * r + 15}};
        double *results[{max(f.sz_res(), 2)}] = {{out + 2 * r, J + 30 * r}};
        of_op(arguments, results, 0, work, 0);
    }}
}}"""
    compiled, data = library(text + loop).rows, np.array(rows)

    def jacobian() -> Any:
        out, J = np.empty((len(rows), 2)), np.empty((len(rows), 2, 15))
        compiled(pointer(data), ctypes.c_long(len(rows)), pointer(out), pointer(J))
        return out.T, J.swapaxes(0, 1)

    return again(jacobian)


def jax(rows: Rows, residual: Residual) -> Run:
    import jax
    import jax.numpy as np

    jax.config.update("jax_enable_x64", True)
    data = np.array(rows)

    def two(inputs: Any, measured: Any) -> Any:
        return np.stack(residual(inputs, measured, np.sqrt, np.sin, np.cos))

    def of_op(inputs: Any, measured: Any) -> Any:
        return two(inputs, measured), jax.jacrev(two)(inputs, measured)

    f = jax.jit(jax.vmap(of_op, out_axes=1))
    inputs, measured = data[:, :15], data[:, 15:]
    return again(lambda: jax.block_until_ready(f(inputs, measured)))


def pytorch(rows: Rows, residual: Residual) -> Run:
    """Columns, and a backward walk from each number's sum over the rows: no row reads another."""
    import torch

    data = torch.tensor(rows, dtype=torch.float64).T.contiguous()
    measured = data[15:]

    def jacobian() -> Any:
        inputs = data[:15].clone().requires_grad_()
        two = residual(inputs.unbind(), measured.unbind(), torch.sqrt, torch.sin, torch.cos)
        slopes = [torch.autograd.grad(one.sum(), inputs, retain_graph=True)[0] for one in two]
        return torch.stack(two).detach(), torch.stack(slopes).mT

    return again(jacobian)


def hips(rows: Rows, residual: Residual) -> Run:
    """Columns, as with PyTorch."""
    import autograd.numpy as np
    from autograd import make_vjp

    data = np.array(rows).T.copy()
    inputs, measured, ones = data[:15], data[15:], np.ones(len(rows))

    def two(inputs: Any) -> Any:
        return np.array(residual(inputs, measured, np.sqrt, np.sin, np.cos))

    def jacobian() -> Any:
        back, out = make_vjp(two)(inputs)
        none = np.zeros_like(ones)
        return out, np.array([back(np.array([ones, none])), back(np.array([none, ones]))]).swapaxes(
            1, 2
        )

    return again(jacobian)
