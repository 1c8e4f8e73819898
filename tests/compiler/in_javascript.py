"""Random graphs in JavaScript against plain Python, hard numbers among them, a batch for each run of node.

python -m tests.compiler.in_javascript [--count 100000] [--seed 1]
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
from pathlib import Path

import scalargrad as sg

from .. import programs
from .files import in_javascript, numbers
from .in_c import recorded

BATCH = 500  # graphs in a run


def graphs_in_javascript(seeds: range, folder: Path) -> None:
    """Graphs as `tests.random_graphs` draws them."""
    tasks, drawn = [], []
    for seed in seeds:
        program = programs.draw(random.Random(seed))
        leaves = [*program.leaves]
        f = sg.compile(lambda x, p=program: recorded(p, x), backend="python")
        f.save(path := folder / f"f{seed}.mjs", leaves)
        tasks.append((path, "value_and_grad", [leaves]))
        drawn.append((program, f.value_and_grad(leaves)))
    for (program, expected), got in zip(drawn, in_javascript(folder, tasks), strict=True):
        ours, theirs = [*numbers(got)], [*numbers(expected)]
        scale = max([1.0, *(abs(x) for x in theirs if math.isfinite(x))])
        for a, b in zip(ours, theirs, strict=True):
            is_near = math.isfinite(a) and abs(a - b) <= max(1e-9 * abs(b), 1e-12 * scale)
            assert (a != a and b != b) or a == b or is_near, (programs.source(program), a, b)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="how many graphs")
    parser.add_argument("--seed", type=int, default=1, help="of the first")
    given = parser.parse_args()
    end = given.seed + given.count
    for first in range(given.seed, end, BATCH):
        with tempfile.TemporaryDirectory() as folder:
            graphs_in_javascript(range(first, min(first + BATCH, end)), Path(folder))
        print(f"{min(first + BATCH, end) - given.seed:,} graphs are as in Python", flush=True)


if __name__ == "__main__":
    main()
