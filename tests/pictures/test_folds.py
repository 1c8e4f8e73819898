"""Folds: long chains of the same steps and many branches that are alike become one card."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scalargrad import MLP, Value, draw, tanh
from scalargrad import sum as sum_of
from tests.pictures.reading import Picture


def growth(times: int) -> Value:
    v = Value(2.0, "v")
    for _ in range(times):
        v = v * 1.01 + 0.1
    return v


def squares(count: int) -> list[Value]:
    return [Value(float(i), f"x{i}") ** 2 for i in range(count)]


def added(terms: list[Value]) -> Value:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def ones(times: int) -> Value:
    v = Value(1.0, "v")
    for _ in range(times):
        v = v * 1.0  # equal to what it is multiplied by
    return v


def rates(times: int) -> Value:
    v = Value(2.0, "v")
    for i in range(times):
        v = v * (1.0 + i) + 0.5 * i  # in a long chain each step may have its own numbers
    return v


def recurrent(times: int) -> Value:
    h, w = Value(0.5, "h"), Value(0.9, "w")
    for _ in range(times):
        h = tanh(h * w)
    return h


CASES: list[tuple[Callable[[], Value], str, str, int]] = [
    (lambda: growth(20), "… 18 × the same …", "× 1.01   + 0.1", 6),
    (lambda: growth(2000), "… 1,998 × the same …", "× 1.01   + 0.1", 6),
    (lambda: sum_of(squares(200)), "… 197 × the same …", "** 2", 8),
    (lambda: added(squares(200)), "… 197 × the same …", "** 2   +", 9),
    (
        lambda: sum_of([(x - 0.5 * i) * 3.0 for i, x in enumerate(squares(40))]),
        "… 37 × the same …",
        "× 3",
        14,
    ),
    (
        lambda: sum_of([x - 0.5 * i for i, x in enumerate(squares(40))]),
        "… 37 × the same …",
        "−",
        11,
    ),
    (lambda: rates(50), "… 48 × the same …", "×   +", 6),
    (lambda: ones(150), "… 148 × the same …", "× 1", 4),
    (lambda: recurrent(30), "… 28 × the same …", "×   tanh", 7),
]


@pytest.mark.parametrize(("make", "name", "steps", "cards"), CASES)
def test_what_repeats_is_one_card(
    make: Callable[[], Value], name: str, steps: str, cards: int
) -> None:
    y = make()
    y.backward()
    picture = Picture(draw(y))
    assert picture.card(name).texts[1] == steps
    assert len(picture.cards) == cards
    assert float(picture.root.get("width", "")) < 1600
    assert float(picture.root.get("height", "")) < 700
    # from the leaves to the root, and nothing stands alone
    joined = {end for edge in draw(y)._scene.edges for end in (edge.tail, edge.head)}
    assert joined == {card.id for card in picture.cards}
    assert {card.kind for card in picture.cards} == {"leaf", "operation", "output"}


def test_the_losses_of_rows_are_folded_where_they_read_one_neuron() -> None:
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    loss = sum_of([(model([0.1 * i, 0.5]) - 1.0) ** 2 for i in range(20)])
    loss.backward()
    picture = Picture(draw(loss, collapse="neurons"))
    assert picture.card("… 17 × the same …").texts[1] == "** 2"
    assert picture.card("40 numbers").kind == "constant"  # what the rows hold, for the first layer
    assert len(picture.cards) == 1 + 4 + 2 * 3 + 2
    joined = {end for edge in draw(loss)._scene.edges for end in (edge.tail, edge.head)}
    assert joined == {card.id for card in draw(loss)._scene.cards}


def test_what_is_not_the_same_is_not_folded() -> None:
    x = v = Value(0.5, "x")
    for i in range(20):
        v = v * (1.0 + i)
    w = x
    for i in range(20):
        w = w.tanh() if i % 3 else w.sin() + float(i)
    terms = sum_of([x**2, *(Value(1.0, f"y{i}") * float(i % 3) for i in range(9))])
    for root in (growth(7), v, w, added(squares(7)), sum_of(squares(12)), terms):
        assert not [card for card in draw(root)._scene.cards if "the same" in card.name]
    assert len(draw(growth(20), collapse="none")._scene.cards) == 41


def test_roots_in_a_chain_are_not_folded() -> None:
    v = Value(2.0, "v")
    steps = [v]
    for _ in range(40):
        steps.append(steps[-1] + 1.0)
    picture = Picture(draw([steps[20], steps[40]]))
    assert sum(card.kind == "output" for card in picture.cards) == 2
    assert [text for text in picture.texts if "the same" in text] == [
        "… 18 × the same …", "… 18 × the same …",
    ]  # fmt: skip


def test_a_value_that_is_read_elsewhere_is_not_folded() -> None:
    steps = [Value(2.0, "v")]
    for _ in range(40):
        steps.append(steps[-1] + 1.0)
    picture = Picture(draw(steps[40] * steps[20]))
    assert steps[20].data == 22.0
    assert any(card.texts[1] == "22" for card in picture.cards)
    assert sum("the same" in text for text in picture.texts) == 2
