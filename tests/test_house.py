"""The structure of the package: which module may import which, and what may stand at the top level."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "scalargrad"
FLOORS = {
    "reals": 0, "floats": 0, "many": 0, "ends": 0, "ops": 0, "kernels": 0, "switches": 0,
    "graph": 1, "recording": 1, "methods": 1, "value": 1,
    "trees": 2, "functions": 2, "modes": 2, "slopes": 2, "derivatives": 2, "explaining": 2, "checking": 2,
    "compiler": 3, "nn": 3, "pictures": 3,
}  # fmt: skip
WITHIN = (*FLOORS,)  # on one floor: from left to right


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path):
    """The rooms that a module imports, wherever in it the import stands; not those that only type checkers import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    depth = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            yield from [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level > depth:
            raise AssertionError(f"{path} imports from outside the package")
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "scalargrad":
            raise AssertionError(f"{path} names its own package: write a relative import")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    here = room(path)
    assert here in FLOORS, f"{here} stands on no floor yet: give it one here"
    for other in imported_rooms(path):
        assert other == here or WITHIN.index(other) < WITHIN.index(here), f"{here} imports {other}, which does not stand below it"
        assert FLOORS[other] <= FLOORS[here]


def test_a_module_says_its_floor():
    for path in modules():
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert doc, path
        assert f"(floor {FLOORS[room(path)]})" in doc.splitlines()[0], path


def test_rooms_do_not_take_the_names_of_functions():
    from scalargrad.ops import OPS

    names = {name for op in OPS.values() for name in (op.name, *op.aliases)} | {"draw", "grad", "compile"}
    assert not names & set(FLOORS)


def test_every_public_name_is_fetched_from_its_room():
    import scalargrad

    assert set(scalargrad.__all__) == {"Value", *scalargrad._HOMES}
    for name in scalargrad.__all__:
        assert getattr(scalargrad, name).__name__ == name
        assert name in dir(scalargrad)
    with pytest.raises(AttributeError, match="module 'scalargrad' has no attribute 'Valeu'"):
        _ = scalargrad.Valeu


def test_the_lesson_is_at_most_200_lines():
    assert len((PACKAGE / "value.py").read_text(encoding="utf-8").splitlines()) <= 200


def test_the_top_level_is_as_the_owner_wants_it():
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__pycache__"))}
    made = {"out", "build", "dist"}  # by demos and builds; git ignores them
    assert visible - made <= {"pyproject.toml", "README.md", "scalargrad", "tests", "demos", "uv.lock"}


def test_nowhere_is_the_package_of_that_name_on_the_index_installed():
    forbidden = "pip install " + "scalargrad"
    for path in [ROOT / "README.md", *PACKAGE.rglob("*.py"), *(ROOT / "demos").rglob("*.py")]:
        assert forbidden not in path.read_text(encoding="utf-8"), path
