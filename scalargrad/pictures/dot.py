"""The question to Graphviz: a scene as DOT text, in plain boxes of given sizes.   (floor 3)"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .plan import CROWD, MOST_SHOWN
from .text import width
from .theme import PILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .scene import Cluster, Scene

MOST_AT_LEFT = 16  # leaves; more would stand far from their readers


@dataclass(frozen=True)
class Frame:
    """The room that a card needs: its own, and that for what sticks out of it.

    In a column all cards have one width, and one room beside them, so that they stand in line.
    """

    inside: float  # width of the card itself
    height: float
    badge: float = 0.0  # how far the badge sticks out on the left
    stack: float = 0.0  # how far the cards behind stick out, on the right and below
    before: float = 0.0  # room on the left and on the right
    after: float = 0.0

    @property
    def width(self) -> float:
        """The whole width."""
        return self.before + self.inside + self.after


def dot_text(scene: Scene, frames: Mapping[str, Frame], flipped: Collection[Cluster] = ()) -> str:
    """The scene as DOT: boxes of the given sizes, clusters, edges from side to side.

    The slope on an edge is a small box of its own, halfway along the edge, so that nothing lies on
    it. If the edge comes into a neuron from outside, that box is a gate among the neuron's
    parameters. Without it Graphviz would lead the edge around the cluster.
    """
    direction, tail, head = ("TB", "s", "n") if scene.downward else ("LR", "e", "w")
    operands = Counter(edge.head for edge in scene.edges if edge.strength is None)
    has_pills, has_fans = (
        any(edge.pill for edge in scene.edges),
        max(operands.values(), default=0) > MOST_SHOWN,
    )
    beside = 0.12 if any(card.is_small for card in scene.cards) else 0.26
    between = 0.35 if has_pills and not has_fans else 0.7
    spacing = f"nodesep={beside}, ranksep={between}"
    if not scene.clusters:
        spacing += ", ordering=in"  # operands in their order
    elif any(cluster.kind == "layer" and cluster.cards for cluster in scene.clusters):
        spacing += ", mclimit=0.01"  # keeps the order of neurons, though a few more edges cross
    if len(scene.cards) > CROWD // 2:
        spacing += ", nslimit=2, nslimit1=2"  # the search for the shortest edges ends in time
    boxes, gates = _boxes_on_edges(scene)
    title = _in_quotes(scene.title or " ")
    inside = _in_order(scene, boxes, flipped)
    lines = [
        "digraph {",
        f"  graph [rankdir={direction}, {spacing}, fontname=Helvetica, tooltip={title}]",
        "  node [shape=box, style=rounded, fixedsize=true, fontname=Helvetica, fontsize=11]",
        f"  edge [tailport={tail}, headport={head}, arrowsize=0.7]",
    ]
    for number, cluster in enumerate(scene.clusters):
        lines += _cluster_lines(cluster, f"cluster_{number}", "  ", inside)
    lines += _columns_of_lines(scene, between)
    for card in scene.cards:
        shown = [
            f"{card.badge} {card.name}".strip(),
            card.value,
            *(" ".join(line).strip() for line in card.lines),
        ]
        label = _in_quotes("\n".join(filter(None, shown)))
        frame = frames[card.id]
        size = _size((frame.width, frame.height))
        lines.append(f"  {card.id} [{size}, label={label}, tooltip={_in_quotes(card.tip)}]")
    if len(inputs := _inputs(scene)) > 1:
        lines.append(f"  {{rank=min; {'; '.join(inputs)}}}")
    read = {edge.tail for edge in scene.edges}
    last = [card.id for card in scene.cards if card.kind == "output" and card.id not in read]
    if len(last) > 1 and not scene.clusters:  # several roots, in their order
        lines.append(f"  {{rank=same; {' -> '.join(last)} [style=invis]}}")
    lines += _edge_lines(scene, operands, boxes, gates, columns=2 if has_pills else 1)
    return "\n".join([*lines, "}", ""])


def _inputs(scene: Scene) -> list[str]:
    """The cards that stand at the left: inputs, and leaves, which may be some.

    If there are many leaves, those that are read once are weights rather than inputs.
    """
    leaves = [card.id for card in scene.cards if card.kind == "leaf"]
    if len(leaves) > MOST_AT_LEFT:
        times = Counter(edge.tail for edge in scene.edges)
        leaves = [leaf for leaf in leaves if times[leaf] > 1]
    return [card.id for card in scene.cards if card.kind == "input"] + leaves


def _edge_lines(
    scene: Scene,
    operands: Counter[str],
    boxes: Mapping[str, Cluster | None],
    gates: set[str],
    columns: int,
) -> Iterator[str]:
    """The edges and the boxes on them; an edge from card to card is `columns` columns long."""
    readers = Counter(edge.tail for edge in scene.edges if edge.strength is None)
    for number, edge in enumerate(scene.edges):
        name, more = f"e{number}", f"tooltip={_in_quotes(edge.tip)}"
        if operands[edge.head] == 1:
            more += ", weight=8"  # a card that reads one other card is on a level with it
        if edge.strength is not None:
            continue
        if name in boxes:
            size = _size((width(edge.pill, PILL) + 12, 18.0) if edge.pill else (2.0, 2.0))
            long = columns if name in gates else 1
            yield f"  {name} [{size}, label={_in_quotes(edge.pill)}, {more}, color=gray]"
            yield f"  {edge.tail} -> {name} [id={name}a, {more}, minlen={long}, arrowhead=none]"
            yield f"  {name} -> {edge.head} [id={name}b, {more}, minlen={long}]"
        else:
            # the edges of a fan are so many that boxes on them would fill a column
            is_fan = operands[edge.head] > MOST_SHOWN or readers[edge.tail] > MOST_SHOWN
            long = 1 if is_fan else columns
            yield f"  {edge.tail} -> {edge.head} [id={name}, {more}, minlen={long}]"


def _columns_of_lines(scene: Scene, between: float) -> Iterator[str]:
    """The lines between two layers for Graphviz: neurons side by side, in their order.

    If it had all lines, it would keep room for each of them, and no two layers the same order.
    """
    home = {id: number for number, cluster in enumerate(scene.clusters) for id in cluster.cards}
    ends: dict[int | None, tuple[dict[str, None], dict[str, None]]] = {}
    for edge in scene.edges:
        if edge.strength is not None:
            tails, heads = ends.setdefault(home.get(edge.head), ({}, {}))
            tails[edge.tail] = heads[edge.head] = None
    for tails, heads in ends.values():
        count = max(len(tails), len(heads))
        gap = round((2.1 if len(tails) * len(heads) < 100 else 2.8) / between)
        place = {card.id: number for number, card in enumerate(scene.cards)}
        sides = [sorted(side, key=place.__getitem__) for side in (tails, heads)]
        for number in range(count):
            tail, head = (side[number * len(side) // count] for side in sides)
            yield f"  {tail} -> {head} [minlen={gap}, weight=8]"


def _size(size: tuple[float, float]) -> str:
    return "width={:.4f}, height={:.4f}".format(*(length / 72 for length in size))


def _boxes_on_edges(scene: Scene) -> tuple[dict[str, Cluster | None], set[str]]:
    """The edges with a box on them, each with the neuron it goes to, and the edges with a gate."""
    neuron = {
        id: cluster
        for cluster in scene.all_clusters()
        if cluster.kind == "neuron"
        for id in cluster.cards
    }
    homes: dict[str, Cluster | None] = {}
    gates = set()
    for number, edge in enumerate(scene.edges):
        home = neuron.get(edge.head)
        is_gate = home is not None and home is not neuron.get(edge.tail)
        if edge.pill or is_gate:
            homes[f"e{number}"] = home
        if is_gate:
            gates.add(f"e{number}")
    return homes, gates


def _cluster_lines(
    cluster: Cluster,
    name: str,
    indent: str,
    inside: Mapping[Cluster, list[str]],
) -> Iterator[str]:
    title = _in_quotes("  ".join(filter(None, (cluster.title, cluster.note))))
    yield f"{indent}subgraph {name} {{"
    yield f"{indent}  graph [label={title}, labeljust=l, fontsize=15, margin=14, tooltip={title}]"
    for number, inner in enumerate(cluster.inside):
        yield from _cluster_lines(inner, f"{name}_{number}", indent + "  ", inside)
    if names := inside.get(cluster):
        yield f"{indent}  {'; '.join(names)}"
    yield f"{indent}}}"


def _in_order(
    scene: Scene, boxes: Mapping[str, Cluster | None], flipped: Collection[Cluster]
) -> dict[Cluster, list[str]]:
    """The cards and boxes of each cluster, in the order of the edges, or flipped."""
    home = {card: cluster for cluster in scene.all_clusters() for card in cluster.cards}
    inside: dict[Cluster, dict[str, None]] = {}

    def put(name: str, cluster: Cluster | None) -> None:
        if cluster is not None:
            inside.setdefault(cluster, {})[name] = None

    for number, edge in enumerate(scene.edges):
        put(edge.tail, home.get(edge.tail))
        put(f"e{number}", boxes.get(f"e{number}"))
    for card in scene.cards:
        put(card.id, home.get(card.id))
    # Graphviz fills most columns of a cluster from the bottom, and its rows from the left.
    return {
        cluster: list(names) if scene.downward != (cluster in flipped) else list(reversed(names))
        for cluster, names in inside.items()
    }


def _in_quotes(text: str) -> str:
    """The text as a string in DOT, with the line ends of DOT.

    >>> print(_in_quotes('say "a\\\\b"'))
    "say \\"a\\\\b\\""
    """
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
