"""Benchmarks: commands that print tables, for figures that anyone can measure again.

`python -m tests.benchmarks` runs them all, `python -m tests.benchmarks eager` one of them. Before
they are timed, peers are checked to compute the same. They take turns, so that a change of the
machine's speed meets them all. Tables show medians and their ratios, with each goal and whether it
was met. `python -m tests.benchmarks.against --against PATH` compares with another checkout.
"""
