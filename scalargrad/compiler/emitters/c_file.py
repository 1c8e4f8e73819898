"""A file in C: C99 that allocates nothing and keeps nothing, with a test of itself.   (floor 3)"""

from __future__ import annotations

from ..dialects.c import C
from ..dialects.text import broken, wrapped
from .files import Plain, shape_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..traces import Request

_CHECK = """\
static int check(const char *name, long count, const double *found, const double *expected)
{
    int wrong = 0;
    for (long i = 0; i < count; i++) {
        const double a = found[i], b = expected[i];
        if (a == b || (a != a && b != b) || fabs(a - b) <= 1e-9 * (1.0 + fabs(b)))
            continue;
        printf("%s[%ld] is %.17g, Python has %.17g\\n", name, i, a, b);
        wrong++;
    }
    return wrong;
}"""


TRIED = "To compare with numbers that Python wrote: cc -std=c99 -DTEST FILE.c -lm && ./a.out"


def text(request: Request) -> str:
    """The file."""
    made = Plain(C, request)
    texts = [function.text for function in made.functions.values()]
    parts = [
        _comment(made),
        "#include <math.h>\n#ifdef __clang__\n#pragma STDC FP_CONTRACT OFF\n#endif",
        _rooms(made),
        "\n".join(made.tables.lines),
        C.helpers(made.calls),
        *texts,
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
    lines = plain.split("\n")
    return "\n".join(["/*", *[f" * {line}".rstrip() for line in lines], " */"])


def _comment(made: Plain) -> str:
    heads, results = [], []
    for kind, function in made.functions.items():
        head = C.head(
            "number" if function.returns else "nothing", function.name, function.parameters
        )
        heads += broken(f"    {head};", "    ", ", ", 96)
        if not function.returns:
            results.append(f"- {made.out} gets {_outputs(made)}.")
        if function.work:
            results.append(f"- work is room for {function.name.upper()}_WORK numbers.")
        if kind != "value":
            names = zip(made.slope_names, made.wrt)
            lead = f"{len(made.program.outputs)} × " if kind == "jacobian" else ""
            results += [
                f"- {name} gets the slopes by {made.name_of[block]}: "
                f"{lead}{shape_of(block, 'n' if made.per_row else '')}."
                for name, block in names
            ]
    shapes = [f"- {made.name_of[block]} is {shape_of(block)}." for block in made.given]
    shapes = ["- n is the number of rows."] * made.has_rows + shapes
    flat = ["Arrays are flat, in row order."] * (not made.request.predict or made.has_rows)
    *first, last = made.description("it is C99 and needs nothing but its mathematics library")
    return commented(
        [
            *first,
            "\n".join(heads),
            "\n".join([*shapes, *dict.fromkeys(results), *flat]),
            "\n".join([last, TRIED, *_example(made)]),
        ]
    )


def _outputs(made: Plain) -> str:
    count = len(made.program.outputs)
    outputs = f"{count} number{'s' * (count > 1)}"
    if made.request.predict:
        return f"n rows of {outputs}" if made.has_rows else outputs
    return (
        f"{outputs} for each row, those of all rows one after the other" * made.per_row or outputs
    )


def _arguments(made: Plain, kind: str) -> list[tuple[str, str, str]]:
    """The parameters of a function, each with its kind and the number of numbers that an example
    has there.
    """
    rows = made.rows_of_example()
    sizes = {made.name_of[block]: max(1, len(x)) for block, x in zip(made.given, made.example())}
    expected = made.expected(kind)
    names = [made.out, *made.slope_names] if kind != "value" else [made.out]
    sizes.update({name: max(1, len(x)) for name, x in zip(names, expected)})
    sizes["n"] = rows
    function = made.functions[kind]
    return [
        (kind, name, f"{function.name.upper()}_WORK" if kind == "room" else str(sizes[name]))
        for kind, name in function.parameters
    ]


def _example(made: Plain) -> list[str]:
    kind = made.kinds[-1]
    function, declared = made.functions[kind], []
    numbers = {made.name_of[block]: x for block, x in zip(made.given, made.example())}
    given = []
    for sort, name, size in _arguments(made, kind):
        if sort == "number":
            given.append(C.literal(numbers[name][0]))
            continue
        given.append(size if sort == "count" else name)
        shown = ""
        if sort == "input":
            first = [C.literal(x) for x in numbers[name][:4]]
            shown = f" = {{{', '.join(first)}{', ...' if len(numbers[name]) > 4 else ''}}}"
        if sort != "count":
            declared.append(f"{name}[{size}]{shown}")
    result = "double result = " if function.returns else ""
    lines = [f"    double {', '.join(declared)};"] if declared else []
    lines.append(f"    {result}{function.name}({', '.join(given)});")
    short = f"Example: {' '.join([line.strip() for line in lines])}"
    if len(short) < 96:
        return [short]
    return ["Example:", *[part for line in lines for part in broken(line, "    ", ", ", 96)]]


def _rooms(made: Plain) -> str:
    """The names of how much room functions need to work in."""
    rooms = [
        f"{function.name.upper()}_WORK = {function.work}"
        for function in made.functions.values()
        if function.work
    ]
    return f"enum {{ {', '.join(rooms)} }};" if rooms else ""


def _test_of_predict(made: Plain) -> str:
    """The same in few lines."""
    function, (x,), (y,) = made.functions["value"], made.example(), made.expected("value")
    count, name = len(y), made.name_of[made.given[0]]
    given = [
        f"{name}[0]" if sort == "number" else size if sort == "count" else each
        for sort, each, size in _arguments(made, "value")
    ]
    is_wrong = f"!(fabs({made.out}[i] - expected[i]) <= 1e-9 * (1.0 + fabs(expected[i])))"
    rooms = [each for each in function.parameters if each[0] == "room"]
    lines = [
        *wrapped(f"const double {name}[{len(x)}] = {{", [*map(C.literal, x)], "};", C.indent),
        *wrapped(f"const double expected[{count}] = {{", [*map(C.literal, y)], "};", C.indent),
        *[f"static double {each}[PREDICT_WORK];" for _, each in rooms],
        f"double {made.out}[{count}];", "int wrong = 0;", f"predict({', '.join(given)});",
        f"for (int i = 0; i < {count}; i++)",
        f"    wrong += {is_wrong};",
        'puts(wrong ? "some numbers differ" : "all numbers are as in Python");',
        "return wrong > 0;",
    ]  # fmt: skip
    main = C.function("main", "main", (), lines)
    return f"#ifdef TEST\n#include <stdio.h>\n\n{main}\n#endif"


def _test(made: Plain) -> str:
    if made.request.predict and all(x - x == 0.0 for x in made.expected("value")[0]):
        return _test_of_predict(made)
    tables: list[str] = []
    for block, numbers in zip(made.given, made.example()):
        tables += _table(f"test_{made.name_of[block]}", numbers)
    lines = ["int wrong = 0;"]
    for kind, function in made.functions.items():
        names, given, declared, checks = [made.out, *made.slope_names], [], [], []
        for name, numbers in zip(names, made.expected(kind)):
            tables += _table(f"{function.name}_{name}", numbers)
            checks.append(
                f'wrong += check("{function.name}: {name}", {len(numbers)}, {name}, {function.name}_{name});'
            )
        for sort, name, size in _arguments(made, kind):
            if sort in ("output", "room"):
                declared.append(f"static double {name}[{size}];")
            given.append(
                f"test_{name}[0]"
                if sort == "number"
                else f"test_{name}"
                if sort == "input"
                else size
                if sort == "count"
                else name
            )
        call = f"{function.name}({', '.join(given)})"
        if function.returns:
            declared.append(f"const double {made.out}[1] = {{{call}}};")
        else:
            declared.append(f"{call};")
        inner = [part for line in (*declared, *checks) for part in broken(line, "    ", ", ", 92)]
        lines += ["{", *[f"    {line}" for line in inner], "}"]
    lines += [
        'puts(wrong ? "some numbers differ" : "all numbers are as in Python");',
        "return wrong > 0;",
    ]
    main = C.function("main", "main", (), lines)
    body = "\n".join(tables)
    return f"#ifdef TEST\n#include <stdio.h>\n\n{body}\n\n{_CHECK}\n\n{main}\n#endif"


def _table(name: str, numbers: Sequence[float]) -> list[str]:
    head = f"static const double {name}[{max(1, len(numbers))}] = {{"
    return wrapped(head, [*map(C.literal, numbers or [0.0])], "};", C.indent)
