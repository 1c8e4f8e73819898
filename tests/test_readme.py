"""The README keeps its word: its snippets run and print what it says, its commands and pictures are there."""

import doctest
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_snippets_run_and_print_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    examples = "\n".join(block for block in blocks("python"))
    test = doctest.DocTestParser().get_doctest(examples, {}, "README.md", "README.md", 0)
    assert len(test.examples) >= 10
    report = []
    failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append).failed
    assert not failed, "".join(report)


def test_the_first_two_commands_set_up_what_they_need():
    first, second = blocks("sh")[:2]
    assert "demos.xor" in first
    assert "pytest" in second
    for command in (first, second):
        assert "venv" in command
        assert "activate" not in command


def test_what_it_links_to_exists():
    links = re.findall(r"\]\(([^)#]+)\)|(?:src|srcset)=\"([^\"]+)\"", README)
    paths = [a or b for a, b in links if not (a or b).startswith("http")]
    assert len(paths) >= 2
    for path in paths:
        assert (ROOT / path).exists(), path


def test_what_it_names_exists():
    for module in re.findall(r"python -m ((?:demos|tests)[\w.]*)", README):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
