"""Run the benchmarks, all of them or those that are named.

    python -m tests.benchmarks                            # all, with all goals
    python -m tests.benchmarks xor gpt --quick            # two of them, one short round each

Everything runs on one thread, and what is measured is CPU time.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Sequence
from datetime import date
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NAMES = (
    "eager",
    "xor",
    "moons",
    "digits",
    "gpt",
    "bundle",
    "growth",
    "memory",
    "layouts",
    "imports",
    "compiling",
    "backends",
    "formulas",
    "estimators",
    "executors",
    "doctor",
)
PEERS = ("numpy", "scipy", "torch", "jax", "casadi", "autograd", "micrograd", "matplotlib")
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"which to run: {', '.join(NAMES)} (default all)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short round each: all tables, rough figures"
    )
    parser.add_argument(
        "--plot",
        type=Path,
        default=Path("out", "growth.svg"),
        metavar="FILE",
        help="where growth saves its picture",
    )
    args = parser.parse_args(argv)
    if unknown := set(args.names) - set(NAMES):
        parser.error(
            f"no benchmark is named {', '.join(sorted(unknown))}: choose among {', '.join(NAMES)}"
        )

    os.environ.update(
        ONE_THREAD
    )  # before any of the libraries is imported, which is why the imports stand here
    from .timing import QUICK, UNHURRIED, machine, summary

    print(f"{machine()}, {date.today():%d %B %Y}")
    print(", ".join(f"{peer} {installed(peer)}" for peer in PEERS))
    for name in args.names or NAMES:
        benchmark = importlib.import_module(f"{__package__}.{name}").main
        if name == "growth":
            args.plot.parent.mkdir(parents=True, exist_ok=True)
            benchmark = partial(benchmark, path=args.plot)
        benchmark(QUICK if args.quick else UNHURRIED)
    summary()


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "is not here"


if __name__ == "__main__":
    main()
