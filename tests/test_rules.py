"""Rules of the code that a machine can check: sizes, docstrings, homes of heavy libraries, no path of one machine.

Who may import whom stands in test_rooms.py.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {
    *(
        "native",
        "store",
        "corpora",
        "lm",
        "scoring",
        "training",
        "launcher",
        "collect",
        "demo",
        "plugins",
        "dags",
    ),
    *("benchmarks", "assets"),
}
# Heavy libraries have one home each.
HOMES = {
    "tensorflow": ("training/", "benchmarks/training/"),  # there it is a peer
    "keras": ("training/", "benchmarks/training/"),
    "great_expectations": ("corpora/expectations/",),
    "airflow": ("dags/", "plugins/", "launcher/move_database.py"),  # its tables, for one copy
}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 5
README_COMMANDS_BY_LINE = 15


def tracked(*patterns: str) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def python_files() -> list[Path]:
    return [path for path in tracked("*.py") if path.relative_to(ROOT).parts[0] in OURS]


def imports(path: Path) -> Iterator[tuple[str, int, bool]]:
    """(top-level package, line, at module level) of every import of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], node.lineno, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0], node.lineno, id(node) in top


def test_heavy_libraries_stay_at_home() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in python_files()
        for name, line, _ in imports(path)
        if name in HOMES and not str(path.relative_to(ROOT)).startswith(HOMES[name])
    ]
    assert not wrong, wrong


def test_dag_files_import_nothing_heavy_at_the_top_and_are_named_like_no_package() -> None:
    for path in tracked("dags/*.py"):
        assert path.stem not in OURS - {"assets"}, f"{path.name} would hide the package {path.stem}"
        heavy = [
            name
            for name, _, top in imports(path)
            if top and name in {*OURS, "tensorflow", "pandas", "pyarrow"}
        ]
        assert set(heavy) <= {"assets"}, f"{path.name} imports {heavy} at the top"


def test_files_functions_and_parameter_lists_stay_small() -> None:
    wrong = []
    for path in [*python_files(), *tracked("scripts/*.py")]:
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        if text.count("\n") > MAX_FILE_LINES:
            wrong.append(f"{name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.end_lineno is not None and node.end_lineno - node.lineno >= MAX_FUNCTION_LINES:
                wrong.append(f"{name}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines")
            parameters = [a.arg for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
            counted = [p for p in parameters if p not in ("self", "cls")]
            foreign = bool({"api", "pyctcdecode", "torchaudio"} & {*path.parts})  # somebody else's interface
            if len(counted) > MAX_PARAMETERS and not node.name.startswith("__") and not foreign:
                wrong.append(f"{name}:{node.lineno} {node.name}: {len(counted)} parameters")
    wrong += [
        f"{p.relative_to(ROOT)}: long"
        for p in tracked("native/*.h", "native/*.cpp")
        if p.read_text(encoding="utf-8").count("\n") > MAX_FILE_LINES
    ]
    assert not wrong, "\n".join(wrong)


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in [*python_files(), *tracked("scripts/*.py")]
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent, silent


def test_no_assert_on_data_outside_the_tests() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "NotImplemented" + "Error"])
def test_nothing_is_left_for_later(word: str) -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in tracked("*.py", "*.cpp", "*.h", "*.sh", "Makefile")
        if word in path.read_text(encoding="utf-8")
    ]
    assert not found, found


def test_no_path_of_one_machine_and_no_secret_stands_in_the_tree() -> None:
    marks = re.compile(
        "|".join([r"/work" + "/", r"/farm" + "/", r"/root" + r"/\.", "BEGIN [A-Z ]*PRIVATE" + " KEY"])
    )
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if marks.search(text):
            found.append(str(path.relative_to(ROOT)))
    assert not found, found


def test_the_readme_names_the_two_commands_early() -> None:
    head = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").split("\n")[:README_COMMANDS_BY_LINE])
    assert "make demo" in head and "make test" in head


def test_make_help_lists_every_door() -> None:
    text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for door in (
        "demo",
        "real",
        "test",
        "test-all",
        "lm",
        "corpora",
        "train",
        "evaluate",
        "report",
        "airflow-start",
        "airflow-stop",
        "airflow-status",
        "airflow-logs",
        "lint",
        "licences",
    ):
        assert re.search(rf"^\s+{door}\s", text, re.MULTILINE), f"make help does not list {door}"
