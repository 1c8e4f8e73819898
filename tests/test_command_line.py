"""The command line: what it prints and writes, and what it refuses in one line."""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import scalargrad
from scalargrad import Value
from scalargrad.__main__ import Expression, main
from scalargrad.ops import LISTS, OPS
from tests.compiler.files import COMPILERS, NODE, run, says_of_itself

ROOT = Path(__file__).parents[1]
NEURON = ("tanh(w*x + b)", "w=0.5", "x=2", "b=-1")

# fmt: off
PRINTED = [  # the arguments, and what is printed
    (NEURON,                                    "y     = 0.0\ndy/dw = 2.0\ndy/dx = 0.5\ndy/db = 1.0\n"),
    (("x**2 - 2*x + 1", "x=3"),                 "y     = 4.0\ndy/dx = 4.0\n"),
    (("-x", "x=3"),                             "y     = -3.0\ndy/dx = -1.0\n"),
    (("--x", "x = 3"),                          "y     = 3.0\ndy/dx = 1.0\n"),
    (("+x / y % 2", "x=3", "y=2"),              "f     = 1.5\ndf/dx = 0.5\ndf/dy = -0.75\n"),
    (("x", "x=3"),                              "y     = 3.0\ndy/dx = 1.0\n"),
    (("x", "x=3", "unused=1e3"),                "y          = 3.0\ndy/dx      = 1.0\ndy/dunused = 0.0\n"),
    (("2*3 + 1",),                              "y = 7.0\n"),
    (("where(x > 0, x*x, 0)", "x=3"),           "y     = 9.0\ndy/dx = 6.0\n"),
    (("where(x > 0, x*x, 0)", "x=-3"),          "y     = 0.0\ndy/dx = 0.0\n"),
    (("dot([w1, w2], (x, 2), b)", "w1=1", "w2=-1", "x=5", "b=0.5"),
     "y      = 3.5\ndy/dw1 = 5.0\ndy/dw2 = 2.0\ndy/dx  = 1.0\ndy/db  = 1.0\n"),
    (("sum(softmax([x, 1.0]))", "x=1"),         "y     = 1.0\ndy/dx = 0.0\n"),
    (("max([x, 2])", "x=3"),                    "y     = 3.0\ndy/dx = 1.0\n"),
    (("log(x)", "x=-1"),                        "y     = nan\ndy/dx = nan\n"),
    (("exp(x)", "x=1000"),                      "y     = inf\ndy/dx = inf\n"),
    (("x * 2", "x=inf"),                        "y     = inf\ndy/dx = 2.0\n"),
    (("exp * 2", "exp=3"),                      "y       = 6.0\ndy/dexp = 2.0\n"),
    (("asin(x)", "x=0"),                        "y     = 0.0\ndy/dx = 1.0\n"),
    (("sin(\n x )  # in two lines", "x=0"),     "y     = 0.0\ndy/dx = 1.0\n"),
]

HOSTILE = [
    # what Python would run
    "__import__('os').system('touch pwned')", "open('pwned', 'w')", "exec('open(1)')", "eval('x')", "compile('x', 'x', 'eval')",
    "globals()", "locals()", "vars()", "dir()", "print(x)", "input()", "exit()", "quit()", "help()", "breakpoint()", "getattr(x, 'data')",
    "().__class__.__bases__[0].__subclasses__()", "x.__class__", "x.data", "x.backward()", "sin.__globals__", "sin(x).data", "(lambda: x)()",
    "lambda: x", "[x for x in (1, 2)]", "sum([x for _ in (1, 2)])", "{x: 1}", "{x}", "{}", "[]", "[x]", "(x, x)", "f'{x}'", "f'{x!r:>{10**9}}'",
    "(x := 2)", "x = 2", "yield x", "await x", "*x", "sum([*x])", "sin(*[x])", "sin(**{'x': 1})", "sin(x=x)", "x[0]", "x[0:1]", "softmax([x])[0]",
    "import os", "x; import os", "del x", "x\nimport os", "assert x", "pass", "",
    # what is no number
    "'x' * 10**9", "b'x'", "\"\"\"x\"\"\"", "1j", "True", "None", "...", "x if x else 1", "x and 1", "not x", "~x", "x // 2", "x << 2", "x | 1", "x @ x",
    "x < 1", "x == x", "0 < x < 1", "sin(x > 0)", "sum([x > 0])", "where(0 < x < 1, x, 1)", "x is None", "x in (1, 2)",
    # what the table does not have, or takes otherwise
    "sin", "sine(x)", "math.sin(x)", "custom_op('f', 'x', 1)", "grad(x)", "explain(x)", "Value(x)", "_share(x, x)", "_sigmoid_slope(x)", "z",
    "sin()", "sin(x, x)", "sum(x)", "sum([[x]])", "sin([x])", "dot([x], [x, x])", "mean([])", "max([])", "softmax([x])", "maximum(x)", "x(1)",
    # what would take long, or much memory
    "10**10**10", "9**9**9**9", "x + 10**10**10", "1e999", "1" + "0" * 400, "1" * 5000, "-1e308 - 1e308", "1/0", "0*(1/0)", "log(0)", "sqrt(-1)",
    "sin(" * 3000 + "x" + ")" * 3000, "(" * 3000 + "x" + ")" * 3000, "sin(" * 150 + "x" + ")" * 150, "-" * 1500 + "x", "-" * 100_000 + "x",
    "x" + "+x" * 900, "x" + "**x" * 600, "[" * 1900, "x" * 100_000, "dot([x]*10**9, [x]*10**9)", "sum([x] * 1000000)",
    # what is no expression
    "x +", "x x", ")", "0x", "1_", "0777", "x\x00", "\ud800", "´x´", "x ÷ 2", "２ ² x", "x\u202e", "\\", "#", "$x", "`x`", "x ? 1 : 2", "x++",
]
WRONG = [  # other arguments, and what is said
    (("x",), "'x' has no number: write x=1.0 behind the expression"), (("2*x^2", "x=1"), "'2*x^2' is no power: write x**2"),
    (("x", "x=1", "x=2"), "x is given twice"), (("x", "lambda=1"), "lambda is no name"), (("x", "x=two"), "'x=two': write a number, such as x=0.5"),
    (("x", "x="), "'x=': write a number"), (("x", "y", "x=1"), "one expression is expected, and 'y' is another: quote it all"), (("x=1",), "write an expression"),
    (("x", "x=1", "--wat"), "'--wat' is no option: --help lists them"), (("--version",), "'--version' is no option"), (("x", "x=1", "--svg"), "--svg needs a file: write --svg name.svg"),
    (("x", "x=1", "--page"), "--page needs a file: write --page name.html"), (("x", "x=1", "--c", "--js"), "write one of --source, --c, --js"),
    (("x", "x=1", "--c", "--svg", "y.svg"), "and no other option beside it"),
    (("x", "x=1", "--svg", "--page", "y.html"), "--svg needs a file"), (("x", "x=1", "--svg="), "--svg needs a file"),
    (("", "x=1"), "write an expression, such as"), (("2x", "x=1"), "'2x' is no expression: a product needs its sign, as in 2*x"),
    (("2", "--source"), "an expression without names has no function"),
]
# fmt: on


@pytest.mark.parametrize(("arguments", "printed"), PRINTED, ids=lambda x: str(x[0])[:30])
def test_value_and_slopes_stand_on_a_line_each(
    arguments: tuple[str, ...], printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    assert capsys.readouterr() == (printed, "")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:30]))
def test_a_hostile_expression_is_refused_in_one_line(
    text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("it was evaluated")

    monkeypatch.chdir(tmp_path)
    for name in ("open", "input"):
        monkeypatch.setattr(builtins, name, forbidden)
    code = main([text, "x=0.5"])
    out, error = capsys.readouterr()
    assert (code, out) == (2, "")
    assert error.startswith("scalargrad: ")
    assert error.count("\n") == 1
    assert error.endswith("\n")
    assert len(error) < 250
    assert "Traceback" not in error
    assert error.rstrip("\n").isprintable()
    assert not any(tmp_path.iterdir())


def test_there_are_sixty_hostile_expressions_and_more() -> None:
    assert len({*HOSTILE}) == len(HOSTILE) >= 60


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=lambda x: str(x)[:30])
def test_wrong_arguments_are_refused(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert said in error
    assert error.count("\n") == 1


def test_every_function_of_the_table_may_stand_in_an_expression() -> None:
    for op in OPS.values():
        if op.is_public:
            given = [
                "x > 0" if o == "condition" else "[x, y]" if o in LISTS else "x"
                for o in op.operands
            ]
            for name in op.names:
                found = Expression(f"{name}({', '.join(given)})", ["x", "y"])(
                    Value(0.5), Value(0.25)
                )
                assert isinstance(found, (Value, list)), name


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A run of the command, as a user starts it."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "scalargrad", *arguments], cwd=folder, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_as_a_command(tmp_path: Path) -> None:
    done = command(*NEURON, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, PRINTED[0][1], "")
    for text in ("10**10**10", "sin(" * 3000 + "x" + ")" * 3000, "-" * 100_000 + "x"):
        done = command(text, "x=1", folder=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_help_says_everything(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["--help"], ["-h"], ["x", "x=1", "--help"]):
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert all(
            option in out for option in ("--explain", "--svg", "--page", "--source", "--c", "--js")
        )
        assert max(map(len, out.splitlines())) <= 100


# ------------------------------------------------------------------ the options


def test_explain_shows_the_paths(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["a*b*a + b", "a=2", "b=3", "c=1", "--explain"]) == 0
    out = capsys.readouterr().out
    assert "d y/d a = 12, the sum over 2 paths:" in out
    assert "d y/d b = 5, the sum over 2 paths:" in out
    assert "d y/d c" not in out


def test_svg_and_page_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    svg, page = tmp_path / "y.svg", tmp_path / "y.html"
    assert main([*NEURON, "--page", str(page), f"--svg={svg}"]) == 0
    assert capsys.readouterr().out == f"{PRINTED[0][1]}{svg}\n{page}\n"
    assert "y = tanh(w·x + b)" in svg.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_file_that_cannot_be_written_is_one_line_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*NEURON, "--svg", str(tmp_path / "no" / "y.svg")]) == 1
    assert capsys.readouterr().err.startswith("scalargrad: the folder ")
    assert main([*NEURON, "--page", str(tmp_path / "y.png")]) == 1
    assert capsys.readouterr().err.endswith("write 'y.html'\n")


def test_source_is_the_function_in_python(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*NEURON, "--source"]) == 0
    text = capsys.readouterr().out
    assert text == scalargrad.compile(
        Expression(NEURON[0], ["w", "x", "b"]), wrt=(0, 1, 2), backend="python"
    ).source(0.5, 2.0, -1.0)
    assert "return tanh(w * x + b)" in text


@pytest.mark.skipif(NODE is None, reason="node is not on this machine")
def test_js_is_the_function_in_javascript(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*NEURON, "--js"]) == 0
    path = tmp_path / "f.mjs"
    path.write_text(
        capsys.readouterr().out + "console.log(JSON.stringify(value_and_grad(0.5, 2, -1)))\n"
    )
    assert json.loads(run(NODE, path)) == [0, [2, 0.5, 1]]


@pytest.mark.skipif(not COMPILERS, reason="no C compiler is on this machine")
def test_c_is_the_function_in_c(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*NEURON, "--c"]) == 0
    text = capsys.readouterr().out
    assert " * tanh(w * x + b)\n" in text
    path = tmp_path / "f.c"
    path.write_text(text)
    says_of_itself(COMPILERS[0], path)
