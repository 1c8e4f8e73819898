"""Methods that are compiled: each is of its object."""

from __future__ import annotations

import copy
import functools
import pickle
import sys

import scalargrad as sg


class Line:
    """A class with compiled methods."""

    def __init__(self, slope):
        self.slope = slope

    @sg.compile
    def at(self, x):
        """The line at x."""
        return self.slope * x * x

    @functools.partial(sg.compile, rows="x", reduce="sum")
    def over(self, w, x):
        return w * x * self.slope

    @classmethod
    @sg.compile
    def twice(cls, x):
        return 2.0 * x

    @staticmethod
    @sg.compile
    def thrice(x):
        return 3.0 * x

    def of_method(self, x):
        return self.at(x) * x


def test_a_compiled_method_is_of_its_object():
    two, five = Line(2.0), Line(5.0)
    assert two.at.value_and_grad(3.0) == (18.0, 12.0)
    assert five.at(3.0) == 45.0
    two.slope = 1.0
    assert two.at(3.0) == 9.0
    assert two.at is two.at
    assert Line.at.__doc__ == "The line at x."
    assert five.over.value_and_grad(1.0, [1.0, 2.0]) == (15.0, 15.0)
    assert Line.thrice(1.0) == two.thrice(1.0) == 3.0
    assert sg.compile(five.of_method).value_and_grad(2.0) == (40.0, 60.0)
    if sys.version_info < (3, 13):  # later ones call it with the class
        assert Line.twice.value_and_grad(1.0) == two.twice.value_and_grad(1.0) == (2.0, 2.0)


def test_copies_of_an_object_have_methods_of_their_own():
    line = Line(2.0)
    assert line.at(1.0) == 2.0
    other = copy.copy(line)
    other.slope = 7.0
    assert (line.at(1.0), other.at(1.0)) == (2.0, 7.0)
    assert pickle.loads(pickle.dumps(other)).at(1.0) == 7.0
    assert pickle.loads(pickle.dumps(other.over)).value_and_grad(1.0, [2.0]) == (14.0, 14.0)


def test_methods_of_many_objects_are_not_all_remembered():
    for i in range(300):
        assert Line(float(i)).at(1.0) == float(i)
    assert len(Line.at._bound) <= 256


def test_methods_that_are_no_longer_remembered_are_pickled_as_methods():
    line = Line(2.0)
    over = line.over
    Line.over._bound.clear()
    assert pickle.loads(pickle.dumps(over)).value_and_grad(1.0, [2.0]) == (4.0, 4.0)
    other = pickle.loads(pickle.dumps(sg.compile(line.at.__wrapped__, backend="python")))
    assert other.value_and_grad(3.0) == (18.0, 12.0)
    assert "backend='python'" in repr(other)
