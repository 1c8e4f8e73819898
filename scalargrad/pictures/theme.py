"""The look of pictures: colours in light and dark, sizes, the style sheet.   (floor 3)

The style sheet is made from the table `COLOURS`. The kinds of cards differ in their outline
(`OUTLINES`) as well as in colour, so that everyone can tell them apart, in print too.
"""

from __future__ import annotations

FONT = "Inter,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif"

# fmt: off
COLOURS = (
#    selector                 property   light      dark
    (".bg",                   "fill",    "#ffffff", "#0d1420"),
    (".heading",              "fill",    "#0f172a", "#e8eef7"),
    ("rect.layer",              "fill",    "#f3f6fa", "#121b2a"),
    ("rect.layer",              "stroke",  "#c3cedb", "#33435c"),
    ("rect.neuron",             "fill",    "#ffffff", "#182336"),
    ("rect.neuron",             "stroke",  "#94a3b8", "#4d607d"),
    (".ctext",                "fill",    "#334155", "#c3cfdf"),
    (".name",                 "fill",    "#0f172a", "#f1f5fb"),
    (".given",                "fill",    "#475569", "#b3c1d4"),
    (".val",                  "fill",    "#1e293b", "#dbe4f0"),
    (".sub",                  "fill",    "#4b5a70", "#a9b8cd"),
    (".card",                 "fill",    "#ffffff", "#1b2738"),
    (".card",                 "stroke",  "#64748b", "#7f92ad"),
    (".input .card",          "fill",    "#f1f5f9", "#222e3f"),
    (".input .card",          "stroke",  "#64748b", "#90a3bd"),
    (".leaf .card",           "fill",    "#f1f5f9", "#222e3f"),
    (".leaf .card",           "stroke",  "#64748b", "#90a3bd"),
    (".parameter .card",      "fill",    "#f6f1ff", "#251f3d"),
    (".parameter .card",      "stroke",  "#7c4dcc", "#b79bf5"),
    (".output .card",         "fill",    "#e7f6f0", "#0f2e27"),
    (".output .card",         "stroke",  "#00805d", "#3cc9a0"),
    (".constant .card",       "fill",    "#ffffff", "#131d2e"),
    (".constant .card",       "stroke",  "#7b8aa0", "#8798b3"),
    (".badge",                "fill",    "#334155", "#d5deea"),
    (".output .badge",        "fill",    "#00805d", "#3cc9a0"),
    (".btext",                "fill",    "#ffffff", "#10192a"),
    (".edge path",            "stroke",  "#72839b", "#7f92ad"),
    (".edge polygon",         "fill",    "#72839b", "#7f92ad"),
    (".line.pos path",        "stroke",  "#0072b2", "#56b4e9"),
    (".line.neg path",        "stroke",  "#c2500a", "#ff9a4d"),
    (".line.none path",       "stroke",  "#72839b", "#7f92ad"),
    (".line polygon",         "fill",    "#b4c0cf", "#4d607d"),
    (".pill",                 "fill",    "#ffffff", "#1b2738"),
    (".pill",                 "stroke",  "#d3dce7", "#3a4a63"),
    (".ptext",                "fill",    "#334155", "#c3cfdf"),
    (".track",                "fill",    "#dbe3ec", "#38475d"),
    (".tick",                 "stroke",  "#64748b", "#9fb0c8"),
    (".pos .bar",             "fill",    "#0072b2", "#56b4e9"),
    (".neg .bar",             "fill",    "#c2500a", "#ff9a4d"),
    ("text.pos",              "fill",    "#005f94", "#7cc7f2"),
    ("text.neg",              "fill",    "#a34000", "#ffad70"),
    (".dot",                  "fill",    "#64748b", "#90a3bd"),
)

# The texts, and the backgrounds on which each of them must be readable.
TEXTS = {
    ".heading": (".bg",),
    ".ctext":   ("rect.layer", "rect.neuron"),
    ".name":    (".card", ".input .card", ".parameter .card", ".output .card", ".constant .card"),
    ".given":   (".card", ".output .card"),
    ".val":     (".card", ".input .card", ".parameter .card", ".output .card", ".constant .card"),
    ".sub":     (".bg", ".card", ".input .card", ".parameter .card", ".output .card"),
    "text.pos": (".card", ".input .card", ".parameter .card", ".output .card"),
    "text.neg": (".card", ".input .card", ".parameter .card", ".output .card"),
    ".ptext":   (".pill",),
    ".btext":   (".badge", ".output .badge"),
}

OUTLINES = {
#    kind          corner  line  inner line  dashes
    "input":      (24.0,   1.4,  False,      ""),
    "leaf":       (24.0,   1.4,  False,      ""),
    "parameter":  (5.0,    1.6,  True,       ""),
    "operation":  (9.0,    1.4,  False,      ""),
    "output":     (9.0,    3.2,  False,      ""),
    "constant":   (5.0,    1.3,  False,      "4 3"),
    "neuron":     (9.0,    1.4,  False,      ""),
    "layer":      (9.0,    1.4,  False,      ""),
}
# fmt: on

# sizes in pixels; a Graphviz point is one
NAME, VALUE, SUB, PILL, CLUSTER, HEADING = 14.0, 14.0, 11.5, 11.5, 12.5, 20.0
PAD = 14.0  # inside a card, left and right
NARROWEST, WIDEST = 120.0, 264.0
FIRST_LINE, LINE, BAR = 35.0, 20.0, 13.0  # heights
MARGIN = 30.0  # round the picture
THINNEST, THICKEST = 1.3, 4.2  # edges: no gradient, the largest


SCHEMES = {"light": 0, "dark": 1, "auto": None}  # the column of COLOURS; None is both


def style(theme: str = "auto") -> str:
    """The style sheet: shapes and colours, "auto" the dark ones where a reader's system is dark."""
    fixed = (
        "@media screen{.sg{max-width:100%;height:auto}}"
        ".sg text{white-space:pre}.sg .num{font-variant-numeric:tabular-nums}"
        ".sg .edge path,.sg .line path{fill:none}.sg rect.layer,.sg rect.neuron{stroke-width:1.2}"
        ".sg rect.neuron{stroke-dasharray:6 4}.sg .inner{fill:none;stroke-width:1}"
        ".sg .line:hover path{opacity:1;stroke-width:3}.sg .tick{stroke-width:1.2}"
        ".sg .node:hover .card,.sg .edge:hover .pill{stroke-width:3}"
    )
    if (scheme := SCHEMES[theme]) is not None:
        return f"{fixed}\n{_rules(scheme)}"
    return f"{fixed}\n{_rules(0)}\n@media (prefers-color-scheme:dark){{{_rules(1)}}}"


def _rules(scheme: int) -> str:
    sheet = "".join(
        f".sg {selector}{{{what}:{colours[scheme]}}}" for selector, what, *colours in COLOURS
    )
    inner = [(s, c) for s, what, *c in COLOURS if s.endswith(" .card") and what == "stroke"]
    return sheet + "".join(
        f".sg {s.replace('.card', '.inner')}{{stroke:{c[scheme]}}}" for s, c in inner
    )
