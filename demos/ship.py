"""A trained network taken along: weights on disk, and the network as a file of C and of JavaScript.

    python -m demos.ship

It trains on two half moons, saves the weights and loads them again, exports the prediction to C and
to JavaScript, runs both where a C compiler and node are at hand, and prints how far they are from
Python's numbers and how large each file is.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from demos import show
from demos.data import moons
from scalargrad import MLP

MAIN = """#include <stdio.h>
#include "moons.c"

int main(void) {
    double x[2], y[1];
    while (scanf("%lf %lf", &x[0], &x[1]) == 2) {
        predict(x, y);
        printf("%.17g\\n", y[0]);
    }
    return 0;
}
"""


def main(argv: Sequence[str] | None = None) -> None:
    args = show.options(__doc__, epochs=100).parse_args(argv)
    X, y = moons(100, random.Random(args.seed))
    model = MLP(2, [8, 8, 1], activation="tanh", output_activation="sigmoid", seed=args.seed)
    loss = "binary_cross_entropy"
    model.fit(X, y, loss=loss, optimizer="adam", lr=0.05, epochs=args.epochs, metrics="accuracy")
    print(f"right for {show.accuracy(model, X, y):.1%} of {len(X)} points")

    args.out.mkdir(parents=True, exist_ok=True)
    weights = args.out / "moons.json"
    model.save(weights)
    same = MLP.load(weights).predict(X) == model.predict(X)
    print(f"weights      {weights}   {weights.stat().st_size:,} bytes, loaded again: same {same}")
    for ending, run in (("c", in_c), ("mjs", in_javascript)):
        path = args.out / f"moons.{ending}"
        model.export(path)
        size = f"{path.stat().st_size:,} bytes, {len(path.read_text().splitlines())} lines"
        outputs = run(path, X)
        if outputs is None:
            print(f"{ending:12} {path}   {size}; nothing is here to run it")
        else:
            off = max(abs(a - b) for a, b in zip(outputs, model.predict(X), strict=True))
            print(f"{ending:12} {path}   {size}; at most {off:.0e} from Python")


def in_c(path: Path, X: Sequence[Sequence[float]]) -> list[float] | None:
    """The predictions of the file in C; None without a compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        return None
    program = path.with_name("moons_main")
    path.with_name("moons_main.c").write_text(MAIN)
    build = [compiler, "-std=c99", "-O2", "moons_main.c", "-o", program.name, "-lm"]
    subprocess.run(build, cwd=path.parent, check=True)
    text = "\n".join(f"{a!r} {b!r}" for a, b in X)
    return [*map(float, output([str(program.resolve())], text).split())]


def in_javascript(path: Path, X: Sequence[Sequence[float]]) -> list[float] | None:
    """The predictions of the module of JavaScript; None without node."""
    node = shutil.which("node")
    if node is None:
        return None
    script = (
        f"import {{ predict }} from {json.dumps(path.resolve().as_uri())};\n"
        f"console.log(JSON.stringify({json.dumps([*map(list, X)])}.map((x) => predict(x)).flat()))"
    )
    found: list[float] = json.loads(output([node, "--input-type=module", "-"], script))
    return found


def output(command: list[str], given: str) -> str:
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
