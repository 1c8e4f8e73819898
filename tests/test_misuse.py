"""Data and grads that somebody set to what is no number: the first that reads them names them."""

import numpy as np
import pytest

import scalargrad as sg
from scalargrad import Value, dot, relu, tanh


def forgot_data(w: Value) -> None:
    w.data -= 0.1 * w  # type: ignore[assignment]


MISUSES = {
    "w.data -= 0.1 * w": (forgot_data, "the data of w was set to a Value.*write w.data = "),
    "w.data = '3'": (lambda w: setattr(w, "data", "3"), "the data of w was set to a str"),
    "w.data = None": (lambda w: setattr(w, "data", None), "the data of w was set to a NoneType"),
    "w.data = an array": (
        lambda w: setattr(w, "data", np.ones(2)), "the data of w was set to a ndarray",
    ),
    "w.grad = None": (lambda w: setattr(w, "grad", None), "grad of w .*None.*write w.grad = 0.0"),
    "w.grad = an array": (lambda w: setattr(w, "grad", np.ones(2)), "grad of w .*write w.grad ="),
}  # fmt: skip
READERS = {
    "tanh": tanh, "a product": lambda w: 2 * w, "a square": lambda w: w * w,
    "relu of a sum": lambda w: relu(w + 1), "a dot": lambda w: dot([w, w], [1.0, 2.0]),
    "a sum": lambda w: sg.sum([w, w, 1]), "clip": lambda w: w.clip(0, 5), "a power": lambda w: 2**w,
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("misuse", MISUSES)
def test_what_is_set_to_no_number_is_named_by_the_operation_that_reads_it_or_by_backward(
    misuse, reader
):
    change, message = MISUSES[misuse]
    w = Value(3.0, "w")
    change(w)
    with pytest.raises(TypeError, match=message):
        READERS[reader](w).backward()


def test_a_result_whose_data_was_set_to_no_number_is_named():
    y = Value(3.0) * 2
    y.data = None
    with pytest.raises(TypeError, match="the data of a result of mul was set to a NoneType"):
        y.exp().backward()
