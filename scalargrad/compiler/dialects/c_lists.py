"""Sums and products of matrices in C, by vector instructions.   (floor 3)"""

TEXT = r"""
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

/* the rows of data that an order names, one behind the other */
static void take(long width, long n, const long *order, const double *x, double *rows)
{
    for (long r = 0; r < n; r++)
        for (long i = 0; i < width; i++)
            rows[r * width + i] = x[order[r] * width + i];
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

/* makes the length of x `most` where it is more */
static void shorten(int n, double *x, double most)
{
    double squares = 0.0;
    for (int k = 0; k < n; k++)
        squares += x[k] * x[k];
    const int is_plain = squares > 1e-280 && squares < INFINITY;
    const double factor = most / fmax(most, is_plain ? sqrt(squares) : length_of(n, x));
    for (int k = 0; k < n; k++)
        x[k] *= factor;
}

#if defined(__GNUC__)
#ifdef __AVX512F__
#define LANES 8
#else
#define LANES 4
#endif
#define UNROLLED _Pragma("GCC unroll 8")
typedef double lanes __attribute__((vector_size(LANES * 8), aligned(8), may_alias));
#endif

#ifdef LANES
static inline double over_lanes(lanes t)
{
    const double s = (t[0] + t[2]) + (t[1] + t[3]);
    if (LANES == 4)
        return s;
    return s + ((t[LANES - 4] + t[LANES - 2]) + (t[LANES - 3] + t[LANES - 1]));
}
#endif

/* c[i, j] += the sum over k of a[i, k] b[k, j], b in order along j, for `height` of 4 rows and
   2 LANES columns. With zeros nothing is added, and the result is 0, where a sum is not finite. */
#ifdef LANES
static int add_block(long height, long k, const double *a, long am, long ak, const double *b,
    long bk, double *c, long cm, int zeros)
{
    const double *x[4];
    lanes s[4] = {{0.0}}, t[4] = {{0.0}};
    UNROLLED
    for (int i = 0; i < 4; i++)
        x[i] = i < height ? a + i * am : a;
    for (long p = 0; p < k; p++) {
        const lanes u = *(const lanes *)(b + p * bk), v = *(const lanes *)(b + p * bk + LANES);
        UNROLLED
        for (int i = 0; i < 4; i++) {
            s[i] += u * x[i][p * ak];
            t[i] += v * x[i][p * ak];
        }
    }
    if (zeros) {
        const double bad = over_lanes(((s[0] + t[0]) + (s[1] + t[1]))
            + ((s[2] + t[2]) + (s[3] + t[3])));
        if (bad - bad != 0.0)
            return 0;
    }
    for (int i = 0; i < height; i++) {
        *(lanes *)(c + i * cm) += s[i];
        *(lanes *)(c + i * cm + LANES) += t[i];
    }
    return 1;
}
#endif

/* s[i, j] = the sum over k of a[i, k] b[k, j] for 4 rows and 2 columns, both in order along k */
#ifdef LANES
static void dot_block(long height, long width, long k, const double *a, long am, const double *b,
    long bn, double *s)
{
    const double *x[4] = {a, height > 1 ? a + am : a, height > 2 ? a + 2 * am : a,
        height > 3 ? a + 3 * am : a}, *y[2] = {b, width > 1 ? b + bn : b};
    const long whole = k / LANES * LANES;
    lanes t[8] = {{0.0}};
    for (long p = 0; p < whole; p += LANES)
        UNROLLED
        for (int i = 0; i < 8; i++)
            t[i] += *(const lanes *)(x[i / 2] + p) * *(const lanes *)(y[i % 2] + p);
    for (int i = 0; i < 8; i++)
        s[i] = over_lanes(t[i]);
    for (long p = whole; p < k; p++)
        for (int i = 0; i < 8; i++)
            s[i] += x[i / 2][p] * y[i % 2][p];
}
#endif

/* c[i, j] += the sum over k of a[i, k] b[k, j]; a step of c along j is 1. With zeros = 1 a slope
   of 0 in a hides what it meets in b, with zeros = 2 one in b what it meets in a. */
static void add_dots(long m, long n, long k, const double *a, long am, long ak,
    const double *b, long bk, long bn, double *c, long cm, int zeros)
{
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++) {
            const double *x = a + i * am, *y = b + j * bn;
            c[i * cm + j] += zeros == 0 ? dot_of(k, x, ak, y, bk)
                : zeros == 1 ? shares_of(k, y, bk, x, ak) : shares_of(k, x, ak, y, bk);
        }
}

/* the same, by blocks where the numbers stand so that there are some */
static void product(long m, long n, long k, const double *a, long am, long ak,
    const double *b, long bk, long bn, double *c, long cm, int zeros)
{
    long j = 0;
#ifdef LANES
    for (; bn == 1 && j + 2 * LANES <= n; j += 2 * LANES)
        for (long i = 0; i < m; i += 4) {
            const long height = m - i < 4 ? m - i : 4;
            const double *x = a + i * am, *y = b + j;
            double *z = c + i * cm + j;
            if (!add_block(height, k, x, am, ak, y, bk, z, cm, zeros))
                add_dots(height, 2 * LANES, k, x, am, ak, y, bk, bn, z, cm, zeros);
        }
    for (; bn != 1 && ak == 1 && bk == 1 && j < n; j += 2)
        for (long i = 0; i < m; i += 4) {
            const long height = m - i < 4 ? m - i : 4, width = n - j < 2 ? n - j : 2;
            const double *x = a + i * am, *y = b + j * bn;
            double s[8], bad, *z = c + i * cm + j;
            dot_block(height, width, k, x, am, y, bn, s);
            bad = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
            if (zeros && bad - bad != 0.0)
                add_dots(height, width, k, x, am, ak, y, bk, bn, z, cm, zeros);
            else
                for (long u = 0; u < height; u++)
                    for (long v = 0; v < width; v++)
                        z[u * cm + v] += s[2 * u + v];
        }
#endif
    if (j < n)
        add_dots(m, n - j, k, a, am, ak, b + j * bn, bk, bn, c + j, cm, zeros);
}
"""
