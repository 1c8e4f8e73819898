"""Write scalars, see the graph, get the slopes. Written by `python -m tests.stubs`."""

# fmt: off
# ruff: noqa: I001, RUF022
from . import functions as functions, nn as nn
from .anomaly import (
    detect_anomaly as detect_anomaly,
)
from .checking import (
    GradientError as GradientError, check_gradient as check_gradient,
)
from .compiler import (
    TraceError as TraceError, compile as compile,
)
from .derivatives import (
    grad as grad, gradients as gradients, hessian as hessian, hvp as hvp, jacobian as jacobian,
    jvp as jvp, value_and_grad as value_and_grad,
)
from .explaining import (
    explain as explain,
)
from .formulas import (
    FormulaFit as FormulaFit, fit_formula as fit_formula,
)
from .functions import (
    abs as abs, acos as acos, acosh as acosh, add as add, arccos as arccos, arccosh as arccosh,
    arcsin as arcsin, arcsinh as arcsinh, arctan as arctan, arctan2 as arctan2, arctanh as arctanh,
    asin as asin, asinh as asinh, atan as atan, atan2 as atan2, atanh as atanh, cbrt as cbrt,
    clip as clip, cos as cos, cosh as cosh, custom_op as custom_op, deg2rad as deg2rad,
    degrees as degrees, div as div, dot as dot, elu as elu, erf as erf, erfc as erfc, exp as exp,
    exp2 as exp2, expm1 as expm1, gelu as gelu, hypot as hypot, leaky_relu as leaky_relu,
    log as log, log10 as log10, log1p as log1p, log2 as log2, log_sigmoid as log_sigmoid,
    logaddexp as logaddexp, logsumexp as logsumexp, max as max, maximum as maximum, mean as mean,
    min as min, minimum as minimum, mod as mod, mul as mul, neg as neg, norm as norm, pow as pow,
    prod as prod, rad2deg as rad2deg, radians as radians, reciprocal as reciprocal, relu as relu,
    remainder as remainder, sigmoid as sigmoid, sign as sign, silu as silu, sin as sin,
    sinc as sinc, sinh as sinh, softmax as softmax, softplus as softplus, sqrt as sqrt,
    square as square, sub as sub, sum as sum, tan as tan, tanh as tanh, var as var, where as where,
    xlogy as xlogy,
)
from .modes import (
    no_grad as no_grad,
)
from .nn import (
    History as History, Layer as Layer, MLP as MLP, Module as Module, Neuron as Neuron,
    WeightsError as WeightsError,
)
from .nn.plots import (
    plot_decision_boundary as plot_decision_boundary,
)
from .pictures import (
    Drawing as Drawing, draw as draw,
)
from .value import (
    Value as Value,
)

__version__: str
__all__ = [
    "Drawing", "FormulaFit", "GradientError", "History", "Layer", "MLP", "Module", "Neuron",
    "TraceError", "Value", "WeightsError", "acos", "acosh", "add", "arccos", "arccosh", "arcsin",
    "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt",
    "check_gradient", "clip", "cos", "cosh", "custom_op", "deg2rad", "degrees", "detect_anomaly",
    "div", "dot", "draw", "elu", "erf", "erfc", "exp", "exp2", "explain", "expm1", "fit_formula",
    "gelu", "grad", "gradients", "hessian", "hvp", "hypot", "jacobian", "jvp", "leaky_relu", "log",
    "log10", "log1p", "log2", "log_sigmoid", "logaddexp", "logsumexp", "maximum", "mean",
    "minimum", "mod", "mul", "neg", "no_grad", "norm", "plot_decision_boundary", "prod", "rad2deg",
    "radians", "reciprocal", "relu", "remainder", "sigmoid", "sign", "silu", "sin", "sinc", "sinh",
    "softmax", "softplus", "sqrt", "square", "sub", "tan", "tanh", "value_and_grad", "var",
    "where", "xlogy",
]
