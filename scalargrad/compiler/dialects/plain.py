"""A language with braces, as plain loops need it: how a statement, a line and a table are written. This is C's.   (floor 3)"""

from __future__ import annotations

from ..naming import Names
from .c import RESERVED, Writer, helpers, literal, text_of
from .c_helpers import OF_LISTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..lower import Line

FREE = {*"abcdeoqs", "first", "begin", "end", "step", "steps", "order", "loss", "losses", "out"}
OWN = {"i", "j", "l", "m", "k", "r", "n", "share", "work", "predict", "check", "report"}


class Dialect:
    """C, without vector instructions."""

    indent = "    "
    reserved = frozenset((RESERVED - FREE) | OWN)
    comment = "/* ", " */"
    most_room = (
        8192.0  # numbers that a function makes room for; for more it takes an array to work in
    )
    rows = "(double)n"  # the number of rows as a number
    types = {  # noqa: RUF012
        "number": "double ", "input": "const double *", "output": "double *", "count": "long ",
        "room": "double *",
    }  # fmt: skip
    lists: Mapping[str, str] = OF_LISTS
    writer: type[Writer] = Writer

    def names(self) -> Names:
        """Names that may stand in the language."""
        return Names(self.reserved)

    def literal(self, number: float) -> str:
        """A number as the language has it."""
        return literal(number)

    def text(self, line: Line, operands: Mapping[str, str], calls: set[str]) -> str:
        """A line as an expression; what it calls is added to `calls`."""
        made = text_of(line)
        calls |= made.called(False)
        return made.of(operands)

    def constant(self, name: str, text: str) -> str:
        """A number that never changes."""
        return f"const double {name} = {text};"

    def variable(self, name: str, text: str) -> str:
        """A number that is added to."""
        return f"double {name} = {text};"

    def arrays(self, sizes: Mapping[str, int]) -> str:
        """Room for so many numbers under each name."""
        return f"double {', '.join([f'{name}[{size}]' for name, size in sizes.items()])};"

    def loop(self, variable: str, count: int | str) -> str:
        """The head of a loop."""
        kind = "long" if isinstance(count, str) else "int"
        return f"for ({kind} {variable} = 0; {variable} < {count}; {variable}++)"

    def part(self, name: str, at: str) -> str:
        """An array from a place on."""
        return name if at == "0" else f"{name} + {at}"

    def table(self, name: str, items: Sequence[str], is_index: bool) -> list[str]:
        """Constants, which stand outside of functions."""
        head = f"static const {'int' if is_index else 'double'} {name}[{len(items)}] = {{"
        return wrapped(head, items, "};", self.indent)

    def head(self, kind: str, name: str, parameters: Sequence[tuple[str, str]]) -> str:
        """The head of a function that returns a number, or nothing."""
        listed = ", ".join([self.types[kind] + name for kind, name in parameters]) or "void"
        return f"{kind} {name}({listed})"

    def function(self, head: str, lines: Sequence[str]) -> str:
        """A function around its lines."""
        return "\n".join([*broken(head, "    ", ", "), "{", *lines, "}"])

    def unused(self, name: str) -> list[str]:
        """What is said of a parameter that nothing reads."""
        return [f"(void){name};"]

    def helpers(self, calls: Iterable[str]) -> str:
        """The text of functions that are called."""
        return helpers(calls)


def wrapped(head: str, items: Sequence[str], end: str, indent: str) -> list[str]:
    """A list in lines that are not too long."""
    whole = f"{head}{', '.join(items)}{end}"
    if len(whole) <= 100:
        return [whole]
    lines, line = [head], indent
    for item in items:
        if len(line) + len(item) > 98 and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += f"{item}, "
    return [*lines, line.rstrip(", "), end]


def broken(line: str, indent: str, behind: str = " ", most: int = 100) -> list[str]:
    """A statement in lines of at most so many characters, broken behind blanks or commas where these allow it."""
    lead = line[: len(line) - len(line.lstrip())]
    lines: list[str] = []
    while len(line) > most:
        at = line.rfind(behind, len(lead) + 20, most + 1 - len(behind)) + len(behind) - 1
        if at < len(lead) + 20:
            break
        lines.append(line[:at])
        line = lead + indent + line[at + 1 :]
    return [*lines, line]


C = Dialect()
