"""Which backend "auto" takes: what each would take, for all calls that there are, and what it costs to have machine code."""

from __future__ import annotations

from typing import Any

import pytest

from scalargrad import MLP, Value, compile, sin
from scalargrad.compiler import backends
from scalargrad.compiler.backends import Plan, native_seconds, plan_of
from scalargrad.compiler.program import Program
from scalargrad.nn import squared_error

np: Any = pytest.importorskip("numpy")

NETWORK = MLP(2, [16, 16, 1], activation="tanh", seed=0)
MILLIONS = 10**8


@pytest.fixture
def program() -> Program:
    """The loss of a row in a network."""
    f = compile(lambda model, x, y: squared_error(model(x), y), rows=("x", "y"))
    return f._ready((NETWORK.state(), np.zeros((3, 2)), np.zeros(3)), {})[0].program


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """All is installed, as far as plans can see."""
    monkeypatch.setattr(backends, "is_installed", lambda backend: True)


def plan(
    program: Program, steps: int, rows: int = 100, is_made: bool = False, calls: int = 1
) -> Plan:
    return plan_of("auto", program, "value_and_grad", rows, steps, calls, lambda: is_made)


def test_a_short_training_begins_at_once_and_a_long_one_is_worth_machine_code(
    program: Program,
) -> None:
    assert [plan(program, steps).backend for steps in (1, 100, MILLIONS)] == [
        "numpy",
        "numpy",
        "native",
    ]
    assert [plan(program, steps, rows=1, calls=steps).backend for steps in (1, MILLIONS)] == [
        "numpy",
        "native",
    ]


def test_machine_code_that_is_there_is_taken_sooner(program: Program) -> None:
    making, loading = native_seconds(program), backends.LOADING
    numpy, native = (plan(program, MILLIONS).estimates[name] * 1e-6 for name in ("numpy", "native"))
    for seconds, is_made in ((making, False), (loading, True)):
        enough = seconds / (numpy - native)
        assert plan(program, int(0.9 * enough), is_made=is_made).backend == "numpy"
        assert plan(program, int(1.1 * enough), is_made=is_made).backend == "native"


def test_nobody_looks_for_machine_code_that_could_not_pay(program: Program) -> None:
    def is_made() -> bool:
        raise AssertionError

    assert plan_of("auto", program, "value", 100, 10, 1, is_made).backend == "numpy"


def test_few_operations_stay_in_python(program: Program) -> None:
    tiny = compile(lambda x: x * x)._ready((2.0,), {})[0].program
    for steps in (1, MILLIONS):
        assert plan(tiny, steps, rows=0, calls=steps).backend == "python"


def test_what_is_not_installed_is_not_taken(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    for installed, expected in ((("python", "numpy"), "numpy"), (("python",), "python")):
        monkeypatch.setattr(backends, "is_installed", installed.__contains__)
        assert plan(program, MILLIONS).backend == expected


@pytest.fixture
def natives(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The backends that functions are built for, machine code replaced by NumPy; making it pays from the hundredth call on."""
    built: list[str] = []
    build = backends.build

    def noted(backend: str, *given: Any) -> Any:
        built.append(backend)
        return build("numpy" if backend == "native" else backend, *given)

    monkeypatch.setattr(backends, "build", noted)
    monkeypatch.setattr(backends, "native_seconds", lambda program: 0.001)
    monkeypatch.setattr(backends, "LOADING", 0.001)
    return built


def test_a_function_changes_to_machine_code_when_its_calls_are_worth_it(natives: list[str]) -> None:
    f = compile(lambda model, x, y: squared_error(model(x), y), rows=("x", "y"))
    arguments = NETWORK.state(), np.ones((100, 2)), np.zeros(100)
    first = f.value_and_grad(*arguments)
    assert natives == ["numpy"]
    assert f.plan(*arguments).backend == "numpy"
    for _ in range(1000):
        value, slopes = f.value_and_grad(*arguments)
    assert natives == ["numpy", "native"]
    assert f.plan(*arguments).backend == "native"
    assert value == first[0]
    assert np.array_equal(slopes["W2"], first[1]["W2"])


def test_the_plan_is_of_what_runs_until_machine_code_is_made(
    natives: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    f = compile(lambda model, x, y: squared_error(model(x), y), rows=("x", "y"))
    arguments = NETWORK.state(), np.ones((100, 2)), np.zeros(100)
    build = backends.build

    def interrupted(backend: str, *given: Any) -> Any:
        if backend == "native":
            raise KeyboardInterrupt
        return build(backend, *given)

    monkeypatch.setattr(backends, "build", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _ = [f.value_and_grad(*arguments) for _ in range(1000)]
    assert natives == ["numpy"]
    assert f.plan(*arguments).backend == "numpy"
    monkeypatch.setattr(backends, "build", build)
    f.value_and_grad(*arguments)
    assert f.plan(*arguments).backend == "native"


@pytest.mark.parametrize("is_lazy", [False, True])
def test_where_machine_code_cannot_be_made_the_function_stays_as_it_was(
    natives: list[str], monkeypatch: pytest.MonkeyPatch, is_lazy: bool
) -> None:
    bias = Value(0.5)
    f = compile(lambda model, x, y: squared_error(model(x) + bias, y), rows=("x", "y"))
    arguments = NETWORK.state(), np.ones((100, 2)), np.zeros(100)
    build, tried = backends.build, list[Any]()

    def fail(contents: Any) -> Any:
        tried.append(contents)
        raise ValueError("there is\nno room left")

    fail.source = ""  # type: ignore[attr-defined]

    def failing(backend: str, *given: Any) -> Any:
        return build(backend, *given) if backend != "native" else fail if is_lazy else fail(None)

    monkeypatch.setattr(backends, "build", failing)
    value, slopes = f.value_and_grad(*arguments)
    for _ in range(1000):
        again, slopes_again = f.value_and_grad(*arguments)
        assert again == value
        assert np.array_equal(slopes["W2"], slopes_again["W2"])
    assert f.plan(*arguments).backend == "numpy"
    assert (
        f.plan(*arguments).reason
        == "machine code could not be made: ValueError: there is no room left"
    )
    for _ in range(1000):  # another number of rows is another plan
        f.value_and_grad(NETWORK.state(), np.ones((400, 2)), np.zeros(400))
    assert len(tried) == 1
    with pytest.raises(ValueError, match="no room"):
        compile(f.__wrapped__, rows=("x", "y"), backend="native").value_and_grad(*arguments)


def test_results_stay_of_their_kind(natives: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine code goes on with lists where plain Python began with lists."""
    monkeypatch.setitem(backends.COSTS, "numpy", (1e6, 1e6, 1.0, 1.0))
    f = compile(lambda w: (w[0] * w[1]).tanh() * sum([a * a for a in w]))
    for _ in range(1000):
        value, slopes = f.value_and_grad([0.5] * 500)
        assert type(value) is float
        assert type(slopes) is list
    assert natives == ["python", "native"]


def test_the_plan_says_why(program: Program) -> None:
    assert "machine code" in str(plan(program, MILLIONS))
    assert str(plan(program, 1)).startswith("numpy: about")
    assert str(plan_of("native", program, "value", 1, 1, 1, bool)) == "native: as asked for"


def test_machine_code_that_takes_minutes_to_make_is_not_even_looked_for(
    monkeypatch: pytest.MonkeyPatch, program: Program
) -> None:
    def is_made() -> bool:
        raise AssertionError

    monkeypatch.setattr(backends, "OF_A_VECTOR", 100.0)
    assert plan_of("auto", program, "value_and_grad", 100, MILLIONS, 1, is_made).until == 0


def test_a_program_without_a_pattern_is_made_machine_code_line_by_line() -> None:
    def fn(x: Any) -> Any:
        for k in range(1500):
            x = sin(x * x + 0.1 * k)
        return x

    chain = compile(fn)._ready((0.5,), {})[0].program
    count = plan(chain, MILLIONS, rows=0, calls=MILLIONS).operations
    making = backends.MAKING + 2 * backends.OF_A_LINE * count
    assert native_seconds(chain) == pytest.approx(making)
    assert plan(chain, MILLIONS, rows=0, calls=MILLIONS).backend == "native"


def test_without_a_c_compiler_the_plan_says_what_to_install(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "is_installed", lambda backend: backend != "native")
    chosen = plan(program, MILLIONS)
    assert chosen.backend == "numpy"
    assert "machine code needs a C compiler: install gcc or clang" in chosen.reason
    with pytest.raises(ImportError, match=r"backend='native' needs a C compiler: install gcc"):
        backends.check("native")
