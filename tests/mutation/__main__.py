"""Runs cosmic-ray on one module at a time, in a copy of the project, and prints the figure: see the package's docstring."""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODULES = sorted(path.stem for path in HERE.glob("*.toml"))
Span = tuple[tuple[int, int], tuple[int, int]]


def spans_without_effect(source: str) -> Iterator[Span]:
    """Where a change cannot be seen at run time: annotations, which are not evaluated, and what type checkers alone read; and the rows."""
    for node in ast.walk(ast.parse(source)):
        parts: list[Any] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            parts = [node.returns]
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            parts = node.body
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Op":
            parts = [node]  # a row of the table: a command of its own breaks its text
        for part in parts:
            if part is not None:
                yield (part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)


def prepare(module: str, work: Path) -> dict[str, Any]:
    """Copy the project and list the mutants; where that was done before and the module is the same, forget the survivors alone."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

    settings = tomllib.loads((HERE / f"{module}.toml").read_text(encoding="utf-8"))
    name = settings["cosmic-ray"]["module-path"]
    source = (ROOT / name).read_text(encoding="utf-8")
    kept = work / "as_it_was.py"
    again = kept.exists() and kept.read_text(encoding="utf-8") == source
    if not again:
        (work / "session.sqlite").unlink(missing_ok=True)
    for part in ("scalargrad", "tests", "pyproject.toml", "README.md"):
        if (ROOT / part).is_dir():
            shutil.rmtree(work / part, ignore_errors=True)
            shutil.copytree(ROOT / part, work / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, work / part)
    shutil.copy(HERE / f"{module}.toml", work / "config.toml")
    kept.write_text(source, encoding="utf-8")
    if again:
        with use_db(work / "session.sqlite", WorkDB.Mode.open) as db:
            survivors = [
                item
                for item, result in db.completed_work_items
                if result.test_outcome == TestOutcome.SURVIVED
            ]
        forget(work / "session.sqlite", [item.job_id for item in survivors])
        return settings
    cosmic_ray(work, "init", "config.toml", "session.sqlite")
    spans = list(spans_without_effect(source))
    with use_db(work / "session.sqlite", WorkDB.Mode.open) as db:
        for item in db.work_items:
            mutation = item.mutations[0]
            if any(start <= mutation.start_pos and mutation.end_pos <= end for start, end in spans):
                db.set_result(item.job_id, WorkResult(WorkerOutcome.SKIPPED))
    return settings


def forget(session: Path, job_ids: list[str]) -> None:
    """Take results out of a session, so that they are found anew."""
    import sqlite3

    with sqlite3.connect(session) as db:
        db.executemany(
            "DELETE FROM work_results WHERE job_id = ?", [(job_id,) for job_id in job_ids]
        )


def cosmic_ray(work: Path, *arguments: str) -> None:
    """A command of cosmic-ray, in the copy; its tests run with this Python."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    subprocess.run(
        [sys.executable, "-c", "from cosmic_ray.cli import main; main()", *arguments],
        cwd=work,
        env=environment,
        check=True,
    )


def change(diff: str) -> tuple[str, str]:
    """The line of a mutant as it was, and as it is."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++", "@@"))]
    was = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    now = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    return was, now


def report(settings: dict[str, Any], work: Path) -> float:
    """Print the survivors and the figure; gives the share that was killed."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome

    equivalent = {
        (entry["was"], now): entry["why"]
        for entry in settings.get("equivalent", ())
        for now in entry["now"]
    }
    with use_db(work / "session.sqlite", WorkDB.Mode.open) as db:
        done = db.completed_work_items
        pending = len(db.pending_work_items)
    results = [
        (item, result) for item, result in done if result.worker_outcome != WorkerOutcome.SKIPPED
    ]
    killed = [result for _, result in results if result.test_outcome != TestOutcome.SURVIVED]
    slow = [result for result in killed if result.output == "timeout"]
    same = 0
    for item, result in sorted(results, key=lambda pair: pair[0].mutations[0].start_pos):
        if result.test_outcome == TestOutcome.SURVIVED:
            was, now = change(result.diff or "")
            same += (was, now) in equivalent
            print(
                f"{item.mutations[0].start_pos[0]}: {equivalent.get((was, now), 'SURVIVED')}\n    - {was}\n    + {now}"
            )
    share = len(killed) / max(1, len(results) - same)
    print(
        f"{settings['cosmic-ray']['module-path']}: {len(results)} mutants ({len(done) - len(results)} more cannot be seen at run time), "
        f"{len(killed)} killed ({len(slow)} of them by the timeout), {same} equivalent, {len(results) - len(killed) - same} survived, "
        f"{pending} not run: {100 * share:.1f} % killed"
    )
    return share


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("module", choices=MODULES)
    parser.add_argument(
        "--at",
        type=Path,
        help="where to work: a second run there tries the survivors alone, with the tests of now",
    )
    parser.add_argument(
        "--report", action="store_true", help="print what is known there, run nothing"
    )
    options = parser.parse_args()
    if find_spec("cosmic_ray") is None:
        sys.exit("this needs cosmic-ray, which the tests do not: python -m pip install cosmic-ray")
    work = options.at or Path(tempfile.mkdtemp(prefix=f"mutation_{options.module}_"))
    work.mkdir(parents=True, exist_ok=True)
    if options.report:
        settings = tomllib.loads((HERE / f"{options.module}.toml").read_text(encoding="utf-8"))
    else:
        settings = prepare(options.module, work.resolve())
        cosmic_ray(work, "baseline", "config.toml")  # the tests must pass on the module as it is
        cosmic_ray(work, "exec", "config.toml", "session.sqlite")
    sys.exit(0 if report(settings, work) >= 0.95 else 1)


if __name__ == "__main__":
    main()
