"""Texts of functions that are generated for each operation, with gaps for its formulas.   (floor 1)

A function that records does what `value.record` does, but calls no other one. `graph.store` tells
what the fields of a node hold.
"""

# An operation on one operand. If it raises, `total` computes it again and answers inf or nan.
UNARY = """
def record_{name}(self):
    x = self.data
    try:
        {forward}
        {slopes}
    except ERRORS:
        out, dx = total(self)
    node = new(Value)
    node.data = out; node.grad = 0.0; node.label = ""; node._operation = op
    node._x = self; node._y = None; node._dx = dx; node._dy = None
    return announced(node) if modes_on else node
"""

# An operation on two operands. `other` is a Value, or a plain number, which gets no slope. Python
# calls the second function for a number on the left and a Value on the right, which is `self`.
BINARY = """
def record_{name}(self, other):
    x = self.data
    if other.__class__ is Value or (isinstance(other, Value) and not hasattr(other, "records")):
        y = other.data
        try:
            {forward2}
            {slopes2}
        except ERRORS:
            out, dx, dy = total(self, other)
    else:
        y = other if other.__class__ is float else as_float(other)
        if y is None:
            return refuse(self, other)
        try:
            {forward2}
            {slope_x2}
        except ERRORS:
            out, dx, dy = total(self, y)
        other, dy = None, y
    node = new(Value)
    node.data = out; node.grad = 0.0; node.label = ""; node._operation = op
    node._x = self; node._y = other; node._dx = dx; node._dy = dy
    return announced(node) if modes_on else node


def record_{name}_swapped(self, other):
    y = self.data
    x = other if other.__class__ is float else as_float(other)
    if x is None:
        return refuse(self, other)
    try:
        {forward}
        {slope_y}
    except ERRORS:
        out, dx, dy = total(x, self)
    node = new(Value)
    node.data = out; node.grad = 0.0; node.label = ""; node._operation = op_swapped
    node._x = self; node._y = None; node._dx = dy; node._dy = x
    return announced(node) if modes_on else node
"""

# An operation on lists, or on three operands. Each list is all Values or all floats; lists of mixed
# kinds, and numbers of other kinds, go to `record_mixed`.
MANY_OPERANDS = """
def record_{name}({signature}):
    {count}{read}
    try:
        {forward}
        {slopes}
    except ERRORS:
        out, {results} = total({originals})
    nodes, partials = (), []
    {gather}
    if not nodes:
        return out
    node = new(Value)
    node.data = out; node.grad = 0.0; node.label = ""; node._operation = op
    node._x = None; node._y = nodes; node._dx = {lists}; node._dy = tuple(partials)
    return announced(node) if modes_on else node
"""

READ_LIST = """kind, {p}_nodes, {p}_recorded = {p}.__class__, {p}, True
    if kind is Values:
        {p} = [node.data for node in {p}_nodes]
    elif kind is Floats:
        {p}_recorded = False
    else:
        if kind is not tuple:
            {p}_nodes = tuple({p}) if kind is list else list_of(op, {p}, "{p}")
        {p} = [node.data for node in {p}_nodes if node.__class__ is Value]
        if len({p}) < len({p}_nodes):  # all floats will do, else numbers of several kinds
            if {p} or not only_floats.issuperset(map(type, {p}_nodes)):
                return record_mixed({originals})
            {p}, {p}_recorded = {p}_nodes, False"""

READ_ONE = """{p}_nodes, {p}_recorded = ({p},), {p}.__class__ is Value
    if {p}_recorded:
        {p} = {p}.data
    elif {p}.__class__ is not float:
        if {p}.__class__ is not int:
            return record_mixed({originals})
        {p} = as_float({p})
        {p}_nodes = ({p},)"""

# An operation on floats: `total` gives value and slopes, `value` the value alone.
ON_FLOATS = """
def total({operands}):
    {forward}
    {slopes}
    return {results}


def value({operands}):
    {forward}
    return out
"""

# A free function. Nearly all calls pass Values, floats or ints, and are told apart here; for all
# others there is `any_kinds`.
ONE_OPERAND = """
def {name}({operands}):
    if {operands}.__class__ is Value:
        return record({operands})
    if {operands}.__class__ is float:
        return value({operands})
    return any_kinds({operands})
"""

SEVERAL_OPERANDS = """
def {name}({operands}):
    if {are_scalars} and not modes_on:
        {record}
    return any_kinds({operands})
"""

RECORD_TWO = """if {0}.__class__ is Value:
            return record({0}, {1})
        if {1}.__class__ is Value:
            return record_swapped({1}, {0})"""


def _words(text: str) -> set[str]:
    """The names in a text, without attributes, gaps and comments."""
    code = "\n".join(line.partition("#")[0] for line in text.replace("def ", ".").splitlines())
    spaced = "".join(c if c.isalnum() or c in "_.{}" else " " for c in code)
    return {name for word in spaced.split() if (name := word.partition(".")[0]).isidentifier()}


# The names in these texts. Neither an operation that a user adds nor a line of work may take one.
TEXTS = (
    UNARY, BINARY, MANY_OPERANDS, READ_LIST, READ_ONE, ONE_OPERAND, SEVERAL_OPERANDS, RECORD_TWO,
)  # fmt: skip
WORDS = _words("\n".join(TEXTS))
WORDS -= {"x", "y", "dx", "dy"}  # the operands and slopes
WORDS |= {"divide"}  # the call that replaces / where nothing may raise
