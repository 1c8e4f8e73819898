"""Functions of lists in C: sums and products of matrices by vector instructions, the largest, norms and their slopes.   (floor 3)"""

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

/* numbers where vector instructions read them fastest: as they stand, or in the room that is there for a copy */
static inline const double *placed(long n, const double *x, double *room)
{
    if ((uintptr_t)x % 64 == 0)
        return x;
    for (long k = 0; k < n; k++)
        room[k] = x[k];
    return room;
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
"""
