"""Backward: the walk over a graph, twice, from two roots, by threads, broken off."""

import math
import signal
import threading

import pytest

import scalargrad as sg
from scalargrad import Value

nan, inf = math.nan, math.inf


def test_a_leaf_accumulates_and_a_computed_value_holds_its_latest_slope():
    x = Value(3.0)
    y = x * x
    z = y * 2
    z.backward()
    y.backward()
    assert x.grad == 12.0 + 6.0
    assert y.grad == 1.0


def test_second_backward_doubles_leaf_gradients_exactly():
    w = Value(0.1)
    y = sg.tanh(w * 0.3 + w * 0.7) * w + sg.dot([w, w, w], [0.1, 0.2, 0.3]) + 1 / w
    y.backward()
    once = w.grad
    y.backward()
    assert w.grad == 2 * once
    y.backward()
    assert w.grad == 2 * once + once


@pytest.mark.parametrize("place", ["first", "second", "in a list"])
def test_second_backward_doubles_exactly_wherever_a_leaf_is_an_operand(place):
    for i in range(1, 60):
        w, others = Value(i / 7), [Value(0.1), Value(0.3) * 1.0, Value(0.7)]
        if place == "in a list":
            y = sg.dot([w, w, w], [0.1, i / 7, 0.7])
        else:
            y = sg.sum([sg.tanh(w * other if place == "first" else other * w) for other in others])
        y.backward()
        once = w.grad
        y.backward()
        assert w.grad == 2 * once


def test_fan_out_sums_the_shares():
    x = Value(2.0)
    y = x * x * x
    ((y + y) * y).backward()  # 2 x⁶
    assert x.grad == 12 * 2.0**5


def test_operands_in_a_list_pass_their_slopes_on():
    x, y = Value(2.0), Value(5.0)
    square = x * x
    root = sg.sum([square, sg.dot([square, y], [x, 3.0]), y, 1.0])  # x² + x³ + 4 y
    root.backward()
    assert (square.grad, x.grad, y.grad) == (1.0 + 2.0, 4.0 + 12.0, 4.0)


def test_a_leaf_in_a_list_adds_to_the_gradient_it_had():
    x, y = Value(2.0), Value(5.0)
    x.grad, y.grad = 10.0, 100.0
    sg.dot([x, y], [3.0, 4.0]).backward()
    assert (x.grad, y.grad) == (13.0, 104.0)


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x * 0.1 + x * 0.2 + x * 0.3,
        lambda x: sg.dot([x, x, x], [0.1, 0.2, 0.3]),
        lambda x: sg.dot([x, x], [0.1, 0.2]) + x * 0.3,
        lambda x: x * 0.1 + sg.dot([x, x], [0.2, 0.3]),
        lambda x: sg.dot([x], [0.1]) + sg.dot([0.2], [x]) + sg.sum([x * 0.3, 1.0]),
    ],
)
def test_the_shares_of_several_readers_are_summed_before_they_are_added_to_what_was_there(read):
    x = Value(3.0)
    for before in (0.0, 0.7, 1e16, 0.1):
        x.grad = 0.0
        read(x).backward()
        share, x.grad = x.grad, before
        read(x).backward()
        assert x.grad == before + share


def test_two_roots_that_share_nodes_are_right():
    x = Value(2.0)
    shared = x * x
    first, second = shared * 3, shared + x
    first.backward()
    assert x.grad == 12.0
    second.backward()
    assert x.grad == 12.0 + 5.0
    assert shared.grad == 1.0


def test_backward_from_an_inner_value_leaves_the_rest_alone():
    x = Value(2.0)
    inner = x * x
    outer = inner * 5
    outer.backward()
    inner.backward()
    assert outer.grad == 1.0
    assert x.grad == 20.0 + 4.0


def test_backward_on_a_leaf_adds_one():
    x = Value(2.0)
    x.backward()
    x.backward()
    assert x.grad == 2.0
    x.grad = 5.0
    x.backward()
    assert x.grad == 6.0


def test_an_unused_branch_cannot_poison_its_inputs():
    x = Value(0.0)
    y = sg.sqrt(x) * 0.0 + x  # the slope of sqrt at 0 is inf, the gradient that reaches it is 0
    y.backward()
    assert x.grad == 1.0


def test_a_local_slope_of_zero_does_not_stop_an_incoming_nan():
    x = Value(-1.0)
    sg.log(sg.relu(x) - 1).backward()
    assert math.isnan(x.grad)


def test_backward_of_threads_that_share_leaves_loses_nothing():
    w = Value(0.5)
    roots = [w * float(i) for i in range(400)]

    def walk(part):
        for root in part:
            root.backward()

    threads = [threading.Thread(target=walk, args=(roots[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert w.grad == sum(range(400))


def test_a_walk_that_was_broken_off_does_not_spoil_the_next():
    x = Value(2.0)
    y = (x * x) * (x + 1)
    expected = 3 * 4.0 + 2 * 2.0
    for node in y.graph():
        node.grad = nan  # what a broken walk may leave in computed Values
    x.grad = 0.0
    y.backward()
    assert x.grad == expected


def test_a_walk_may_begin_within_a_walk_of_the_same_thread():
    big = Value(1.0)
    for _ in range(100_000):
        big = big * 1.0
    walks = []

    def handler(*_):
        x = Value(2.0)
        (x * 3).backward()
        walks.append(x.grad)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    try:
        for _ in range(3):
            big.backward()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert big.graph()[0].grad == 3.0
    assert set(walks) == {3.0}


def test_a_broken_walk_keeps_what_leaves_held():
    x = Value(2.0)
    y = x * x + x
    x.grad = 5.0
    y._x._dx = "no number"  # breaks the walk on its way
    with pytest.raises(TypeError):
        y.backward()
    assert x.grad >= 5.0


def test_a_walk_after_one_that_broke_while_it_was_put_in_order_is_right():
    x = Value(2.0)
    inner = x * x
    y = inner * x + inner
    inner._x = "no Value"
    with pytest.raises(AttributeError):
        y.backward()
    inner._x = x
    y.backward()
    assert (x.grad, inner.grad) == (16.0, 3.0)  # y = x³ + x²


def test_each_leaf_of_several_readers_keeps_what_it_held():
    leaves = [Value(float(i)) for i in range(2, 6)]
    for i, leaf in enumerate(leaves):
        leaf.grad = 10.0**i
    root = sum(leaf * leaf + leaf for leaf in leaves)
    root.backward()
    assert [leaf.grad for leaf in leaves] == [
        10.0**i + 2.0 * leaf.data + 1.0 for i, leaf in enumerate(leaves)
    ]
