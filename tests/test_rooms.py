"""The rooms of the house (docs/architecture.md): floors, no circles, no heaps, tests that mirror the rooms."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Bottom first; a room imports rooms of lower floors and of its own only. The longest prefix that fits decides.
FLOORS = [
    ["native"],
    ["store"],
    [
        "corpora.errors",
        "corpora.faults",
        "corpora.reading",
        "corpora.utterance",
        "corpora.buckets",
        "corpora.options",
    ],
    ["corpora.text", "corpora.sources", "corpora.free_archives"],
    ["corpora.importer", "corpora.download"],
    ["corpora.formats"],
    ["corpora.audio"],
    ["corpora.quality", "corpora.versions"],
    ["corpora.curation"],
    ["corpora.pages"],
    ["corpora.donations", "corpora.report"],
    ["corpora.importers", "corpora.exports", "corpora.browsing", "corpora.lineage", "corpora.expectations"],
    ["corpora.doctor"],
    ["corpora.refresh"],
    ["corpora"],
    ["lm", "scoring"],
    ["training"],
    ["launcher", "collect", "demo", "plugins", "dags"],
    ["scripts", "benchmarks"],
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
PACKAGES = sorted({room.partition(".")[0] for room in FLOOR_OF})
REGISTRIES = {"corpora/importers", "corpora/formats", "corpora/exports"}  # one file per kind: they may grow
MOST_MODULES = 15
# C++ folder → folders whose headers it may include, beside its own.
NATIVE = {
    "base": set(),
    "hashes": {"base"},
    "scorer": {"base", "hashes"},
    "search": {"base", "scorer"},
    "fusion": {"base", "scorer"},
    "corrector": {"base", "scorer"},
    "text": {"base"},
    "sphere": {"base"},
    "flac": {"base", "hashes"},
    "sound": {"base", "hashes"},
    "alignment": set(),
}
# Guess, then look: where a newcomer would look first, and a word that must stand there.
QUESTIONS = {
    "What happens when an MP3 is cut?": ("corpora/audio/containers.py", "mp3"),
    "How is the lock on S3 held?": ("store/shared/lock.py", "hold"),
    "What does the gate ask?": ("corpora/quality/gate.py", "def run_gate"),
    "How big is a work group?": ("corpora/refresh/plan.py", "GROUP_BYTES ="),
    "How long is the feature window?": ("training/network/config.py", "window"),
    "Which order and pruning has the language model?": ("lm/defaults.py", "order"),
    "When does retraining fire?": ("dags/retrain.py", "schedule"),
    "Where does a column of the report come from?": ("corpora/report.py", "def "),
    "Which settings has the decoder?": ("native/src/search/settings.cpp", "oov_letter_penalty"),
    "How long may an utterance be?": ("corpora/quality/thresholds.py", "max_duration_s"),
}


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def _runs(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from _runs(node)


def source_of(node: ast.ImportFrom, name: str) -> str:
    """The module that `from … import` of the module `name` reads; `native` imports its own files relatively."""
    if not node.level:
        return node.module or ""
    package = name if modules()[name].name == "__init__.py" else name.rpartition(".")[0]
    for _ in range(node.level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{node.module}" if node.module else package


@cache
def imported(name: str, with_types: bool = True) -> frozenset[str]:
    """Our modules that a module imports, inside functions too."""
    known, found = modules(), set()
    tree = ast.parse(known[name].read_text(encoding="utf-8"))
    for node in ast.walk(tree) if with_types else _runs(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            module = source_of(node, name)
            parts = [f"{module}.{alias.name}" for alias in node.names]
            names = [part if part in known else module for part in parts]
        for full in names:
            while full and full not in known:
                full = full.rpartition(".")[0]
            if full and full != name:
                found.add(full)
    return frozenset(found)


def floor(module: str) -> int:
    while module not in FLOOR_OF:
        module = module.rpartition(".")[0]
    return FLOOR_OF[module]


def circles(edges: dict[str, frozenset[str]]) -> Iterator[list[str]]:
    """Groups of files that import each other, by Tarjan's walk without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    for start, first in edges.items():
        work: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(first)))] if start not in index else []
        if work:
            index[start] = low[start] = len(index)
            stack.append(start)
        while work:
            node, after = work[-1]
            for other in after:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    work.append((other, iter(sorted(edges[other]))))
                    break
                if other in stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = stack.index(node)
                    if len(stack) - at > 1:
                        yield sorted(stack[at:])
                    del stack[at:]


def test_imports_go_down_only() -> None:
    wrong = [
        f"{name} imports {other}, which stands above it"
        for name in modules()
        for other in imported(name)
        if floor(other) > floor(name)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_circle_of_files() -> None:
    found = [", ".join(group) for group in circles({name: imported(name, False) for name in modules()})]
    assert not found, "\n".join(found)


def test_a_circle_would_be_found() -> None:
    edges = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"a"}), "d": frozenset({"a"})}
    assert list(circles(edges)) == [["a", "b", "c"]]


def heaps(paths: Iterable[Path]) -> list[str]:
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in paths)
    return [
        f"{folder}/ holds {count} files (at most {MOST_MODULES})"
        for folder, count in sorted(counts.items())
        if count > MOST_MODULES and folder not in REGISTRIES
    ]


def test_no_folder_is_a_heap() -> None:
    sources = [path for path in modules().values() if path.name != "__init__.py"]
    native = [path for path in (ROOT / "native" / "src").rglob("*.cpp")]
    assert not heaps([*sources, *native]), "\n".join(heaps([*sources, *native]))


def test_cpp_rooms_include_downward_only() -> None:
    wrong = []
    for path in sorted((ROOT / "native" / "src").rglob("*.[ch]*")):
        room = path.relative_to(ROOT / "native" / "src").parts[0]
        for include in re.findall(r'^#include "([a-z_]+)/', path.read_text(encoding="utf-8"), re.MULTILINE):
            if include != room and include not in NATIVE[room]:
                wrong.append(f"{path.relative_to(ROOT)} includes {include}/")
    assert not wrong, "\n".join(wrong)


def test_tests_mirror_the_rooms() -> None:
    """A folder below tests/ has the name of a room (or is one of the few that check the whole)."""
    whole = {"heavy", "dags", "plugins", "scripts", "benchmarks", "soak", "docs"}
    rooms = {str(path.parent.relative_to(ROOT)) for path in modules().values()}
    rooms |= {str(path.relative_to(ROOT)) for path in (ROOT / "native" / "src").iterdir()}
    wrong = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        folder = path.parent.relative_to(ROOT / "tests")
        if folder.parts and folder.parts[0] not in whole and str(folder) not in rooms:
            wrong.append(f"tests/{folder} mirrors no room")
    assert not wrong, "\n".join(sorted(set(wrong)))


@pytest.mark.parametrize("question", QUESTIONS)
def test_guess_then_look(question: str) -> None:
    name, word = QUESTIONS[question]
    path = ROOT / name
    assert path.is_file(), f"{question} {name} is not there"
    assert word in path.read_text(encoding="utf-8").lower() or word in path.read_text(encoding="utf-8")
