"""Operations as they were after each test; executors that tests share."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

import scalargrad
from scalargrad import Value, functions
from scalargrad.ops import OPS
from scalargrad.rows import custom, slopes
from scalargrad.rows.text import FAST_NAMES, TOTAL_NAMES, USER_NAMES


@pytest.fixture(autouse=True)
def operations_as_before() -> Iterator[None]:
    """Takes away the operations that a test adds: others go through the table."""
    before = {*OPS}
    tables = [(names, {*names}) for names in (FAST_NAMES, TOTAL_NAMES, USER_NAMES, slopes.NAMES)]
    yield
    added = {*OPS} - before
    for name in added:
        del OPS[name]
        custom._added.pop(name, None)
        for holder in (Value, functions, scalargrad):
            if name in vars(holder):
                delattr(holder, name)
    for names, known in tables if added else ():
        for name in names.keys() - known:
            del names[name]


@pytest.fixture(scope="session")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as executor:
        yield executor


@pytest.fixture(scope="session")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.fixture
def dask_client() -> Iterator[Any]:
    """A cluster for one test: its threads take memory, which other tests measure."""
    distributed = pytest.importorskip("distributed")
    import dask

    settings = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.comm.timeouts.connect": "60s",
    }
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # a free port of this machine, for
            scheduler_kwargs={"dashboard": False},  # no page of it, but a server that it starts
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
