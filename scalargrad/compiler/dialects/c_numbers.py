"""Functions of numbers in C, most of them for vector instructions.   (floor 3)"""

TEXT = r"""
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
"""
