"""The demo that fits a curve finds what the data were made from, and writes its plot."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from demos import curve_fit


def test_the_demo_finds_the_parameters_and_writes_the_plot(tmp_path, capsys):
    curve_fit.main(["--out", str(tmp_path / "new")])
    text = capsys.readouterr().out
    table = re.findall(r"^([akwp]) +([\d.]+) +([\d.]+) +([\d.]+) … ([\d.]+)$", text, re.MULTILINE)
    assert [row[0] for row in table] == [*curve_fit.TRUE]
    for (_, found, error, low, high), true in zip(table, curve_fit.TRUE.values(), strict=True):
        assert abs(float(found) - true) < 3 * float(error)
        assert float(low) < float(found) < float(high)
    (path,) = re.findall(r"^fit +(\S+)$", text, re.MULTILINE)
    drawn = Path(path).read_text()
    assert drawn.count("<use") >= 60  # the points, and the ticks of the axes


def test_without_matplotlib_the_plot_is_left_out_and_all_else_done(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    curve_fit.main(["--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "std. error" in text
    assert re.search(
        r"^fit +not drawn: it takes matplotlib \(the extra `plot`\)$", text, re.MULTILINE
    )
    assert not [*tmp_path.iterdir()]
