"""Text in a picture: its width, and its form in XML.   (floor 3)"""

from __future__ import annotations

from unicodedata import combining, east_asian_width

# Widths of the letters of DejaVu Sans, in thousandths of its size. No other font that the picture
# asks for is wider.
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


def escaped(text: str) -> str:
    """The text in XML, for an element or between quotes.

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


def width(text: str, size: float, bold: bool = False) -> float:
    """The largest width of the text, in pixels, in any font that the picture asks for."""
    wide = sum(
        _WIDTH_OF.get(c) or (0.0 if combining(c) else 1.3 if east_asian_width(c) in "WF" else 0.84)
        for c in text
    )
    return wide * size * (1.13 if bold else 1.0)


def wrapped(text: str, room: float, size: float, most: int, bold: bool = False) -> list[str]:
    """The text in lines that fit the room, broken at spaces; the last ends with `…` if more follow.

    >>> wrapped("one line and another", 80.0, 10.0, most=2)
    ['one line and', 'another']
    """
    lines: list[str] = []
    for line in text.split("\n"):
        lines.append("")
        for word in line.split(" "):
            longer = f"{lines[-1]} {word}" if lines[-1] else word
            if lines[-1] and width(longer, size, bold) > room:
                lines.append(word)
            else:
                lines[-1] = longer
    if len(lines) > most:
        lines[most - 1 :] = [lines[most - 1] + " …"]
    return [shortened(line, room, size, bold) for line in lines]


def shortened(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text; if it is wider than the room, a shorter one that ends with `…`."""
    if width(text, size, bold) <= room:
        return text
    while text and width(text + "…", size, bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"
