"""Mutation testing: what the tests say when the code is wrong in one place.

cosmic-ray changes an operator, a number, a condition or a loop, one at a time, and runs the tests on each such mutant; one
that no test notices survives. It works in a copy of the project, never here, and is no dependency of the tests:

    python -m pip install cosmic-ray
    python -m tests.mutation value                  # or walks, derivatives, ops, optimizers; each takes 2 to 15 minutes
    python -m tests.mutation value --at DIRECTORY   # keeps the copy: run again, it tries the survivors on the tests of now

This prints every survivor and the figure, and ends with an error where less than 95 % are killed. The configuration of a
module stands beside this file: which tests are run on it, and which mutants no test could tell from the module, with reasons.

The figures stand in `tests/PROOFS.md`. Not counted are changes that cannot be seen at run time: in
annotations, which are not evaluated, in the bodies of `if TYPE_CHECKING`, and in the rows of the table
in `ops.py`. The rows are text, which `python -m tests.mutate_rules` breaks rule by rule; the numbers
beside the text are domains, which say where the tests draw their points.
"""
