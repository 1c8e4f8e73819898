"""Text made fit to show: labels that cannot harm, figures that are short, widths on paper.   (floor 3)

What a user wrote is data. Whatever is in it, it reaches the picture as text that is seen: control and
bidirectional characters, lone surrogates and code points that are no characters come out as `�`.
"""

from __future__ import annotations

import math
from unicodedata import combining, east_asian_width

JOINERS = "\u200c\u200d"  # they join the letters of some scripts, and emoji
LONGEST = 200  # characters of a label that are kept

# Advance widths of DejaVu Sans, the widest of the faces asked for, in thousandths of the size.
_WIDTHS = {
    280: "ijlI'|J",
    320: " ,.·",
    400: "()[]{}!:;/\\-ft",
    420: "r",
    520: 'sz?_*–"^',
    570: "cLF",
    600: "kvxyTYP",
    640: "abdeghnopquES0123456789Σ₀₁₂₃₄₅₆₇₈₉$",
    700: "ABCKRVXZΠ",
    790: "DGHNOQU&",
    840: "w+−×÷=<>~#",
    1000: "mMW@%…→",
}
_WIDTH_OF = {letter: width / 1000 for width, letters in _WIDTHS.items() for letter in letters}


def clean(text: str) -> str:
    """The text with everything replaced that is not seen when it is shown.

    >>> clean("a\\x00b\\u202ec")
    'a�b�c'
    """
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in JOINERS else " " if c in "\u00a0\u3000" else "�" for c in text
    )


def escaped(text: str) -> str:
    """The text as it stands in XML, in an element or in quotes.

    >>> escaped('<a href="x">')
    '&lt;a href=&quot;x&quot;&gt;'
    """
    for letter, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#39;"),
    ):
        text = text.replace(letter, entity)
    return text


def quoted(text: str) -> str:
    """The text as a quoted string of DOT, its line ends as DOT writes them.

    >>> print(quoted('say "a\\\\b"'))
    "say \\"a\\\\b\\""
    """
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide the text is at most, in pixels, in the faces that the picture asks for."""
    wide = sum(
        _WIDTH_OF.get(c) or (0.0 if combining(c) else 1.3 if east_asian_width(c) in "WF" else 0.84)
        for c in text
    )
    return wide * size * (1.13 if bold else 1.0)


def shortened(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, cut and ended with `…` where it would be wider than the room."""
    if width(text, size, bold) <= room:
        return text
    while text and width(text + "…", size, bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def figure(number: float, digits: int = 4) -> str:
    """A number in few figures, with a true minus.

    >>> figure(-1.4999999999999993), figure(6.881373587), figure(1e-12), figure(float("-inf"))
    ('−1.5', '6.881', '1e−12', '−∞')
    """
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if number == 0.0:
        number = abs(number)
    text = f"{number:.{digits}g}"
    if "e" in text:
        head, _, power = text.partition("e")
        text = f"{head}e{int(power)}"
    return text.replace("-", "−")


def counted(count: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "edge"), counted(13002, "parameter")
    ('1 edge', '13,002 parameters')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
