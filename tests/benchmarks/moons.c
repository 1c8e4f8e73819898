/* Moons, 2-16-16-1 with relu, mean hinge loss of n rows + alpha * sum of squares: steps of gradient descent, in place.
   p holds W1 (16 x 2), b1, W2 (16 x 16), b2, W3 (1 x 16), b3; returns the loss of the last step. */
#include <string.h>

enum { H = 16, B1 = 2 * H, W2 = 3 * H, B2 = W2 + H * H, W3 = B2 + H, B3 = W3 + H, P = B3 + 1 };

double train(double *restrict p, const double *restrict X, const double *restrict y, long n, double lr, double alpha, long steps)
{
    double loss = 0, T[H * H];  /* T is W2 transposed: every inner loop then runs over neighbours */
    for (long step = 0; step < steps; step++) {
        double g[P] = {0};
        loss = 0;
        for (int j = 0; j < H; j++)
            for (int i = 0; i < H; i++)
                T[i * H + j] = p[W2 + j * H + i];
        for (long r = 0; r < n; r++) {
            double a1[H], a2[H], d1[H] = {0}, d2[H], score = p[B3];
            for (int i = 0; i < H; i++) {
                double z = p[2 * i] * X[2 * r] + p[2 * i + 1] * X[2 * r + 1] + p[B1 + i];
                a1[i] = z > 0 ? z : 0;
            }
            memcpy(a2, p + B2, sizeof a2);
            for (int i = 0; i < H; i++)
                for (int j = 0; j < H; j++)
                    a2[j] += T[i * H + j] * a1[i];
            for (int j = 0; j < H; j++) {
                a2[j] = a2[j] > 0 ? a2[j] : 0;
                score += p[W3 + j] * a2[j];
            }
            double margin = 1 - y[r] * score;
            if (!(margin > 0))
                continue;
            loss += margin;
            double d = -y[r];
            g[B3] += d;
            for (int j = 0; j < H; j++) {
                g[W3 + j] += d * a2[j];
                d2[j] = a2[j] > 0 ? d * p[W3 + j] : 0;
                g[B2 + j] += d2[j];
            }
            for (int j = 0; j < H; j++)
                for (int i = 0; i < H; i++) {
                    g[W2 + j * H + i] += d2[j] * a1[i];
                    d1[i] += d2[j] * p[W2 + j * H + i];
                }
            for (int i = 0; i < H; i++) {
                double d1i = a1[i] > 0 ? d1[i] : 0;
                g[2 * i] += d1i * X[2 * r];
                g[2 * i + 1] += d1i * X[2 * r + 1];
                g[B1 + i] += d1i;
            }
        }
        double squares = 0;
        for (int i = 0; i < P; i++) {
            squares += p[i] * p[i];
            p[i] -= lr * (g[i] / n + 2 * alpha * p[i]);
        }
        loss = loss / n + alpha * squares;
    }
    return loss;
}
