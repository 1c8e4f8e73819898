"""Functions of numbers in C: those of vector instructions, and those of the ends of the range.   (floor 3)"""

TEXT = r"""
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
    return sin(3.141592653589793 * r) * copysign(1.0, x);
}

static double cos_pi(double x)
{
    double r = modulo(fabs(x), 2.0);
    r = r > 1.0 ? 2.0 - r : r;
    if (0.25 < r && r < 0.75)
        return sin(3.141592653589793 * (0.5 - r));
    return r < 0.5 ? cos(3.141592653589793 * r) : -cos(3.141592653589793 * (1.0 - r));
}

/* the n-th slope of sin(pi x) / (pi x): from higher ones near 0, from lower ones further out */
static double sinc_slope(double x, double n)
{
    const double pi = 3.141592653589793;
    double s, c, f, t, power = 1.0;
    if (x != x || !(0.0 <= n && n <= 100.0) || floor(n) != n)
        return NAN;
    if (!is_finite(x))
        return 0.0;
    s = sin_pi(x);
    c = cos_pi(x);
    if (-0.4 * n <= x && x <= 0.4 * n) {
        if (x == 0.0 && fmod(n, 2.0) == 1.0)
            return fmod(n, 4.0) == 1.0 ? -x : x;
        for (double k = 0.0; k < fmod(n, 4.0); k += 1.0) {
            t = s;
            s = c;
            c = -t;
        }
        f = 0.0;
        for (double k = n + 4.0 * (8.0 + n); k > n; k -= 1.0) {
            f = (s - pi * x * f) / k;
            t = s;
            s = -c;
            c = t;
        }
        return f * pow(pi, n);
    }
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
"""
