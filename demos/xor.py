"""XOR, learnt by thirteen scalars: a 2-3-1 network of sigmoids, 10,000 epochs at rate 0.1.

    python -m demos.xor

Nobody derives a gradient by hand: each epoch records what the network computes and walks back
through the record. The demo writes two pictures: the graph of one row's loss, with every slope
in it, and the curve of the loss.
"""

from __future__ import annotations

from collections.abc import Sequence

from demos import show
from scalargrad import Value
from scalargrad.nn import MLP, half_squared_error

X = [[0, 0], [0, 1], [1, 0], [1, 1]]
y = [0, 1, 1, 0]


def main(argv: Sequence[str] | None = None) -> None:
    args = show.options(__doc__, epochs=10_000).parse_args(argv)

    model = MLP(
        2, [3, 1], activation="sigmoid", output_activation="sigmoid", init="normal", seed=args.seed
    )
    print(f"a 2-3-1 network, {len(model.parameters())} parameters, learns XOR")
    history = model.fit(
        X, y, loss="half_squared_error", reduction="sum", lr=0.1, epochs=args.epochs,
        callback=show.loss_as_it_falls(args.epochs),
    )  # fmt: skip

    print("\nx1 x2   wanted   learnt")
    for (x1, x2), wanted, learnt in zip(X, y, model.predict(X), strict=True):
        print(f" {x1}  {x2}      {wanted}     {learnt:.3f}")
    print()

    model.zero_grad()
    loss = half_squared_error(model([Value(1.0, "x1"), Value(0.0, "x2")]), 1)
    loss.label = "loss"
    loss.backward()
    show.write_graph(loss, args.out / "xor.svg", args.open)
    show.write_curve(history, args.out / "xor_loss.svg", args.open)
    show.write_boundary(model, X, y, args.out / "xor_boundary.svg", args.open)


if __name__ == "__main__":
    main()
