"""Run every benchmark."""

from . import eager, imports, layouts
from .timing import machine

if __name__ == "__main__":
    print(machine())
    for benchmark in (eager, layouts, imports):
        benchmark.main()
