"""explain: a gradient as the sum over its paths, against an enumeration of all of them."""

import math
import random
from itertools import pairwise

import pytest

import scalargrad as sg
from scalargrad import Value
from scalargrad.derivatives import gradients
from scalargrad.explaining import explain


def all_paths(root, wrt):
    """Every path with its slopes, by recursion: what `explain` must agree with where the graph is small."""
    if root is wrt:
        return [((root,), ())]
    found = []
    for operand, slope in zip(root.parents, root.partials, strict=True):
        if isinstance(operand, Value):
            found += [
                ((root, *values), (slope, *slopes)) for values, slopes in all_paths(operand, wrt)
            ]
    return found


def product_of(slopes):
    product = 1.0
    for slope in slopes:
        product = 0.0 if product == 0.0 else product * slope
    return product


def heaviness(product):
    return (2, 0.0) if math.isnan(product) else (1, abs(product))


OPERATIONS = (
    lambda x, y, z: x * y,
    lambda x, y, z: x + y,
    lambda x, y, z: x - 2.0 * y,
    lambda x, y, z: -x,
    lambda x, y, z: sg.tanh(x),
    lambda x, y, z: x * x,
    lambda x, y, z: sg.dot([x, y], [z, 0.5], z),
    lambda x, y, z: sg.sum([x, y, 3.0, x]),
    lambda x, y, z: sg.max([x, y, z]),
    lambda x, y, z: sg.relu(x),
    lambda x, y, z: 1.0 - x,
)


def random_graph(rng):
    """A root over three inputs, with repeats, ties, zeros and operations of many operands."""
    inputs = [Value(rng.choice([-1.5, -0.5, 0.0, 0.75, 2.0])) for _ in range(3)]
    values = [*inputs]
    for _ in range(rng.randint(1, 9)):
        values.append(rng.choice(OPERATIONS)(*rng.choices(values[-5:], k=3)))
    return values[-1] + sg.sum(inputs), inputs


def spiky_graph(rng):
    """A root over one input, by operations whose slopes are 0, inf or nan as often as not."""
    x = Value(0.0)
    values = [x]
    for _ in range(rng.randint(2, 6)):
        y, z = rng.choices(values, k=2)
        slopes = [rng.choice([0.0, 2.0, -3.0, math.inf, math.nan, 0.5]) for _ in range(2)]
        values.append(sg.dot(slopes, [y, z]))
    return values[-1] + x * 1.5, x


# ------------------------------------------------------------------ data


@pytest.mark.parametrize("seed", range(80))
def test_products_of_all_paths_sum_to_the_gradient(seed):
    root, inputs = random_graph(random.Random(seed))
    for x in inputs:
        expected = all_paths(root, x)
        explanation = explain(root, x, paths=10**6, fold=False)
        size = math.fsum(abs(product_of(slopes)) for _, slopes in expected)
        assert explanation.gradient == gradients(root, x)
        assert (
            abs(math.fsum(path.product for path in explanation.paths) - explanation.gradient)
            <= 1e-14 * size
        )
        assert explanation.total_paths == len(explanation.paths) == len(expected)
        assert explanation.remainder == 0.0
        key = [(list(map(id, values)), slopes) for values, slopes in expected]
        assert sorted(
            (list(map(id, path.values)), tuple(path.slopes)) for path in explanation.paths
        ) == sorted(key)
        assert [path.product for path in explanation.paths] == [
            product_of(path.slopes) for path in explanation.paths
        ]


@pytest.mark.parametrize("seed", range(80))
@pytest.mark.parametrize("paths", [1, 3, 7])
def test_the_paths_shown_are_the_heaviest(seed, paths):
    root, inputs = random_graph(random.Random(seed))
    for x in inputs:
        expected = sorted(
            (abs(product_of(slopes)) for _, slopes in all_paths(root, x)), reverse=True
        )[:paths]
        explanation = explain(root, x, paths, fold=False)
        assert [abs(path.product) for path in explanation.paths] == pytest.approx(
            expected, rel=1e-14
        )
        assert len(explanation.paths) == len(expected)
        if len(expected) < explanation.total_paths:
            brought = math.fsum(path.product for path in explanation.paths)
            assert explanation.remainder == pytest.approx(explanation.gradient - brought, abs=1e-12)


@pytest.mark.parametrize("seed", range(120))
def test_paths_that_bring_nan_or_inf_come_first(seed):
    root, x = spiky_graph(random.Random(seed))
    expected = sorted(
        (heaviness(product_of(slopes)) for _, slopes in all_paths(root, x)), reverse=True
    )
    spikes = sum(rank == 2 or size == math.inf for rank, size in expected)
    for paths in (1, 2, 5, 10**6):
        found = [heaviness(path.product) for path in explain(root, x, paths).paths]
        assert found == sorted(found, reverse=True)
        assert sum(rank == 2 or size == math.inf for rank, size in found) == min(spikes, paths)
        assert found[spikes:] == expected[spikes:paths]


def test_the_spiky_graphs_have_every_kind_of_path():
    products = [
        product_of(slopes)
        for seed in range(120)
        for _, slopes in all_paths(*spiky_graph(random.Random(seed)))
    ]
    kinds = [
        "nan" if math.isnan(p) else "inf" if math.isinf(p) else "zero" if p == 0.0 else "finite"
        for p in products
    ]
    assert min(map(kinds.count, ("nan", "inf", "zero", "finite"))) > 50


def test_a_value_read_twice_is_on_two_paths():
    a = Value(3.0)
    explanation = explain(a * a, a)
    assert [path.values[1] is a for path in explanation.paths] == [True, True]
    assert [(path.slopes, path.product) for path in explanation.paths] == [([3.0], 3.0)] * 2
    assert (explanation.gradient, explanation.total_paths) == (6.0, 2)


def test_a_root_explained_by_itself_has_one_path_without_slopes():
    a = Value(3.0, "a")
    explanation = explain(a, a)
    assert [(path.values, path.slopes, path.product) for path in explanation.paths] == [
        ([a], [], 1.0)
    ]
    assert (explanation.gradient, explanation.remainder) == (1.0, 0.0)
    assert repr(explanation) == "d a/d a = 1, the sum over 1 path:\n    a   1\nwhere\n    a = 3"


def test_what_an_inner_value_was_made_of_is_no_part_of_its_paths():
    x = Value(2.0)
    inner = x * x
    explanation = explain(inner * 3.0 + x, inner, fold=False)
    assert [path.slopes for path in explanation.paths] == [[1.0, 3.0]]


def test_slopes_are_those_of_the_time_of_the_operation():
    x = Value(2.0)
    y = x * x
    x.data = 100.0
    assert explain(y, x).gradient == 4.0


def test_no_grad_is_touched():
    x, y = Value(2.0), Value(5.0)
    z = x * y + x
    z.backward()
    before = [value.grad for value in z.graph()]
    str(explain(z, [x, y]))
    assert [value.grad for value in z.graph()] == before


def test_a_list_gives_a_list_and_a_label_finds_its_value():
    x, y = Value(2.0, "x"), Value(5.0, "y")
    by_x, by_y, by_z = explain(x * y * x, [x, "y", "x"])
    assert (by_x.gradient, by_y.gradient, by_z.gradient) == (20.0, 4.0, 20.0)
    assert by_y.wrt is y
    assert explain(x * y, []) == []


# ------------------------------------------------------------------ sizes


def layered(layers, width, slope):
    x = Value(1.0, "x")
    layer = [x * 1.0 for _ in range(width)]
    for i in range(layers - 1):
        layer = [sg.dot([slope(i, j, k) for k in range(width)], layer) for j in range(width)]
    return sg.sum(layer), x


def test_more_paths_than_atoms_are_counted_and_the_heaviest_found():
    rng = random.Random(5)
    heavy = [rng.randrange(20) for _ in range(30)]
    root, x = layered(30, 20, lambda i, j, k: -2.0 if (k, j) == (heavy[i], heavy[i + 1]) else 0.5)
    explanation = explain(root, x, paths=30, fold=False)
    assert explanation.total_paths == 20**30
    assert explanation.paths[0].product == (-2.0) ** 29
    assert explanation.paths[0].slopes == [1.0, *[-2.0] * 29, 1.0]
    # the next: those that leave the heavy way at one of its ends; leaving it between its ends costs two edges
    assert [abs(path.product) for path in explanation.paths[1:]] == [2.0**27] * 29
    brought = math.fsum(path.product for path in explanation.paths)
    assert explanation.remainder == pytest.approx(explanation.gradient - brought)
    assert "the sum over about 1.07e+39 paths; the heaviest:" in str(explanation)


def test_ties_among_all_paths_take_no_time():
    root, x = layered(30, 20, lambda i, j, k: 1.0 / 3.0)
    explanation = explain(root, x, fold=False)
    assert len({tuple(path.values) for path in explanation.paths}) == 10
    assert [path.product for path in explanation.paths] == pytest.approx([3.0**-29] * 10, rel=1e-13)


def test_a_deep_chain_is_explained():
    n = 20_000
    x = Value(1.0, "x")
    y = x
    for i in range(n):
        y = y * (2.0 if i % 2 else 0.5)
    explanation = explain(y, x, fold=False)
    (path,) = explanation.paths
    assert (len(path.values), len(path.slopes)) == (n + 1, n)
    assert (path.product, explanation.gradient) == (1.0, 1.0)
    assert f"… {n + 1 - 7:,} more …" in str(explanation)


def test_counts_beyond_all_bounds_are_inf_and_products_beyond_floats_still_rank():
    x = Value(0.0, "x")
    y = x
    for _ in range(4_000):
        y = y * 0.5 + y * 0.25  # 2^4000 paths; the products of all of them are 0 as floats
    explanation = explain(y, x, paths=3, fold=False)
    assert explanation.total_paths == math.inf
    assert [path.slopes.count(0.25) for path in explanation.paths] == [0, 1, 1]
    assert "the sum over 10^300 paths or more; the heaviest:" in str(explanation)
    assert "    the other 10^300 paths or more " in str(explanation)


def test_counts_are_exact_up_to_their_bound():
    x = Value(1.0)
    y = x
    for _ in range(950):
        y = y + y
    assert explain(y, x, paths=1).total_paths == 2**950
    beyond = y
    for _ in range(60):
        beyond = beyond + beyond
    assert explain(beyond + y, x, paths=1).total_paths == math.inf


# ------------------------------------------------------------------ nan, inf and 0


def test_nan_of_inf_times_zero_is_shown_with_its_place():
    p = Value(0.0, "p")
    y = sg.sqrt(p * p) + p
    y.label = "y"
    explanation = explain(y, p, paths=1, fold=False)
    assert math.isnan(explanation.gradient)
    assert explanation.paths[0].slopes == [1.0, math.inf, 0.0]
    assert math.isnan(explanation.remainder)
    assert "y ← v2 ← v1 ← p     1 × ∞ × 0 = nan" in str(explanation)
    assert "v2 = sqrt(v1) = sqrt(0) = 0" in str(explanation)


def test_a_product_that_overflows_on_the_way_is_inf_as_in_backward_and_first():
    x = Value(1.0, "x")
    y = x * 1e-300 * 1e200 * 1e200 + x * 1e120
    explanation = explain(y, x)
    assert [path.product for path in explanation.paths] == [math.inf, 1e120]
    y.backward()
    assert explanation.gradient == x.grad == math.inf


def test_a_slope_of_zero_passes_nothing_on():
    p = Value(0.0, "p")
    root = 0.0 * sg.sqrt(p) + p
    explanation = explain(root, p, fold=False)
    assert explanation.gradient == 1.0
    assert [(path.slopes, path.product) for path in explanation.paths] == [
        ([1.0], 1.0),
        ([1.0, 0.0, math.inf], 0.0),
    ]
    assert [path.slopes for path in explain(root, p).paths] == [[1.0], [0.0]]


# ------------------------------------------------------------------ folding


@pytest.mark.parametrize("seed", range(40))
def test_slopes_between_two_kept_values_are_multiplied(seed):
    rng = random.Random(seed)
    root, inputs = random_graph(rng)
    for value in root.graph():
        value.label = rng.choice(["", "", f"h{id(value)}"])
    for x in inputs:
        whole = explain(root, x, paths=10**6, fold=False)
        folded = explain(root, x, paths=10**6)
        assert [path.product for path in folded.paths] == [path.product for path in whole.paths]
        assert folded.total_paths == whole.total_paths
        for short, long in zip(folded.paths, whole.paths):
            kept = [v for v in long.values if v.label or v is x or v is root]
            assert [*map(id, short.values)] == [*map(id, kept)]
            cuts = [i for i, v in enumerate(long.values) if v.label or v is x or v is root]
            between = [long.slopes[i:j] for i, j in pairwise(cuts)]
            assert short.slopes == [product_of(slopes) for slopes in between]


def test_the_text_of_a_small_graph():
    w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-3.0, "b")
    z = w * x + b
    z.label = "z"
    loss = z * z + 0.25 * w
    loss.label = "loss"
    assert repr(explain(loss, w)) == (
        "d loss/d w = −7.75, the sum over 3 paths:\n"
        "    loss ← z ← w   −2 × 2 = −4\n"
        "    loss ← z ← w   −2 × 2 = −4\n"
        "    loss ← w       0.25\n"
        "where\n"
        "    loss = z·z + 0.25·w = −2·(−2) + 0.25·0.5 = 4.125\n"
        "    z = w·x + b = 0.5·2 + (−3) = −2\n"
        "    w = 0.5"
    )
    assert "    loss ← v2 ← z ← v1 ← w   1 × −2 × 1 × 2 = −4\n" in repr(
        explain(loss, w, fold=False)
    )


# ------------------------------------------------------------------ text


def test_the_text_of_the_heaviest_paths_and_the_remainder():
    x = Value(1.0, "x")
    y = sg.sum([4.0 * x, -3.0 * x, 0.5 * x, 0.25 * x])
    y.label = "y"
    assert repr(explain(y, x, paths=2)) == (
        "d y/d x = 1.75, the sum over 4 paths; the heaviest:\n"
        "    y ← x               4\n"
        "    y ← x               −3\n"
        "    the other 2 paths   0.75\n"
        "where\n"
        "    y = 4·x + (−3·x) + 0.5·x + 0.25·x = 4·1 + (−3·1) + 0.5·1 + 0.25·1 = 1.75\n"
        "    x = 1"
    )


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda x, y: sg.dot([x, 2.0], [y, x], 1.0), "x·y + 2·x + 1 = 3·5 + 2·3 + 1 = 22"),
        (lambda x, y: sg.maximum(x, y), "maximum(x, y) = maximum(3, 5) = 5"),
        (lambda x, y: 1 / x, "1 / x = 1 / 3 = 0.333333"),
        (lambda x, y: x**2 * 1e9, "x**2·1e9 = 3**2·1e9 = 9e9"),
        (lambda x, y: sg.sum([x] * 90), "sum(…) = 270"),
        (lambda x, y: x - sg.sum([y, y]), "x − (y + y) = 3 − (5 + 5) = −7"),
        (lambda x, y: x * Value(7.0, "x"), "x·x#2 = 3·7 = 21"),
        (lambda x, y: x * Value(-7.0), "x·(−7) = 3·(−7) = −21"),
    ],
)
def test_a_root_is_written_in_names_and_numbers(make, line):
    x, y = Value(3.0, "x"), Value(5.0, "y")
    assert f"    v1 = {line}" in repr(explain(make(x, y), x, paths=99)).splitlines()


def test_no_name_stands_for_two_values():
    v1, v2 = Value(3.0, "v1"), Value(2.0, "v2")
    a, b = v1 * v2, v1 * 5.0
    a.label = b.label = "h"
    text = repr(explain(a * b + v2, v1, fold=False))
    assert "    v4 ← v3 ← h ← v1     1 × 15 × 2 = 30\n" in text
    assert "    v4 ← v3 ← h#2 ← v1   1 × 6 × 5 = 30\n" in text
    assert "    v3 = h·h#2 = 6·15 = 90\n" in text


def test_a_label_that_is_no_text_is_shown():
    x = Value(3.0)
    x.label = 3
    assert repr(explain(x * x, x)).startswith("d v1/d 3 = 6, ")
    assert explain(x * x, "3").wrt is x
    x.label = None
    assert repr(explain(x * x, x)).startswith("d v2/d v1 = 6, ")


def test_a_label_that_cannot_be_shown_is_made_fit():
    assert "v1 ← a b� " in repr(explain(Value(3.0, "a\nb\x1b") ** 2 * 1.0, "a\nb\x1b"))


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda x, y: explain(x, y),
            ValueError,
            "x was not made of y: its slope is 0, no path leads to it",
        ),
        (
            lambda x, y: explain(x * 2, [x, Value(4.0)]),
            ValueError,
            r"root was not made of Value\(data=4.0, grad=0.0\)",
        ),
        (
            lambda x, y: explain(3.0, x),
            TypeError,
            "explain takes as root a Value, got float",
        ),
        (
            lambda x, y: explain([x * y], x),
            TypeError,
            "explain takes as root a Value, got list",
        ),
        (
            lambda x, y: explain(x * y, 3.0),
            TypeError,
            "as wrt a Value, its label or a list of them, got float",
        ),
        (lambda x, y: explain(x * y, None), TypeError, "or a list of them, got NoneType"),
        (lambda x, y: explain(x * y, [[x]]), TypeError, "or a list of them, got list"),
        (
            lambda x, y: explain(x * y, "z"),
            ValueError,
            "no Value of the graph has the label 'z': its labels are 'x', 'y'",
        ),
        (
            lambda x, y: explain(Value(1.0) * 2, "z"),
            ValueError,
            "has the label 'z': its labels are none",
        ),
        (
            lambda x, y: explain(x * Value(1.0, "x"), "x"),
            ValueError,
            "2 Values have the label 'x': give the one as a Value",
        ),
        (
            lambda x, y: explain(x * y, x, paths=0),
            ValueError,
            "paths=0 must be a whole number, 1 or more",
        ),
        (lambda x, y: explain(x * y, x, paths=2.5), ValueError, "paths=2.5 must be a whole number"),
    ],
)
def test_a_mistake_is_named_with_what_to_write(call, error, text):
    with pytest.raises(error, match=text):
        call(Value(2.0, "x"), Value(3.0, "y"))
