"""A toy executor: late, out of order, and as far away as another process."""

from __future__ import annotations

import pickle
import random
from concurrent.futures import Executor, Future


class Late(Executor):
    """Runs all open tasks when a result is asked for, in an order of its own, and pickles them as for a process."""

    def __init__(self, seed):
        self.rng, self.open, self.sent = random.Random(seed), [], []

    def submit(self, fn, /, *args, **options):
        future = _LateFuture(self)
        self.open.append((future, pickle.dumps((fn, args, options))))
        return future

    def work(self):
        self.rng.shuffle(self.open)
        for future, data in self.open:
            self.sent.append(len(data))
            fn, args, options = pickle.loads(data)
            try:
                future.set_result(fn(*args, **options))
            except Exception as error:
                future.set_exception(error)
        self.open = []


class _LateFuture(Future):
    def __init__(self, executor):
        super().__init__()
        self.executor = executor

    def result(self, timeout=None):
        if not self.done():
            self.executor.work()
        return super().result(timeout)
