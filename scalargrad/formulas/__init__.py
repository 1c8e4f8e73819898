"""fit_formula: the parameters of a formula that fits data, with their errors.   (floor 3)

SciPy's `least_squares` does the search (`fitting`). It asks for the formula's numbers in all rows,
and for their slopes by each parameter: `compile` turns the formula into code for both (`compiled`).
Rows may be many and parameters are few, so it gets them reduced (`search`). `result` is what a user
sees: the parameters with errors, intervals and bands.
"""

from .compiled import Data, Formula
from .fitting import fit_formula
from .result import Band, FormulaFit

_Data, _Formula = Data, Formula  # as a fit that was pickled earlier names them

__all__ = ["Band", "FormulaFit", "fit_formula"]
