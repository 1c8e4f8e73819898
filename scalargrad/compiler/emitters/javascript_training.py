"""Training in JavaScript: what a page needs to make the steps of `fit`.   (floor 3)"""

from __future__ import annotations

from ..dialects.javascript import JAVASCRIPT
from .training import update_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..program import Program


def update_text(update: Program) -> str:
    """The function `update(n, w, g, state1, …, lr, step)`: it moves n weights and their memory.

    >>> from scalargrad import Value
    >>> from scalargrad.nn import SGD
    >>> from scalargrad.compiler.update import update_of
    >>> print(update_text(update_of(SGD([Value(1.0)], momentum=0.9), 1)))
    function update(n, w, g, state1, lr, step) {
      for (let r = 0; r < n; r++) {
        const v1 = 0.9 * state1[r];
        const v2 = v1 + g[r];
        const v3 = lr * v2;
        const v4 = w[r] - v3;
        w[r] = v4;
        state1[r] = v2;
      }
    }
    """
    made = update_source(JAVASCRIPT, "update", update)
    return "\n\n".join(filter(None, [JAVASCRIPT.helpers(made.calls), made.text]))


def as_object(name: str, module: str, functions: tuple[str, ...]) -> str:
    """A module as an object with its functions, so that several can stand in one script.

    >>> print(as_object("double", "export function value(x) { return 2 * x; }", ("value",)))
    const double = (() => {
    function value(x) { return 2 * x; }
    return {value};
    })();
    """
    lines = [line.removeprefix("export ") for line in module.strip().splitlines()]
    end = [f"return {{{', '.join(functions)}}};", "})();"]
    return "\n".join([f"const {name} = (() => {{", *lines, *end])
