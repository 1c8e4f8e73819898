"""Mutation testing: what the tests say when the code is wrong in one place.

cosmic-ray changes an operator, a number, a condition or a loop, one at a time, and runs the tests on each such mutant; one
that no test notices survives. It works in a copy of the project, never here, and is no dependency of the tests:

    python -m pip install cosmic-ray
    python -m tests.mutation value                  # or derivatives, ops, optimizers; each takes 2 to 15 minutes
    python -m tests.mutation value --at DIRECTORY   # keeps the copy: run again, it tries the survivors on the tests of now

This prints every survivor and the figure, and ends with an error where less than 95 % are killed. The configuration of a
module stands beside this file: which tests are run on it, and which mutants no test could tell from the module, with reasons.

    module             mutants    killed    equivalent    survived    killed in the first run, before tests were added for it
    value.py               108       108             0           0    103
    derivatives.py         271       262             9           0    255
    ops.py                 127       125             2           0    114
    nn/optimizers.py       650       643             7           0    628

That is 100 % of those that are not equivalent, and no test had to wait for the timeout. Not counted are changes that cannot be
seen at run time, in annotations, which are not evaluated, and in the bodies of `if TYPE_CHECKING`: 33, 11, 22 and 77; and in
`ops.py` 348 in the rows of the table. The rows are text, broken rule by rule by `python -m tests.mutate_rules`; what numbers
there are in them beside the text are domains, which say where the tests draw their points.

Equivalent are: the size of a set compared with that of its list by != instead of < (4), the last of a list of one for the first
(3), a comparison with a bound that is never passed (3), a class or a small integer compared by == or `is` (2), a walk that
ends before its first node, which passes nothing on (2), a depth of which only the sign is asked (2), and a length that nobody
reads (2).
"""
