"""Lines between wide layers: straight, by weight or gradient, in bundles where they are many."""

from __future__ import annotations

import re

import pytest

from scalargrad import MLP, Value, draw
from scalargrad import sum as sum_of
from tests.pictures.reading import SVG, Picture, box


def output(*sizes: int) -> Value:
    model = MLP(sizes[0], [*sizes[1:]], activation="tanh", seed=4)
    ys = model([Value(0.1 * (i % 7) - 0.3, f"x{i}") for i in range(sizes[0])])
    y = ys if isinstance(ys, Value) else sum_of(ys)
    y.backward()
    return y


def ends(line) -> tuple[float, ...]:  # type: ignore[no-untyped-def]
    path = line.find(f"{SVG}path").get("d")
    found = re.fullmatch(r"M([-\d.]+) ([-\d.]+)L([-\d.]+) ([-\d.]+)", path)
    assert found, path
    return tuple(map(float, found.groups()))


def look(line) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    path = line.find(f"{SVG}path")
    return float(path.get("stroke-width")), float(path.get("opacity"))


@pytest.mark.parametrize(("sizes", "count"), [
    ((2, 16, 16, 1), 2 * 16 + 16 * 16 + 16), ((784, 16, 16, 10), 16 + 16 * 16 + 16 * 10), ((3, 4, 4, 1), 32),
])  # fmt: skip
def test_lines_are_straight_thin_and_lead_between_columns(
    sizes: tuple[int, ...], count: int
) -> None:
    picture = Picture(draw(output(*sizes), collapse="neurons"))
    assert len(picture.lines) == count
    rights = [box(rect)[2] for card in picture.cards for rect in card.outline]
    for line in picture.lines:
        left, _, right, _ = ends(line)
        assert right - left > 60
        assert min(abs(left - side) for side in rights) < 0.11
        thick, opacity = look(line)
        assert 0.7 <= thick <= 3.2
        assert 0.1 <= opacity <= 0.9
    layers = [cluster for cluster in picture.clusters if cluster.get("class") == "layer"]
    for cluster in layers:  # one width, and the neurons in their order
        left, top, right, bottom = box(cluster)
        inside = [card for card in picture.cards if left < card.box[0] and card.box[2] < right]
        inside = [card for card in inside if top < card.box[1] and card.box[3] < bottom]
        inside.sort(key=lambda card: card.box[1])
        assert len({round(card.box[2] - card.box[0]) for card in inside}) == 1
        numbers = [int(card.texts[0].removeprefix("Neuron ")) for card in inside]
        assert numbers == list(range(len(inside)))


def test_lines_are_as_strong_as_gradient_or_weight() -> None:
    model = MLP(2, [5, 1], activation=None, seed=1)
    y = model([Value(0.5, "x0"), Value(-2.0, "x1")])

    def strong(**options: str) -> list[tuple[float, str]]:
        picture = Picture(draw(y, collapse="neurons", **options))  # type: ignore[arg-type]
        first = [line for line in picture.lines if (line.findtext(f"{SVG}title") or "")[0] == "x"]
        return sorted((look(line)[0], line.get("class", "")) for line in first)

    def expected(numbers: list[float]) -> list[tuple[float, str]]:
        most = max(map(abs, numbers))
        return sorted(
            (round(0.7 + 2.5 * abs(x) / most, 2), f"line {'pos' if x > 0 else 'neg'}")
            for x in numbers
        )

    hidden, (last,) = model.layers[0].neurons, model.layers[1].neurons
    weights = [w.data for neuron in hidden for w in neuron.w]
    flows = [
        out.data * w.data for out, neuron in zip(last.w, hidden, strict=True) for w in neuron.w
    ]
    before = strong()
    y.backward()
    for found, numbers in ((before, weights), (strong(edges="weight"), weights), (strong(), flows)):
        assert [kind for _, kind in found] == [kind for _, kind in expected(numbers)]
        assert [thick for thick, _ in found] == pytest.approx(
            [thick for thick, _ in expected(numbers)], abs=0.011
        )
    with pytest.raises(ValueError, match="edges='size' is none of 'gradient', 'weight'"):
        draw(y, edges="size")


def test_few_edges_keep_their_slopes() -> None:
    picture = Picture(draw(output(2, 3, 1), collapse="neurons"))
    assert picture.lines == []
    assert len(picture.pills) == 9


def test_many_edges_are_a_bundle_with_a_count() -> None:
    picture = Picture(draw(output(1, 24, 24, 1), collapse="neurons"))
    assert picture.texts.count("576 edges") == 1
    between = [line for line in picture.lines if line.find(f"{SVG}path") is not None]
    assert 120 <= len(between) - 2 * 24 <= 120 + 2 * 24
    tips = [line.findtext(f"{SVG}title") or "" for line in between]
    pairs = [re.match(r"a1\[(\d+)\] → a2\[(\d+)\]", tip) for tip in tips]
    found = [(int(pair[1]), int(pair[2])) for pair in pairs if pair]
    assert {tail for tail, _ in found} == {head for _, head in found} == set(range(24))
