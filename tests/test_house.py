"""The structure of the package: which module may import which, and what may stand at the top level."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "scalargrad"
FLOORS = {
    "arithmetic": 0, "differences": 0, "ops": 0, "modes": 0, "graph": 0, "files": 0, "checks": 0,
    "rows": 1, "value": 1,
    "rows.slopes": 2, "rows.free_functions": 2, "rows.custom": 2, "wording": 2, "trees": 2, "copies": 2, "rows.shares": 2, "functions": 2, "anomaly": 2, "walks": 2, "derivatives": 2, "explaining": 2, "checking": 2, "points": 2, "doctor": 2,
    "compiler": 3, "formulas": 3, "estimators": 3, "nn": 3, "pictures": 3, "playground": 3, "__main__": 3,
}  # fmt: skip


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def name_of(path):
    """`rows.text` for scalargrad/rows/text.py, `rows` for its __init__."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


NAMES = {name_of(path): path for path in modules()}


def floor(name):
    return FLOORS.get(name, FLOORS[name.split(".")[0]])


def imported(path):
    """The modules of the package that a module imports, wherever in it, those for types included."""
    package = [*path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(alias.name.split(".")[0] == "scalargrad" for alias in node.names), (
                f"{path}: write a relative import"
            )
        if not isinstance(node, ast.ImportFrom):
            continue
        assert (node.module or "").split(".")[0] != "scalargrad", (
            f"{path} names its own package: write a relative import"
        )
        if not node.level:
            continue
        assert node.level <= len(package) + 1, f"{path} imports from outside the package"
        base = [
            *package[: len(package) + 1 - node.level],
            *(node.module.split(".") if node.module else []),
        ]
        for alias in node.names:
            inner = ".".join([*base, alias.name])
            yield inner if inner in NAMES else ".".join(base)


@pytest.mark.parametrize("name", NAMES)
def test_imports_point_down(name):
    for other in imported(NAMES[name]):
        assert floor(other) <= floor(name), f"{name} imports {other}, which stands above it"
        here, there = name.split(".")[0], other.split(".")[0]
        assert (here, there) not in {
            ("compiler", "nn"),
            ("compiler", "pictures"),
            ("compiler", "playground"),
            ("pictures", "nn"),
            ("pictures", "playground"),
            ("playground", "nn"),
            ("nn", "pictures"),
        }


def test_no_circle_of_imports_those_for_types_included():
    within = {*NAMES}
    order = graphlib.TopologicalSorter(
        {name: within.intersection(imported(NAMES[name])) - {name} for name in within}
    )
    assert {*order.static_order()} == within  # CycleError shows the circle


def test_a_module_says_its_floor():
    for path in modules():
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert doc, path
        assert f"(floor {floor(name_of(path))})" in doc.splitlines()[0], path


def test_rooms_do_not_take_the_names_of_functions():
    from scalargrad.ops import OPS

    names = {name for op in OPS.values() for name in op.names} | {
        "draw",
        "grad",
        "compile",
    }
    assert not names & set(FLOORS)


def test_every_public_name_is_fetched_from_its_room():
    import scalargrad

    for name in ("Value", *scalargrad._HOMES):
        assert getattr(scalargrad, name).__name__ == name
        assert name in dir(scalargrad)
    with pytest.raises(AttributeError, match="module 'scalargrad' has no attribute 'Valeu'"):
        _ = scalargrad.Valeu
    vars(scalargrad).pop("functions", None)  # as before any function was asked for
    assert scalargrad.functions.__name__ == "scalargrad.functions"  # README: help of it


def test_import_star_brings_all_that_hides_no_function_of_python():
    import builtins

    import scalargrad

    names = {}
    exec("from scalargrad import *", names)
    assert names.keys() - {"__builtins__"} == {*scalargrad.__all__}
    assert not names.keys() & {*dir(builtins)}
    offered = {name for name in dir(scalargrad) if not name.startswith("__")}
    assert offered - names.keys() == {"abs", "compile", "max", "min", "nn", "pow", "sum"}


def test_the_lesson_is_short_and_narrow():
    lines = (PACKAGE / "value.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 170
    assert max(map(len, lines)) <= 100


def test_the_top_level_is_as_the_owner_wants_it():
    visible = {
        path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__pycache__"))
    }
    made = {"out", "build", "dist"}  # by demos and builds; git ignores them
    assert visible - made <= {
        "pyproject.toml",
        "README.md",
        "scalargrad",
        "tests",
        "demos",
        "uv.lock",
    }


def test_nowhere_is_the_package_of_that_name_on_the_index_installed():
    forbidden = "pip install " + "scalargrad"
    for path in [ROOT / "README.md", *PACKAGE.rglob("*.py"), *(ROOT / "demos").rglob("*.py")]:
        assert forbidden not in path.read_text(encoding="utf-8"), path
