/* XOR, 2-3-1 sigmoids, half the squared error summed over four rows: epochs of gradient descent, in place.
   p holds W1 (3 x 2), b1, W2 (1 x 3), b2. */
#include <math.h>

static double sigmoid(double z) { return 1 / (1 + exp(-z)); }

void train(double *p, const double *X, const double *y, double lr, long epochs)
{
    for (long epoch = 0; epoch < epochs; epoch++) {
        double g[13] = {0};
        for (int r = 0; r < 4; r++) {
            const double *x = X + 2 * r;
            double h[3], z = p[12];
            for (int j = 0; j < 3; j++) {
                h[j] = sigmoid(p[2 * j] * x[0] + p[2 * j + 1] * x[1] + p[6 + j]);
                z += p[9 + j] * h[j];
            }
            double out = sigmoid(z), d = (out - y[r]) * out * (1 - out);
            for (int j = 0; j < 3; j++) {
                double dh = d * p[9 + j] * h[j] * (1 - h[j]);
                g[2 * j] += dh * x[0];
                g[2 * j + 1] += dh * x[1];
                g[6 + j] += dh;
                g[9 + j] += d * h[j];
            }
            g[12] += d;
        }
        for (int i = 0; i < 13; i++)
            p[i] -= lr * g[i];
    }
}
