/* The residual of bundle adjustment, w (f (1 + k1 s + k2 s^2) p + x0 - measured) with p the projection of R(r)(X - C)
   and s = |p|^2, and its 2 x 15 derivatives, for each of n rows of 17 numbers: r, C, f, x0, k1, k2, X, w, measured. */
#include <math.h>

void residuals(const double *restrict rows, long n, double *restrict out, double *restrict J)
{
    for (long row = 0; row < n; row++, rows += 17, out += 2, J += 30) {
        const double *r = rows, f = rows[6], k1 = rows[9], k2 = rows[10], w = rows[14];
        double q = r[0] * r[0] + r[1] * r[1] + r[2] * r[2], angle = sqrt(q), c = cos(angle), s = sin(angle) / angle, v = (1 - c) / q;
        double X[3] = {rows[11] - rows[3], rows[12] - rows[4], rows[13] - rows[5]};
        double R[3][3] = {{c + v * r[0] * r[0], v * r[0] * r[1] - s * r[2], v * r[0] * r[2] + s * r[1]},
                          {v * r[0] * r[1] + s * r[2], c + v * r[1] * r[1], v * r[1] * r[2] - s * r[0]},
                          {v * r[0] * r[2] - s * r[1], v * r[1] * r[2] + s * r[0], c + v * r[2] * r[2]}};
        /* R X = c X + s (r x X) + v (r . X) r; its slope by r_k needs c', s' and v' by q, times 2 r_k */
        double cross[3] = {r[1] * X[2] - r[2] * X[1], r[2] * X[0] - r[0] * X[2], r[0] * X[1] - r[1] * X[0]};
        double along = r[0] * X[0] + r[1] * X[1] + r[2] * X[2], Y[3], byr[3][3];
        double dc = -s / 2, ds = (c - s) / (2 * q), dv = (s / 2 - v) / q;
        for (int i = 0; i < 3; i++)
            Y[i] = c * X[i] + s * cross[i] + v * along * r[i];
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 3; k++)
                byr[i][k] = 2 * r[k] * (dc * X[i] + ds * cross[i] + dv * along * r[i]) + v * X[k] * r[i] + (i == k ? v * along : 0);
        byr[0][1] += s * X[2], byr[0][2] -= s * X[1], byr[1][0] -= s * X[2];
        byr[1][2] += s * X[0], byr[2][0] += s * X[1], byr[2][1] -= s * X[0];

        double p[2] = {Y[0] / Y[2], Y[1] / Y[2]}, t = p[0] * p[0] + p[1] * p[1], L = 1 + k1 * t + k2 * t * t, dL = k1 + 2 * k2 * t;
        for (int i = 0; i < 2; i++) {
            double *j = J + 15 * i, a[3], off = f * L * p[i] + rows[7 + i] - rows[15 + i];
            a[0] = w * f * ((i == 0) * L + 2 * dL * p[0] * p[i]) / Y[2]; /* by Y */
            a[1] = w * f * ((i == 1) * L + 2 * dL * p[1] * p[i]) / Y[2];
            a[2] = -(a[0] * p[0] + a[1] * p[1]);
            for (int k = 0; k < 3; k++) {
                j[k] = a[0] * byr[0][k] + a[1] * byr[1][k] + a[2] * byr[2][k];
                j[11 + k] = a[0] * R[0][k] + a[1] * R[1][k] + a[2] * R[2][k];
                j[3 + k] = -j[11 + k];
            }
            j[6] = w * L * p[i];
            j[7] = i == 0 ? w : 0;
            j[8] = i == 1 ? w : 0;
            j[9] = w * f * t * p[i];
            j[10] = w * f * t * t * p[i];
            j[14] = off;
            out[i] = w * off;
        }
    }
}
