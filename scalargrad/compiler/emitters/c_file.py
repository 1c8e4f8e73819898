"""A file in C: C99 that allocates nothing and keeps nothing, with a test of itself.   (floor 3)"""

from __future__ import annotations

from collections.abc import Sequence

from ..dialects.c import C
from ..dialects.text import broken, wrapped
from ..layout import shape_text
from ..traces import Request
from ..written import description
from .files import Plain

_CHECK = """\
static int check(const char *name, long count, const double *a, const double *b)
{
    int wrong = 0;
    for (long i = 0; i < count; i++)
        if (a[i] != b[i] && (a[i] == a[i] || b[i] == b[i])
            && !(fabs(a[i] - b[i]) < 1e-9 * (1.0 + fabs(b[i]))))
            wrong += printf("%s[%ld] is %.17g, Python has %.17g\\n", name, i, a[i], b[i]) > 0;
    return wrong;
}"""
HEAD = """\
#include <math.h>
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#elif defined __GNUC__ && defined __AVX512F__ /* gcc permutes eight numbers wrongly */
#pragma GCC optimize("no-tree-slp-vectorize")
#endif"""
TRIED = "To compare with numbers that Python wrote: cc -std=c99 -DTEST FILE.c -lm && ./a.out"


def text(request: Request) -> str:
    """The file."""
    made = Plain(C, request)
    functions = made.functions.values()
    rooms = ", ".join([f"{_room(x.name)} = {x.work}" for x in functions if x.work])
    parts = [
        _comment(made),
        HEAD,
        f"enum {{ {rooms} }};" if rooms else "",
        "\n".join(made.tables.lines),
        C.helpers(made.calls),
        *[function.text for function in functions],
        _test(made),
    ]
    return "\n\n".join([part for part in parts if part]) + "\n"


def commented(paragraphs: Sequence[str]) -> str:
    """A comment of paragraphs, out of which no text can lead."""
    whole = "\n\n".join(paragraphs)
    plain = "".join([c if c.isprintable() or c == "\n" else " " for c in whole])
    for inside, instead in (("*/", "* /"), ("/*", "/ *"), ("??", "? ?"), ("\\", "/")):
        while inside in plain:
            plain = plain.replace(inside, instead)
    return "\n".join(["/*", *[f" * {line}".rstrip() for line in plain.split("\n")], " */"])


def _room(function: str) -> str:
    """The name of how much room a function needs to work in."""
    return f"{function.upper()}_WORK"


# ------------------------------------------------------------------ the comment


def _comment(made: Plain) -> str:
    heads, results, count = list[str](), list[str](), len(made.program.outputs)
    numbers = f"{count} number{'s' * (count > 1)}"
    if made.request.predict:
        numbers = "n rows of " * made.has_rows + numbers
    elif made.per_row:
        numbers += " for each row, those of all rows one after the other"
    for kind, function in made.functions.items():
        returned = "number" if function.returns else "nothing"
        head = C.head(returned, function.name, function.parameters)
        heads += broken(f"    {head};", "    ", ", ", 96)
        if not function.returns:
            results.append(f"- {made.out} gets {numbers}.")
        if function.work:
            results.append(f"- work is room for {_room(function.name)} numbers.")
        lead = f"{count} × " * (kind == "jacobian")
        for name, block in zip(made.slope_names, made.wrt) if kind != "value" else ():
            shape = lead + shape_text(block, "n" * made.per_row)
            results.append(f"- {name} gets the slopes by {made.name_of[block]}: {shape}.")
    shapes = ["- n is the number of rows."] * made.has_rows
    shapes += [f"- {made.name_of[block]} is {shape_text(block)}." for block in made.given]
    flat = ["Arrays are flat, in row order."] * (not made.request.predict or made.has_rows)
    *first, last = description(
        made.request, made.kinds, "it is C99 and needs nothing but its mathematics library"
    )
    shapes = [*shapes, *dict.fromkeys(results), *flat]
    last = "\n".join([last, TRIED, *_example(made)])
    return commented([*first, "\n".join(heads), "\n".join(shapes), last])


def _call(made: Plain, kind: str, lead: str = "") -> tuple[str, list[str]]:
    """A call with the numbers of the example, of arrays whose names begin so; and the arrays that
    it fills, with their sizes.
    """
    function, given, filled = made.functions[kind], list[str](), list[str]()
    sizes = {name: len(x) for name, x in zip([made.out, *made.slope_names], made.expected(kind))}
    for sort, name in function.parameters:
        if sort in ("output", "room"):
            size = _room(function.name) if sort == "room" else max(1, sizes[name])
            filled.append(f"{name}[{size}]")
        number = C.literal(made.example[name][0]) if sort == "number" else str(made.rows)
        texts = {"number": number, "count": number, "input": lead + name}
        given.append(texts.get(sort, name))
    return f"{function.name}({', '.join(given)})", filled


def _example(made: Plain) -> list[str]:
    function, (call, filled) = made.functions[made.kinds[-1]], _call(made, made.kinds[-1])
    inputs = [name for sort, name in function.parameters if sort == "input"]
    declared = []
    for name, numbers in [(name, made.example[name]) for name in inputs]:
        shown = [*map(C.literal, numbers[:4]), *["..."] * (len(numbers) > 4)]
        declared.append(f"{name}[{max(1, len(numbers))}] = {{{', '.join(shown)}}}")
    lines = [f"double {', '.join([*declared, *filled])};"] if declared or filled else []
    lines.append(f"{'double result = ' * function.returns}{call};")
    if len(short := f"Example: {' '.join(lines)}") < 96:
        return [short]
    return ["Example:", *[x for line in lines for x in broken(f"    {line}", "    ", ", ", 96)]]


# ------------------------------------------------------------------ the test


def _test(made: Plain) -> str:
    """The comparison with Python; in few lines for `predict`, where all numbers are finite."""
    is_short = made.request.predict and all(x - x == 0.0 for x in made.expected("value")[0])
    inputs = {
        name for x in made.functions.values() for sort, name in x.parameters if sort == "input"
    }
    given = [(name, x) for name, x in made.example.items() if name in inputs]
    tables, lines = [line for name, x in given for line in _table(f"test_{name}", x)], list[str]()
    for kind, function in made.functions.items():
        call, filled = _call(made, kind, "test_")
        inner = [f"static double {x};" for x in filled]
        inner.append(
            f"const double {made.out}[1] = {{{call}}};" if function.returns else f"{call};"
        )
        for name, numbers in zip([made.out, *made.slope_names], made.expected(kind)):
            table, count = f"{function.name}_{name}", len(numbers)
            tables += _table(table, numbers)
            check = f'check("{function.name}: {name}", {count}, {name}, {table})'
            if is_short:
                inner.append(f"for (int i = 0; i < {count}; i++)")
                check = f"!(fabs({name}[i] - {table}[i]) <= 1e-9 * (1.0 + fabs({table}[i])))"
            inner.append(f"{C.indent * is_short}wrong += {check};")
        inner = [x for line in inner for x in broken(line, "    ", ", ", 92)]
        alone = len(made.functions) == 1
        lines += inner if alone else ["{", *[C.indent + x for x in inner], "}"]
    end = 'puts(wrong ? "some numbers differ" : "all numbers are as in Python");'
    main = C.function("main", "main", (), ["int wrong = 0;", *lines, end, "return wrong > 0;"])
    parts = ["#ifdef TEST\n#include <stdio.h>", "\n".join(tables), *[_CHECK] * (not is_short), main]
    return "\n\n".join([part for part in parts if part]) + "\n#endif"


def _table(name: str, numbers: Sequence[float]) -> list[str]:
    head = f"static const double {name}[{max(1, len(numbers))}] = {{"
    return wrapped(head, [*map(C.literal, numbers or [0.0])], "};", C.indent)
