"""Functions in C that programs carry along: ends of the range, vector instructions, lists, sums of products.   (floor 3)

Each gives what its namesake in `arithmetic` gives. None keeps anything between calls, allocates memory or needs more than C99
and its mathematics library.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Helper(NamedTuple):
    """A function as text, and the other helpers that it calls."""

    text: str
    calls: tuple[str, ...]


_TEXT = r"""
static inline double sum_of(long n, const double *x)
{
    const long whole = n / 8 * 8;
    double s[8] = {0.0};
    for (long k = 0; k < whole; k += 8)
        for (int j = 0; j < 8; j++)
            s[j] += x[k + j];
    for (int j = 0; j < n % 8; j++)
        s[j] += x[whole + j];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* numbers where vector instructions read them fastest: as they stand, or in the room that is there for a copy */
static inline const double *placed(long n, const double *x, double *room)
{
    if ((uintptr_t)x % 64 == 0)
        return x;
    for (long k = 0; k < n; k++)
        room[k] = x[k];
    return room;
}

static inline double share_of(double x, double d)
{
    return d == 0.0 ? 0.0 : x * d;
}

static inline double dot_of(long n, const double *x, long xs, const double *y, long ys)
{
    const long whole = n / 8 * 8;
    double s[8] = {0.0};
    if (xs == 1 && ys == 1)
        for (long k = 0; k < whole; k += 8)
            for (int j = 0; j < 8; j++)
                s[j] += x[k + j] * y[k + j];
    else
        for (long k = 0; k < whole; k += 8)
            for (int j = 0; j < 8; j++)
                s[j] += x[(k + j) * xs] * y[(k + j) * ys];
    for (int j = 0; j < n % 8; j++)
        s[j] += x[(whole + j) * xs] * y[(whole + j) * ys];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* the sum of x d, where an x counts for nothing if its slope d is 0 */
static inline double shares_of(long n, const double *x, long xs, const double *d, long ds)
{
    double t = dot_of(n, x, xs, d, ds);
    if (t - t == 0.0)
        return t;
    t = 0.0;
    for (long k = 0; k < n; k++)
        t += share_of(x[k * xs], d[k * ds]);
    return t;
}

#if defined(__GNUC__)
#ifdef __AVX512F__
#define LANES 8
#ifdef __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLE __builtin_shufflevector
#endif
#endif
#else
#define LANES 4
#endif
typedef double lanes __attribute__((vector_size(LANES * 8), aligned(8), may_alias));
#endif

/* c[i, j] += the sum over k of a[i, k] b[k, j], b in order along j, for 4 rows and twice as many columns as there are lanes; of
   the rows `height` count. With zeros nothing is added, and the result is 0, where a sum is not finite. */
#ifdef LANES
static int add_block(long height, long k, const double *a, long am, long ak, const double *b, long bk, double *c, long cm, int zeros)
{
    const double *a1 = height > 1 ? a + am : a, *a2 = height > 2 ? a1 + am : a1, *a3 = height > 3 ? a2 + am : a2;
    lanes s0 = {0.0}, s1 = {0.0}, s2 = {0.0}, s3 = {0.0}, t0 = {0.0}, t1 = {0.0}, t2 = {0.0}, t3 = {0.0};
    for (long p = 0; p < k; p++) {
        const lanes x = *(const lanes *)(b + p * bk), y = *(const lanes *)(b + p * bk + LANES);
        s0 += x * a[p * ak];
        t0 += y * a[p * ak];
        s1 += x * a1[p * ak];
        t1 += y * a1[p * ak];
        s2 += x * a2[p * ak];
        t2 += y * a2[p * ak];
        s3 += x * a3[p * ak];
        t3 += y * a3[p * ak];
    }
    if (zeros) {
        const lanes all = ((s0 + t0) + (s1 + t1)) + ((s2 + t2) + (s3 + t3));
        double bad = (all[0] + all[2]) + (all[1] + all[3]);
        if (LANES == 8)
            bad += (all[LANES - 4] + all[LANES - 2]) + (all[LANES - 3] + all[LANES - 1]);
        if (bad - bad != 0.0)
            return 0;
    }
    *(lanes *)c += s0;
    *(lanes *)(c + LANES) += t0;
    if (height > 1) {
        *(lanes *)(c + cm) += s1;
        *(lanes *)(c + cm + LANES) += t1;
    }
    if (height > 2) {
        *(lanes *)(c + 2 * cm) += s2;
        *(lanes *)(c + 2 * cm + LANES) += t2;
    }
    if (height > 3) {
        *(lanes *)(c + 3 * cm) += s3;
        *(lanes *)(c + 3 * cm + LANES) += t3;
    }
    return 1;
}
#endif

/* the sum over the lanes of each of 8 */
#ifdef LANES
static inline void over_lanes(const lanes *t, double *s)
{
#ifdef SHUFFLE
    const lanes u0 = SHUFFLE(t[0], t[1], 0, 8, 2, 10, 4, 12, 6, 14) + SHUFFLE(t[0], t[1], 1, 9, 3, 11, 5, 13, 7, 15);
    const lanes u1 = SHUFFLE(t[2], t[3], 0, 8, 2, 10, 4, 12, 6, 14) + SHUFFLE(t[2], t[3], 1, 9, 3, 11, 5, 13, 7, 15);
    const lanes u2 = SHUFFLE(t[4], t[5], 0, 8, 2, 10, 4, 12, 6, 14) + SHUFFLE(t[4], t[5], 1, 9, 3, 11, 5, 13, 7, 15);
    const lanes u3 = SHUFFLE(t[6], t[7], 0, 8, 2, 10, 4, 12, 6, 14) + SHUFFLE(t[6], t[7], 1, 9, 3, 11, 5, 13, 7, 15);
    const lanes v0 = SHUFFLE(u0, u1, 0, 1, 8, 9, 4, 5, 12, 13) + SHUFFLE(u0, u1, 2, 3, 10, 11, 6, 7, 14, 15);
    const lanes v1 = SHUFFLE(u2, u3, 0, 1, 8, 9, 4, 5, 12, 13) + SHUFFLE(u2, u3, 2, 3, 10, 11, 6, 7, 14, 15);
    *(lanes *)s = SHUFFLE(v0, v1, 0, 1, 2, 3, 8, 9, 10, 11) + SHUFFLE(v0, v1, 4, 5, 6, 7, 12, 13, 14, 15);
#else
    for (int i = 0; i < 8; i++) {
        s[i] = (t[i][0] + t[i][2]) + (t[i][1] + t[i][3]);
        if (LANES == 8)
            s[i] += (t[i][LANES - 4] + t[i][LANES - 2]) + (t[i][LANES - 3] + t[i][LANES - 1]);
    }
#endif
}
#endif

/* s[i, j] = the sum over k of a[i, k] b[k, j] for 4 rows and 2 columns, both in order along k */
#ifdef LANES
static void dot_block(long height, long width, long k, const double *a, long am, const double *b, long bn, double *s)
{
    const double *a1 = height > 1 ? a + am : a, *a2 = height > 2 ? a1 + am : a1, *a3 = height > 3 ? a2 + am : a2;
    const double *b1 = width > 1 ? b + bn : b;
    const long whole = k / LANES * LANES, rest = k % LANES;
    lanes t[8] = {{0.0}}, s0 = {0.0}, s1 = {0.0}, s2 = {0.0}, s3 = {0.0}, t0 = {0.0}, t1 = {0.0}, t2 = {0.0}, t3 = {0.0};
    for (long p = 0; p < whole; p += LANES) {
        const lanes x = *(const lanes *)(b + p), y = *(const lanes *)(b1 + p);
        const lanes u0 = *(const lanes *)(a + p), u1 = *(const lanes *)(a1 + p);
        const lanes u2 = *(const lanes *)(a2 + p), u3 = *(const lanes *)(a3 + p);
        s0 += x * u0;
        t0 += y * u0;
        s1 += x * u1;
        t1 += y * u1;
        s2 += x * u2;
        t2 += y * u2;
        s3 += x * u3;
        t3 += y * u3;
    }
    t[0] = s0;
    t[1] = t0;
    t[2] = s1;
    t[3] = t1;
    t[4] = s2;
    t[5] = t2;
    t[6] = s3;
    t[7] = t3;
    over_lanes(t, s);
    for (long q = 0; q < rest; q++) {
        const long p = whole + q;
        s[0] += a[p] * b[p];
        s[1] += a[p] * b1[p];
        s[2] += a1[p] * b[p];
        s[3] += a1[p] * b1[p];
        s[4] += a2[p] * b[p];
        s[5] += a2[p] * b1[p];
        s[6] += a3[p] * b[p];
        s[7] += a3[p] * b1[p];
    }
}
#endif

/* c[i, j] += the sum over k of a[i, k] b[k, j]; a step of c along j is 1. With zeros = 1 a slope of 0 in a hides what it
   meets in b, with zeros = 2 one in b what it meets in a. */
static void add_dots(long m, long n, long k, const double *a, long am, long ak, const double *b, long bk, long bn, double *c, long cm, int zeros)
{
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++) {
            const double *x = a + i * am, *y = b + j * bn;
            c[i * cm + j] += zeros == 0 ? dot_of(k, x, ak, y, bk) : zeros == 1 ? shares_of(k, y, bk, x, ak) : shares_of(k, x, ak, y, bk);
        }
}

/* the same, by blocks where the numbers stand so that there are some */
static void product(long m, long n, long k, const double *a, long am, long ak, const double *b, long bk, long bn, double *c, long cm, int zeros)
{
    long j = 0;
#ifdef LANES
    if (bn == 1)
        for (; j + 2 * LANES <= n; j += 2 * LANES)
            for (long i = 0; i < m; i += 4) {
                const long height = m - i < 4 ? m - i : 4;
                const double *x = a + i * am, *y = b + j;
                double *z = c + i * cm + j;
                if (!add_block(height, k, x, am, ak, y, bk, z, cm, zeros))
                    add_dots(height, 2 * LANES, k, x, am, ak, y, bk, bn, z, cm, zeros);
            }
    if (bn != 1 && ak == 1 && bk == 1) {
        for (long i = 0; i < m; i += 4)
            for (j = 0; j < n; j += 2) {
                const long height = m - i < 4 ? m - i : 4, width = n - j < 2 ? n - j : 2;
                double s[8], bad;
                dot_block(height, width, k, a + i * am, am, b + j * bn, bn, s);
                bad = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
                if (zeros && bad - bad != 0.0)
                    add_dots(height, width, k, a + i * am, am, ak, b + j * bn, bk, bn, c + i * cm + j, cm, zeros);
                else
                    for (long u = 0; u < height; u++)
                        for (long v = 0; v < width; v++)
                            c[(i + u) * cm + j + v] += s[2 * u + v];
            }
        return;
    }
#endif
    if (j < n)
        add_dots(m, n - j, k, a, am, ak, b + j * bn, bk, bn, c + j, cm, zeros);
}

/* exp(r) - 1 for a small r, by Taylor's series in short chains (Estrin's scheme) */
static inline double grown(double r)
{
    const double s = r * r;
    const double low = (1.0 / 2.0 + r * (1.0 / 6.0)) + s * (1.0 / 24.0 + r * (1.0 / 120.0));
    const double middle = (1.0 / 720.0 + r * (1.0 / 5040.0)) + s * (1.0 / 40320.0 + r * (1.0 / 362880.0));
    const double high = (1.0 / 3628800.0 + r * (1.0 / 39916800.0)) + s * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0));
    return r + s * (low + s * s * (middle + s * s * high));
}

/* 2^n of an n that is the last bits of 1.5 2^52 + n, for -1023 < n < 1024 */
static inline double power_of_two(double shifted)
{
    union {
        double number;
        uint64_t bits;
    } u;
    u.number = shifted;
    u.bits = (u.bits + 1023) << 52;
    return u.number;
}

/* exp for loops of vector instructions: x = n log 2 + r, exp x = 2^n exp r; 2^n in two steps, so that what is subnormal is rounded once */
static inline double wide_exp(double x)
{
    const double z = x > 710.0 ? 710.0 : x < -746.0 ? -746.0 : x;
    const double shifted = z * 1.4426950408889634 + 6755399441055744.0;
    const double n = shifted - 6755399441055744.0;
    const double r = (z - n * 0.6931471803691238) - n * 1.9082149292705877e-10;
    const double half = (0.5 * n + 6755399441055744.0) - 6755399441055744.0;
    return (1.0 + grown(r)) * power_of_two(half + 6755399441055744.0) * power_of_two((n - half) + 6755399441055744.0);
}

/* with e = exp(-2 |x|): near 0 (1 - e) / (1 + e), by 1 - e = -2^n (exp(r) - 1 + (1 - 2^-n)); further out 1 - 2 e / (1 + e) */
static inline double wide_tanh(double x)
{
    const double y = fabs(x), z = -2.0 * y < -50.0 ? -50.0 : -2.0 * y;
    const double shifted = z * 1.4426950408889634 + 6755399441055744.0;
    const double n = shifted - 6755399441055744.0;
    const double r = (z - n * 0.6931471803691238) - n * 1.9082149292705877e-10;
    const double power = power_of_two(n + 6755399441055744.0), inverse = power_of_two(6755399441055744.0 - n);
    const double more = grown(r), e = power * (1.0 + more), less = -power * (more + (1.0 - inverse));
    const double ratio = (y < 0.6 ? less : 2.0 * e) / (y < 0.6 ? 2.0 - less : 1.0 + e);
    return copysign(y < 0.6 ? ratio : 1.0 - ratio, x);
}

/* exp(x - y), with what rounding took from x - y given back */
static inline double difference_exp(double x, double y)
{
    const double d = x - y, back = d - x, e = exp(d);
    if (!(-INFINITY < d && d < INFINITY))
        return x == y && x == INFINITY ? 1.0 : e;
    return e < INFINITY ? e + e * ((x - (d - back)) - (y + back)) : e;
}

static inline double wide_difference_exp(double x, double y)
{
    const double d = x - y, back = d - x, e = wide_exp(d), rest = (x - (d - back)) - (y + back);
    const double near = ((-INFINITY < d) & (e < INFINITY)) ? e + e * rest : e;
    return ((x == y) & (x == INFINITY)) ? 1.0 : near;
}

static inline int is_finite(double x)
{
    return x - x == 0.0;
}

static inline double larger(double x, double y)
{
    return x > y ? x : y;
}

/* x / hypot(x, y) */
static double over_hypot(double x, double y)
{
    int e, ex;
    double m;
    if (x != x || y != y || (fabs(x) == INFINITY && fabs(y) == INFINITY))
        return NAN;
    if (x == 0.0 || fabs(y) == INFINITY)
        return copysign(0.0, x);
    if (fabs(x) == INFINITY)
        return copysign(1.0, x);
    frexp(larger(fabs(x), fabs(y)), &e);
    m = frexp(x, &ex);
    return ldexp(m / hypot(ldexp(x, -e), ldexp(y, -e)), ex - e);
}

/* x / (x^2 + y^2) */
static double over_squares(double x, double y)
{
    int e, ex;
    double m, h;
    if (x != x || y != y || (x == 0.0 && y == 0.0))
        return NAN;
    if (x == 0.0 || fabs(x) == INFINITY || fabs(y) == INFINITY)
        return copysign(0.0, x);
    frexp(larger(fabs(x), fabs(y)), &e);
    m = frexp(x, &ex);
    h = hypot(ldexp(x, -e), ldexp(y, -e));
    return ldexp(m / h / h, ex - 2 * e);
}

/* x / y^2 */
static double over_square(double x, double y)
{
    int ex, ey;
    double m, my;
    if (x == 0.0 || y == 0.0 || !is_finite(x) || !is_finite(y))
        return x / y / y;
    m = frexp(x, &ex);
    my = frexp(y, &ey);
    return ldexp(m / my / my, ex - 2 * ey);
}

/* y x^(y - 1), also where x^y itself overflows or underflows */
static double power_slope(double x, double y)
{
    const double d = y - 1.0, back = d - y, lost = (y - (d - back)) + (-1.0 - back);
    int e, eroot;
    double m, root;
    if (y == 0.0 || (y < 0.0 && fabs(x) == INFINITY) || (fabs(y) == INFINITY && pow(x, y) == 0.0))
        return 0.0;
    if (x == 0.0 || !is_finite(x) || !is_finite(y) || (x < 0.0 && floor(y) != y))
        return y * pow(x, d);
    root = frexp(pow(fabs(x), 0.5 * d), &eroot);
    m = frexp(x < 0.0 && fmod(y, 2.0) == 0.0 ? -y : y, &e);
    if (!is_finite(root))
        return copysign(INFINITY, m);
    return ldexp(m * root * root * (1.0 + lost * log(fabs(x))), e + 2 * eroot);
}

/* x^y log x, also where x^y itself overflows or underflows */
static double power_log(double x, double y)
{
    int e;
    double root, out;
    if (x == 0.0 && y >= 0.0)
        return 0.0;
    if (!(0.0 < x && x < INFINITY) || !is_finite(y)) {
        out = pow(x, y);
        return out != 0.0 || !(x > 0.0) ? out * log(x) : 0.0;
    }
    root = frexp(pow(x, 0.5 * y), &e);
    return is_finite(root) ? ldexp(root * root * log(x), 2 * e) : copysign(INFINITY, log(x));
}

/* the cube root, with a step of Newton's for the last digit */
static double cube_root(double x)
{
    int e, rest;
    double m, c;
    if (x == 0.0 || !is_finite(x))
        return x;
    m = frexp(x, &e);
    rest = (e % 3 + 3) % 3;
    m = ldexp(m, rest);
    c = cbrt(m);
    return ldexp(c - (c * c * c - m) / (3.0 * c * c), (e - rest) / 3);
}

/* factors of the normal density at x, and of the tail by its asymptotic series (good for x < -37) */
static void gelu_factors(double x, double *factor, double *e64, double *series)
{
    const double z = 1.0 / x / x, t = 134217729.0 * x, h = t - (t - x);
    *series = 1.0 - z * (1.0 - z * (3.0 - z * (15.0 - z * (105.0 - z * (945.0 - z * 10395.0)))));
    *e64 = exp(64.0 - 0.5 * h * h);
    *factor = 6.398279740081261e-29 * exp(0.5 * (h - x) * (h + x));
}

static double gelu_tail(double x)
{
    double factor, e64, series;
    if (x < -40.0)
        return -0.0;
    gelu_factors(x, &factor, &e64, &series);
    return -factor * series * e64;
}

static double gelu_tail_slope(double x)
{
    double factor, e64, series;
    if (!(-40.0 < x && x < 0.0))
        return x < 0.0 ? 0.0 : x > 0.0 ? 1.0 : NAN;
    gelu_factors(x, &factor, &e64, &series);
    return factor * (x - series / x) * e64;
}

/* what remains of x when y is taken from it a whole number of times */
static double modulo(double x, double y)
{
    double rest;
    if (y == 0.0 || y != y || !is_finite(x))
        return NAN;
    rest = fmod(x, y);
    return rest == 0.0 ? copysign(0.0, y) : (rest < 0.0) != (y < 0.0) ? rest + y : rest;
}

/* the whole number below x / y */
static double whole(double x, double y)
{
    double rest, times, below;
    if (y == 0.0 || y != y || !is_finite(x))
        return NAN;
    rest = fmod(x, y);
    times = (x - rest) / y;
    if (rest != 0.0 && (rest < 0.0) != (y < 0.0))
        times -= 1.0;
    if (times == 0.0)
        return copysign(0.0, x / y);
    below = floor(times);
    return times - below > 0.5 ? below + 1.0 : below;
}

static double sin_pi(double x)
{
    double r = modulo(fabs(x), 2.0);
    r = r > 1.5 ? r - 2.0 : r > 0.5 ? 1.0 - r : r;
    return sin(3.141592653589793 * (x > 0.0 ? r : -r));
}

static double cos_pi(double x)
{
    double r = modulo(fabs(x), 2.0);
    r = r > 1.0 ? 2.0 - r : r;
    if (0.25 < r && r < 0.75)
        return sin(3.141592653589793 * (0.5 - r));
    return r < 0.5 ? cos(3.141592653589793 * r) : -cos(3.141592653589793 * (1.0 - r));
}

/* the n-th slope of sin(pi x) / (pi x), by its series near 0 and by the slopes before it further out */
static double sinc_slope(double x, double n)
{
    const double pi = 3.141592653589793;
    double s, c, f, t, power = 1.0;
    if (x != x || !(0.0 <= n && n <= 100.0) || floor(n) != n)
        return NAN;
    if (!is_finite(x))
        return 0.0;
    if (-0.5 * n <= x && x <= 0.5 * n) {
        const double odd = fmod(n, 2.0);
        f = 1.0;
        t = pi * x;
        for (double m = odd + 2.0 * (12.0 + 3.0 * n); m >= odd; m -= 2.0)
            f = 1.0 - t * t * (m + n + 1.0) / ((m + 1.0) * (m + 2.0) * (m + n + 3.0)) * f;
        f = pow(pi, n + odd) / (n + odd + 1.0) * f;
        f = odd == 1.0 ? f * x : f;
        return fmod(n + odd, 4.0) == 2.0 ? -f : f;
    }
    s = sin_pi(x);
    c = cos_pi(x);
    f = -1e300 < x && x < 1e300 ? s / (pi * x) : s / pi / x;
    for (double k = 1.0; k <= n; k += 1.0) {
        t = s;
        s = c;
        c = -t;
        f = (power * s - k * f) / x;
        power *= pi;
    }
    return f;
}

static double largest_of(long n, const double *x)
{
    double top = -INFINITY;
    for (long k = 0; k < n; k++) {
        if (x[k] != x[k])
            return x[k];
        if (x[k] > top)
            top = x[k];
    }
    return top;
}

static double smallest_of(long n, const double *x)
{
    double bottom = INFINITY;
    for (long k = 0; k < n; k++) {
        if (x[k] != x[k])
            return x[k];
        if (x[k] < bottom)
            bottom = x[k];
    }
    return bottom;
}

/* 1/k for each of the k numbers that are equal to out, 0 for the others */
static void tie_shares(long n, const double *x, double out, double *slopes)
{
    double ties = 0.0;
    for (long k = 0; k < n; k++)
        ties += x[k] == out ? 1.0 : 0.0;
    for (long k = 0; k < n; k++)
        slopes[k] = ties == 0.0 ? NAN : x[k] == out ? 1.0 / ties : 0.0;
}

static double product_of(long n, const double *x)
{
    double s = 1.0;
    for (long k = 0; k < n; k++)
        s *= x[k];
    return s;
}

/* for each number what all the others are, multiplied */
static void products_of_others(long n, const double *x, double out, double *slopes)
{
    double before = 1.0, after = 1.0;
    (void)out;
    for (long k = 0; k < n; k++) {
        slopes[k] = before;
        before *= x[k];
    }
    for (long k = n - 1; k >= 0; k--) {
        slopes[k] *= after;
        after *= x[k];
    }
}

/* log of the sum of exp x, as m + log1p(the sum of the others) */
static double log_sum_exp(long n, const double *x)
{
    const double m = largest_of(n, x);
    double s = 0.0;
    int is_first = 1;
    if (!is_finite(m))
        return m;
    for (long k = 0; k < n; k++) {
        if (is_first && x[k] == m)
            is_first = 0;
        else
            s += difference_exp(x[k], m);
    }
    return m + log1p(s);
}

static void soft_max(long n, const double *x, double out, double *slopes)
{
    const double m = largest_of(n, x);
    double s = 0.0;
    (void)out;
    for (long k = 0; k < n; k++) {
        slopes[k] = difference_exp(x[k], m);
        s += slopes[k];
    }
    for (long k = 0; k < n; k++)
        slopes[k] /= s;
}

static double longest_of(long n, const double *x)
{
    double longest = 0.0;
    for (long k = 0; k < n; k++)
        longest = fabs(x[k]) > longest ? fabs(x[k]) : longest;
    return longest;
}

/* the root of the sum of squares: inf where any number is, nan or not */
static double length_of(long n, const double *x)
{
    const double longest = longest_of(n, x);
    double s = 0.0;
    int e;
    if (longest == INFINITY)
        return INFINITY;
    frexp(longest, &e);
    for (long k = 0; k < n; k++)
        s += ldexp(x[k], -e) * ldexp(x[k], -e);
    return ldexp(sqrt(s), e);
}

/* each number over the length; at infinity the limit, where there is one */
static void unit_of(long n, const double *x, double out, double *slopes)
{
    double longest, h, m, s = 0.0;
    int e = 0, ex, some_nan = 0;
    long infinite = 0;
    if (1e-290 < out && out < INFINITY) {
        for (long k = 0; k < n; k++)
            slopes[k] = x[k] / out;
        return;
    }
    longest = longest_of(n, x);
    for (long k = 0; k < n; k++) {
        infinite += fabs(x[k]) == INFINITY;
        some_nan |= x[k] != x[k];
    }
    if (longest < INFINITY)
        frexp(longest, &e);
    for (long k = 0; k < n; k++)
        s += ldexp(x[k], -e) * ldexp(x[k], -e);
    h = sqrt(s);
    for (long k = 0; k < n; k++) {
        m = frexp(x[k], &ex);
        if (some_nan || (infinite > 1 && fabs(x[k]) == INFINITY))
            slopes[k] = NAN;
        else if (longest == 0.0 || (infinite > 0 && fabs(x[k]) < INFINITY))
            slopes[k] = 0.0;
        else
            slopes[k] = infinite ? copysign(1.0, x[k]) : ldexp(m / h, ex - e);
    }
}
"""

_NAME = re.compile(r"^(?:static [^(;=]*?(\w+)\(|typedef double (\w+))", re.MULTILINE)


def _read(text: str) -> dict[str, Helper]:
    """The helpers of a text by name: they stand apart by empty lines."""
    pieces = re.split(r"\n\n+", text.strip())
    found = [_NAME.search(piece) for piece in pieces]
    names = [match[1] or match[2] for match in found if match]
    known = set(names)
    return {
        name: Helper(piece, _called(piece, known - {name})) for name, piece in zip(names, pieces)
    }


def _called(piece: str, known: set[str]) -> tuple[str, ...]:
    """The helpers that a piece calls, and the type of lanes where it has some."""
    words = set(re.findall(r"(\w+)\(", piece))
    if "LANES" in piece:
        words.add("lanes")
    return tuple(sorted(words & known))


HELPERS = _read(_TEXT)
CALLS = {  # functions that operations call by name
    name: name
    for name in (
        "over_hypot", "over_squares", "over_square", "power_slope", "power_log", "cube_root", "gelu_tail", "gelu_tail_slope",
        "difference_exp",
        "modulo",
        "whole",
        "sinc_slope",
    )
}  # fmt: skip
OF_LISTS = {  # the value of a list, and its slopes
    "norm": "length_of", "logsumexp": "log_sum_exp", "max": "largest_of", "min": "smallest_of", "prod": "product_of",
    "_peak": "largest_of", "norm_slopes": "unit_of", "logsumexp_slopes": "soft_max", "max_slopes": "tie_shares",
    "min_slopes": "tie_shares", "prod_slopes": "products_of_others",
}  # fmt: skip
