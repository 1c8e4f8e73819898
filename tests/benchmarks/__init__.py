"""Benchmarks: commands that print tables, for figures that anyone can measure again.

`python -m tests.benchmarks` runs them all, `python -m tests.benchmarks.eager` one. Peers are checked to
compute the same before they are timed; rounds are interleaved, so that a change of the machine's speed
meets all of them; medians and their ratios are printed, with the goal and whether it was met.
"""
