"""Training in JavaScript: what a page needs to make the steps of `fit`.   (floor 3)"""

from __future__ import annotations

from ..derive import DerivedSteps
from ..dialects.javascript import JAVASCRIPT
from .steps import LineFunction, NumberResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..program import Program


def update_text(update: Program) -> str:
    """The function `update(n, w, g, state1, …, lr, step)`, which moves n weights and their memory in place.

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
    weight, gradient, *memory, _, _ = update.blocks
    for block in (weight, gradient, *memory):
        block.has_rows = True
    names = {block: block.name for block in update.blocks}
    derived = DerivedSteps(update, fast=True)
    results = [
        NumberResult(derived.of(x), block.name, 0, 1, True)
        for block, x in zip([weight, *memory], update.outputs)
    ]
    made = LineFunction(JAVASCRIPT, "update", update.blocks, results, names)
    functions, lines, _ = made.body()
    parameters = [("input", name) for name in ("n", *names.values())]
    texts = [JAVASCRIPT.helpers(made.calls), *functions]
    texts.append(JAVASCRIPT.function("nothing", "update", parameters, lines))
    return "\n\n".join([text for text in texts if text])


def as_object(name: str, module: str, functions: tuple[str, ...]) -> str:
    """A module as an object with its functions, so that several can stand in one script.

    >>> print(as_object("double", "export function value(x) { return 2 * x; }", ("value",)))
    const double = (() => {
    function value(x) { return 2 * x; }
    return {value};
    })();
    """
    lines = [line.removeprefix("export ") for line in module.strip().splitlines()]
    return "\n".join(
        [f"const {name} = (() => {{", *lines, f"return {{{', '.join(functions)}}};", "})();"]
    )
