/* Functions in C that programs carry along.

   Each gives what its namesake in `arithmetic` gives. None keeps anything between calls, allocates
   memory or needs more than C99 and its mathematics library. Empty lines part them. */

/* exp(r) - 1 for a small r, by Taylor's series in short chains (Estrin's scheme) */
static inline double grown(double r)
{
    const double s = r * r;
    const double low = (1.0 / 2.0 + r * (1.0 / 6.0)) + s * (1.0 / 24.0 + r * (1.0 / 120.0));
    const double middle = (1.0 / 720.0 + r * (1.0 / 5040.0))
        + s * (1.0 / 40320.0 + r * (1.0 / 362880.0));
    const double high = (1.0 / 3628800.0 + r * (1.0 / 39916800.0))
        + s * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0));
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

/* exp for loops of vector instructions: x = n log 2 + r, exp x = 2^n exp r; 2^n in two steps, so
   that what is subnormal is rounded once */
static inline double wide_exp(double x)
{
    const double z = x > 710.0 ? 710.0 : x < -746.0 ? -746.0 : x;
    const double shifted = z * 1.4426950408889634 + 6755399441055744.0;
    const double n = shifted - 6755399441055744.0;
    const double r = (z - n * 0.6931471803691238) - n * 1.9082149292705877e-10;
    const double half = (0.5 * n + 6755399441055744.0) - 6755399441055744.0;
    return (1.0 + grown(r)) * power_of_two(half + 6755399441055744.0)
        * power_of_two((n - half) + 6755399441055744.0);
}

/* with e = exp(-2 |x|): near 0 (1 - e) / (1 + e), by 1 - e = -2^n (exp(r) - 1 + (1 - 2^-n));
   further out 1 - 2 e / (1 + e) */
static inline double wide_tanh(double x)
{
    const double y = fabs(x), z = -2.0 * y < -50.0 ? -50.0 : -2.0 * y;
    const double shifted = z * 1.4426950408889634 + 6755399441055744.0;
    const double n = shifted - 6755399441055744.0;
    const double r = (z - n * 0.6931471803691238) - n * 1.9082149292705877e-10;
    const double power = power_of_two(n + 6755399441055744.0);
    const double inverse = power_of_two(6755399441055744.0 - n), more = grown(r);
    const double e = power * (1.0 + more), less = -power * (more + (1.0 - inverse));
    const double ratio = (y < 0.6 ? less : 2.0 * e) / (y < 0.6 ? 2.0 - less : 1.0 + e);
    return copysign(y < 0.6 ? ratio : 1.0 - ratio, x);
}

static inline double wide_difference_exp(double x, double y)
{
    const double d = x - y, back = d - x, e = wide_exp(d), rest = (x - (d - back)) - (y + back);
    const double near = ((-INFINITY < d) & (e < INFINITY)) ? e + e * rest : e;
    return ((x == y) & (x == INFINITY)) ? 1.0 : near;
}

static inline double larger(double x, double y)
{
    return x > y ? x : y;
}

/* the largest number of each of some lists, which begin next to one another at x */
static void largest_of_each(long n, long step, long lists, const double *restrict x,
    double *restrict top)
{
    for (long r = 0; r < lists; r++)
        top[r] = -INFINITY;
    for (long k = 0; k < n; k += step)
        for (long r = 0; r < lists; r++) {
            const double y = x[k + r];
            top[r] = ((y > top[r]) | (y != y)) ? y : top[r];
        }
}

static void log_sum_exp_of_each(long n, long step, long lists, const double *restrict x,
    double *restrict out)
{
    double top[64], tops[64] = {0.0}, rest[64] = {0.0};
    largest_of_each(n, step, lists, x, top);
    for (long k = 0; k < n; k += step)
        for (long r = 0; r < lists; r++) {
            const double is_top = x[k + r] == top[r] ? 1.0 : 0.0;
            tops[r] += is_top;
            rest[r] += (1.0 - is_top) * wide_difference_exp(x[k + r], top[r]);
        }
    for (long r = 0; r < lists; r++)
        out[r] = top[r] - top[r] == 0.0 ? top[r] + log1p(rest[r] + (tops[r] - 1.0)) : top[r];
}

static void soft_max_of_each(long n, long step, long lists, const double *restrict x,
    double *restrict slopes)
{
    double top[64], sum[64] = {0.0};
    largest_of_each(n, step, lists, x, top);
    for (long k = 0; k < n; k += step)
        for (long r = 0; r < lists; r++) {
            const double e = wide_difference_exp(x[k + r], top[r]);
            slopes[k + r] = e;
            sum[r] += e;
        }
    for (long k = 0; k < n; k += step)
        for (long r = 0; r < lists; r++)
            slopes[k + r] /= sum[r];
}

/* x is m 2^e with 0.5 <= |m| < 1 */
static int exponent(double x)
{
    int e = 0;
    frexp(x, &e);
    return e;
}

static double mantissa(double x, int e)
{
    return ldexp(x, -e);
}

/* the rows of data from `begin` to `end`; where there is an order, a copy of those that it names */
static const double *rows_of(long width, long begin, long end, const long *restrict order,
                             const double *restrict x, double *restrict copy)
{
    if (!order)
        return x + begin * width;
    for (long r = begin; r < end; r++)
        for (long i = 0; i < width; i++)
            copy[(r - begin) * width + i] = x[order[r] * width + i];
    return copy;
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
    const double factor = most / fmax(most, is_plain ? sqrt(squares) : length_of(n, 1, x));
    for (int k = 0; k < n; k++)
        x[k] *= factor;
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
#define UNROLLED _Pragma("GCC unroll 8")
#ifdef __clang__
#define FUSED
#else
#define FUSED __attribute__((optimize("fp-contract=fast")))
#endif
typedef double lanes __attribute__((vector_size(LANES * 8), aligned(8), may_alias));
#endif

/* c[i, j] += the sum over k of a[i, k] b[k, j], b in order along j, for `height` of 4 rows and
   LANES columns, and those that are `beside` columns further if that is not 0. With zeros nothing
   is added, and the result is 0, where a sum is not finite. */
#ifdef LANES
static FUSED int add_block(long height, long k, const double *a, long am, long ak, const double *b,
    long bk, long beside, double *c, long cm, int zeros)
{
    const double *x[4];
    lanes s[4] = {{0.0}}, t[4] = {{0.0}};
    UNROLLED
    for (int i = 0; i < 4; i++)
        x[i] = i < height ? a + i * am : a;
    for (long p = 0; p < k; p++) {
        const lanes u = *(const lanes *)(b + p * bk), v = *(const lanes *)(b + p * bk + beside);
        UNROLLED
        for (int i = 0; i < 4; i++) {
            s[i] += u * x[i][p * ak];
            t[i] += v * x[i][p * ak];
        }
    }
    if (zeros) {
        const lanes all = ((s[0] + t[0]) + (s[1] + t[1])) + ((s[2] + t[2]) + (s[3] + t[3]));
        double bad = (all[0] + all[2]) + (all[1] + all[3]);
        if (LANES == 8)
            bad += (all[LANES - 4] + all[LANES - 2]) + (all[LANES - 3] + all[LANES - 1]);
        if (bad - bad != 0.0)
            return 0;
    }
    for (int i = 0; i < height; i++) {
        *(lanes *)(c + i * cm) += s[i];
        if (beside)
            *(lanes *)(c + i * cm + beside) += t[i];
    }
    return 1;
}
#endif

/* the sum over the lanes of each of 8 */
#ifdef LANES
static inline void over_lanes(const lanes *t, double *s)
{
#ifdef SHUFFLE
#define PAIRS(a, b) \
    (SHUFFLE(a, b, 0, 8, 2, 10, 4, 12, 6, 14) + SHUFFLE(a, b, 1, 9, 3, 11, 5, 13, 7, 15))
#define FOURS(a, b) \
    (SHUFFLE(a, b, 0, 1, 8, 9, 4, 5, 12, 13) + SHUFFLE(a, b, 2, 3, 10, 11, 6, 7, 14, 15))
    const lanes u = FOURS(PAIRS(t[0], t[1]), PAIRS(t[2], t[3]));
    const lanes v = FOURS(PAIRS(t[4], t[5]), PAIRS(t[6], t[7]));
    *(lanes *)s = SHUFFLE(u, v, 0, 1, 2, 3, 8, 9, 10, 11)
        + SHUFFLE(u, v, 4, 5, 6, 7, 12, 13, 14, 15);
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
static FUSED void dot_block(long height, long width, long k, const double *a, long am,
    const double *b, long bn, double *s)
{
    const double *x[4] = {a, height > 1 ? a + am : a, height > 2 ? a + 2 * am : a,
        height > 3 ? a + 3 * am : a}, *y[2] = {b, width > 1 ? b + bn : b};
    const long whole = k / LANES * LANES;
    lanes t[8] = {{0.0}};
    for (long p = 0; p < whole; p += LANES)
        UNROLLED
        for (int i = 0; i < 8; i++)
            t[i] += *(const lanes *)(x[i / 2] + p) * *(const lanes *)(y[i % 2] + p);
    over_lanes(t, s);
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
    for (long width; bn == 1 && j + LANES <= n; j += width) {
        width = n - j < 2 * LANES ? LANES : 2 * LANES;
        for (long i = 0; i < m; i += 4) {
            const long height = m - i < 4 ? m - i : 4;
            const double *x = a + i * am, *y = b + j;
            double *z = c + i * cm + j;
            if (!add_block(height, k, x, am, ak, y, bk, width - LANES, z, cm, zeros))
                add_dots(height, width, k, x, am, ak, y, bk, bn, z, cm, zeros);
        }
    }
    for (long i = 0; bn != 1 && ak == 1 && bk == 1 && i < m; i += 4)
        for (j = 0; j < n; j += 2) {
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
