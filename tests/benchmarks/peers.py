"""The peers of scalargrad: micrograd itself, and a Value with slots that stores its slopes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any


class SlotsValue:
    """The usual better micrograd: slots and tuples, no closures and sets; a recursive walk."""

    __slots__ = ("data", "grad", "operands", "slopes")

    def __init__(
        self, data: float, operands: tuple[SlotsValue, ...] = (), slopes: tuple[float, ...] = ()
    ) -> None:
        self.data = data
        self.grad = 0.0
        self.operands = operands
        self.slopes = slopes

    def __add__(self, other: SlotsValue | float) -> SlotsValue:
        other = other if isinstance(other, SlotsValue) else SlotsValue(other)
        return SlotsValue(self.data + other.data, (self, other), (1.0, 1.0))

    __radd__ = __add__

    def __mul__(self, other: SlotsValue | float) -> SlotsValue:
        other = other if isinstance(other, SlotsValue) else SlotsValue(other)
        return SlotsValue(self.data * other.data, (self, other), (other.data, self.data))

    __rmul__ = __mul__

    def __sub__(self, other: SlotsValue | float) -> SlotsValue:
        return self + (-1.0) * other

    def __pow__(self, k: float) -> SlotsValue:
        return SlotsValue(self.data**k, (self,), (k * self.data ** (k - 1),))

    def relu(self) -> SlotsValue:
        return SlotsValue(max(self.data, 0.0), (self,), (float(self.data > 0.0),))

    def tanh(self) -> SlotsValue:
        t = math.tanh(self.data)
        return SlotsValue(t, (self,), (1.0 - t * t,))

    def sigmoid(self) -> SlotsValue:
        s = 1.0 / (1.0 + math.exp(-self.data))
        return SlotsValue(s, (self,), (s * (1.0 - s),))

    def exp(self) -> SlotsValue:
        e = math.exp(self.data)
        return SlotsValue(e, (self,), (e,))

    def log(self) -> SlotsValue:
        return SlotsValue(math.log(self.data), (self,), (1.0 / self.data,))

    def sin(self) -> SlotsValue:
        return SlotsValue(math.sin(self.data), (self,), (math.cos(self.data),))

    def cos(self) -> SlotsValue:
        return SlotsValue(math.cos(self.data), (self,), (-math.sin(self.data),))

    def backward(self) -> None:
        order: list[SlotsValue] = []
        seen: set[SlotsValue] = set()

        def visit(value: SlotsValue) -> None:
            if value not in seen:
                seen.add(value)
                for operand in value.operands:
                    visit(operand)
                order.append(value)

        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            for operand, slope in zip(value.operands, value.slopes):
                operand.grad += slope * value.grad


def neuron(weights: Iterable, inputs: Iterable, bias):  # type: ignore[no-untyped-def]
    """w₀x₀ + w₁x₁ + … + b with * and +, for any Value."""
    total = bias
    for w, x in zip(weights, inputs):
        total = total + w * x
    return total


def micrograd_value() -> Any:
    """Micrograd's Value, with operations that it lacks written as its notebook writes tanh.

    ImportError without micrograd.
    """
    from micrograd.engine import Value

    def method(operation: Any, slope: Any) -> Any:
        def record(self: Any) -> Any:
            out = Value(operation(self.data), (self,))

            def backward() -> None:
                self.grad += slope(self.data, out.data) * out.grad

            out._backward = backward
            return out

        return record

    Value.sigmoid = method(lambda x: 1.0 / (1.0 + math.exp(-x)), lambda x, s: s * (1.0 - s))
    Value.exp = method(math.exp, lambda x, e: e)
    Value.log = method(math.log, lambda x, out: 1.0 / x)
    return Value
