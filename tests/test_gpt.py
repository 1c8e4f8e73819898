"""The GPT demo: the formulas of the model in NumPy, its gradient by differences, names as numbers, what the program prints."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from demos import gpt
from scalargrad import check_gradient

ALPHABET = "abcde"


@pytest.fixture
def tiny():
    """Four positions of eight numbers, two heads, five letters and the mark."""
    return gpt.GPT(len(ALPHABET) + 1, context=4, width=8, heads=2, seed=1)


def rms_normed(x):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)


def softmaxed(z):
    e = np.exp(z - z.real.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def logits_by_hand(p, tokens, heads):
    """The logits of a document of token numbers, (positions, vocabulary): matrices, a mask, and einsum for the heads."""
    x = p["token_embedding"].T[tokens] + p["position_embedding"][: len(tokens)]
    count, width = x.shape
    q, k, v = (
        np.reshape(rms_normed(x) @ p[name].T, (count, heads, -1))
        for name in ("queries", "keys", "values")
    )
    scores = np.einsum("thi,shi->hts", q, k) / np.sqrt(width / heads)
    scores = np.where(np.tri(count, dtype=bool), scores, -np.inf)
    x = (
        x
        + np.einsum("hts,shi->thi", softmaxed(scores), v).reshape(count, width)
        @ p["attention_out"].T
    )
    hidden = rms_normed(x) @ p["wider"].T
    x = x + np.where(hidden.real > 0, hidden, 0) @ p["narrower"].T
    return rms_normed(x) @ p["to_logits"].T


def tokens_of(name):
    """The mark and the characters, and the characters and the mark."""
    letters = [ALPHABET.index(character) for character in name]
    return [len(ALPHABET), *letters], [*letters, len(ALPHABET)]


def loss_by_hand(p, name, heads):
    asked, answered = tokens_of(name)
    shares = softmaxed(logits_by_hand(p, asked, heads))
    return -np.mean(np.log(shares[range(len(answered)), answered]))


def larger(model, by=8.0):
    """The same model with weights of a size at which heads attend to one thing more than to another."""
    model.load_state({name: by * numbers for name, numbers in model.state().items()})
    return model


# ------------------------------------------------------------------ the model


def test_the_gpt_for_26_letters_has_4192_parameters():
    assert len(gpt.GPT(27).parameters()) == 4192


@pytest.mark.parametrize("name", ["", "a", "deb", "eee"])
def test_logits_and_loss_are_those_of_the_formulas_in_numpy(tiny, name):
    larger(tiny)
    np.testing.assert_allclose(
        tiny.predict([gpt.asked(name, ALPHABET)])[0],
        logits_by_hand(tiny.state(), tokens_of(name)[0], heads=2),
        rtol=1e-12,
        atol=1e-13,
    )
    loss = gpt.surprise(tiny(gpt.asked(name, ALPHABET)), gpt.answered(name, ALPHABET))
    assert loss.data == pytest.approx(loss_by_hand(tiny.state(), name, heads=2), rel=1e-12)


def test_the_gradient_by_every_parameter_is_that_of_the_formulas(tiny):
    """The slope of a formula is the imaginary part of f(x + ih) / h: there is no difference in it that could cancel."""
    larger(tiny)
    gpt.surprise(tiny(gpt.asked("bad", ALPHABET)), gpt.answered("bad", ALPHABET)).backward()
    state = {name: numbers.astype(complex) for name, numbers in tiny.state().items()}
    slopes = []
    for numbers in state.values():
        for place in np.ndindex(numbers.shape):
            numbers[place] += 1e-100j
            slopes.append(loss_by_hand(state, "bad", heads=2).imag / 1e-100)
            numbers[place] -= 1e-100j
    np.testing.assert_allclose([p.grad for p in tiny.parameters()], slopes, rtol=1e-10, atol=1e-13)
    assert np.count_nonzero(slopes) > 500


def test_the_gradient_is_that_of_differences():
    model = larger(gpt.GPT(3, context=2, width=2, heads=2, seed=1))
    assert (
        check_gradient(
            lambda model: gpt.surprise(model(gpt.asked("b", "ab")), gpt.answered("b", "ab")), model
        )
        < 1
    )


def test_a_position_does_not_see_what_comes_after_it(tiny):
    short, long = (tiny.predict([gpt.asked(name, ALPHABET)])[0] for name in ("a", "abc"))
    assert long[:2] == short
    other = tiny.predict([gpt.asked("aec", ALPHABET)])[0]
    assert other[:2] == short
    assert other[3] != long[3]


def test_padding_changes_neither_loss_nor_gradient(tiny):
    gpt.surprise(tiny(gpt.asked("a", ALPHABET)), gpt.answered("a", ALPHABET)).backward()
    bare = [p.grad for p in tiny.parameters()]
    tiny.zero_grad()
    (x, _), (y, _) = gpt.tables(["a", "abc"], ALPHABET)
    gpt.surprise(tiny(x), y).backward()
    assert [p.grad for p in tiny.parameters()] == pytest.approx(
        bare, rel=1e-12
    )  # in another order of adding up
    assert any(bare)


def test_a_document_longer_than_the_context_is_refused(tiny):
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        tiny(gpt.asked("abcd", ALPHABET))


# ------------------------------------------------------------------ learning and inventing


def test_a_tiny_model_learns_two_names_by_heart(tiny, capsys):
    names = ["abc", "ded"] * 4
    history = gpt.train(tiny, names, ALPHABET, steps=150)
    assert len(history.loss) == 150
    assert (
        history.loss[-1] < 0.4 < 1.5 < history.loss[0]
    )  # ln 2 / 4 = 0.17 is the least: which of the two it is cannot be known
    assert {tiny.invent(ALPHABET, random.Random(seed), temperature=0.1) for seed in range(10)} <= {
        "abc",
        "ded",
    }
    assert "150/150" in capsys.readouterr().err


def test_compiled_training_gives_the_numbers_of_eager(capsys):
    states = []
    for engine in ("eager", "compiled"):
        model = gpt.GPT(len(ALPHABET) + 1, context=4, width=8, heads=2, seed=1)
        history = gpt.train(
            model,
            ["abc", "ded", "a", "be", "cc", "ed", "dab", "ace", "b"],
            ALPHABET,
            steps=10,
            engine=engine,
        )
        states.append([*history.loss, *(p.data for p in model.parameters())])
    np.testing.assert_allclose(*states, rtol=0, atol=1e-12)


def test_invented_names_are_drawn_as_the_logits_say(tiny):
    """After the mark, the first letter: its share among many draws is the softmax of the logits over the temperature."""
    larger(tiny)
    shares = softmaxed(logits_by_hand(tiny.state(), [len(ALPHABET)], heads=2)[0] / 0.5)
    rng = random.Random(0)
    drawn = [tiny.invent(ALPHABET, rng, temperature=0.5)[:1] for _ in range(400)]
    found = [drawn.count(character) / 400 for character in (*ALPHABET, "")]
    np.testing.assert_allclose(found, shares, atol=4 * 0.5 / 400**0.5)
    assert shares.max() > 0.3


def test_an_invented_name_ends_where_the_context_does(tiny):
    tiny.load_state({**tiny.state(), "to_logits": np.zeros((6, 8))})
    lengths = {len(tiny.invent(ALPHABET, random.Random(seed))) for seed in range(40)}
    assert lengths == {0, 1, 2, 3}


# ------------------------------------------------------------------ names as numbers


def test_tables_hold_a_mark_first_and_last_and_zeros_behind():
    X, y = gpt.tables(["ab", "b"], "ab")
    assert np.reshape(X, (2, 3, 3)).tolist() == [
        [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
        [[0, 0, 1], [0, 1, 0], [0, 0, 0]],
    ]
    third = 1 / 3
    assert np.reshape(y, (2, 3, 3)).tolist() == [
        [[third, 0, 0], [0, third, 0], [0, 0, third]],
        [[0, 0.5, 0], [0, 0, 0.5], [0, 0, 0]],
    ]


def test_names_of_modules_consist_of_letters():
    names = gpt.read_names(None)
    assert {"json", "random", "cprofile"} <= set(names)
    assert all(re.fullmatch("[a-z]{1,15}", name) for name in names)
    assert names == sorted(set(names))


def test_a_file_gives_its_names_once_small_and_no_longer_than_the_context(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("Ada\n\n  Zoë \nada\nDonaudampfschiff\nDonaudampfschif\n", encoding="utf-8")
    assert gpt.read_names(path) == ["ada", "zoë", "donaudampfschif"]


# ------------------------------------------------------------------ the program


def test_the_demo_prints_invented_names_and_the_same_for_the_same_seed(tmp_path, capsys):
    path = tmp_path / "names.txt"
    path.write_text("Bo\nÖle\nAda\n", encoding="utf-8")
    printed = []
    for seed in ("0", "0", "1"):
        gpt.main(
            [
                "--names",
                str(path),
                "--steps",
                "3",
                "--samples",
                "4",
                "--seed",
                seed,
                "--engine",
                "eager",
                "--out",
                str(tmp_path),
            ]
        )
        printed.append(re.sub(r"; \d+ s\n", "\\n", capsys.readouterr().out))
    assert printed[0] == printed[1] != printed[2]
    assert "3 names of 7 characters, 3,584 parameters" in printed[0]
    assert re.search(
        r"^loss +[12]\.\d{3} in the first epoch, [12]\.\d{3} in the last of 3$",
        printed[0],
        re.MULTILINE,
    )
    assert len(re.findall(r"^    (?:\[?[abdeloö]+\]?|\(nothing\))$", printed[0], re.MULTILINE)) == 4
    (curve,) = re.findall(r"^loss curve +(\S+)$", printed[0], re.MULTILINE)
    assert "epoch" in Path(curve).read_text()


def test_ctrl_c_ends_training_and_names_are_invented_all_the_same(tmp_path, capsys, monkeypatch):
    def interrupted(logits, wanted):
        raise KeyboardInterrupt

    monkeypatch.setattr(gpt, "surprise", interrupted)
    gpt.main(["--samples", "2", "--engine", "eager", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "names of 26 characters, 4,192 parameters" in text
    assert "in the first epoch" not in text
    assert re.search(
        r"taught:\n    .+\n    .+\nloss curve   not drawn: no epoch was finished", text
    )


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", [], "holds no names of 1 to 15 characters: write one a line"),
        ("x" * 16, [], "holds no names of 1 to 15 characters"),
        (None, [], "No such file"),
        ("ada", ["--temperature", "0"], "0 is no temperature, expected a number from 0.001 on"),
        ("ada", ["--temperature", "1e-308"], "1e-308 is no temperature"),
        ("ada", ["--temperature", "inf"], "inf is no temperature"),
        ("ada", ["--temperature", "nan"], "nan is no temperature"),
        ("ada", ["--steps", "0"], "0 is too few"),
        ("ada", ["--engine", "steam"], "invalid choice: 'steam'"),
    ],
)
def test_wrong_options_end_with_an_error_that_says_what_to_do(
    content, options, message, tmp_path, capsys
):
    path = tmp_path / "names.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as ended:
        gpt.main(["--names", str(path), *options])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_help_says_what_the_demo_does(capsys):
    with pytest.raises(SystemExit) as ended:
        gpt.main(["--help"])
    assert ended.value.code == 0
    assert "python -m demos.gpt" in capsys.readouterr().out
