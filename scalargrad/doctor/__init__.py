"""The gradient doctor: says what is wrong with a gradient that was derived by hand.   (floor 2)

It tries hypotheses, one after the other: the exact gradient with another sign, transposed, without
a penalty, with the slope of tanh left out, and so on. `walks` and `guesses` hold the tables. A
hypothesis is named only if it explains each number that was given, up to rounding.

`comparison` takes what was given, and `blocks` matches it with the arguments. `tape` keeps the
graph as numbers, `structure` finds layers and functions in it. `rightness` judges what was given,
`search` tries the hypotheses, and `examination` chooses a `diagnosis`.
"""
