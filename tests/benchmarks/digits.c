/* Sigmoids 784-16-16-10, mean over n rows of the squared error: value, returned, and gradient, into g.
   p and g hold W1 (16 x 784), b1, W2 (16 x 16), b2, W3 (10 x 16), b3. */
#include <math.h>
#include <string.h>

enum { IN = 784, H = 16, OUT = 10, P = (IN + 1) * H + (H + 1) * H + (H + 1) * OUT };

/* Eight partial sums, so that the processor need not wait for one addition before the next. */
static double dot(const double *w, const double *x, long n)
{
    double s[8] = {0};
    for (long i = 0; i < n; i += 8)
        for (int k = 0; k < 8; k++)
            s[k] += w[i + k] * x[i + k];
    return s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
}

static void forward(const double *w, const double *x, long nin, long nout, double *a)
{
    for (long j = 0; j < nout; j++)
        a[j] = 1 / (1 + exp(-(dot(w + j * nin, x, nin) + w[nout * nin + j])));
}

/* From d, the slopes by z: those of the weights into g; those by x, where dx is given. */
static void backward(const double *w, const double *x, const double *d, long nin, long nout, double *g, double *dx)
{
    for (long j = 0; j < nout; j++) {
        double dj = d[j];
        g[nout * nin + j] += dj;
        for (long i = 0; i < nin; i++)
            g[j * nin + i] += dj * x[i];
        if (dx)
            for (long i = 0; i < nin; i++)
                dx[i] += dj * w[j * nin + i];
    }
}

double value_and_grad(const double *restrict p, const double *restrict X, const double *restrict y, long n, double *restrict g)
{
    const long second = (IN + 1) * H, third = second + (H + 1) * H;
    double cost = 0;
    memset(g, 0, P * sizeof *g);
    for (long r = 0; r < n; r++) {
        const double *x = X + r * IN;
        double a1[H], a2[H], a3[OUT], d1[H] = {0}, d2[H] = {0}, d3[OUT];
        forward(p, x, IN, H, a1);
        forward(p + second, a1, H, H, a2);
        forward(p + third, a2, H, OUT, a3);
        for (int k = 0; k < OUT; k++) {
            double off = a3[k] - y[r * OUT + k];
            cost += off * off;
            d3[k] = 2 * off / n * a3[k] * (1 - a3[k]);
        }
        backward(p + third, a2, d3, H, OUT, g + third, d2);
        for (int j = 0; j < H; j++)
            d2[j] *= a2[j] * (1 - a2[j]);
        backward(p + second, a1, d2, H, H, g + second, d1);
        for (int j = 0; j < H; j++)
            d1[j] *= a1[j] * (1 - a1[j]);
        backward(p, x, d1, IN, H, g, 0);
    }
    return cost / n;
}
