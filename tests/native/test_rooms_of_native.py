"""The rooms of native/src: who may include whom, header beside source, no folder a heap, the README's map true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "native"
SOURCES = NATIVE / "src"
# Room -> rooms whose headers it may include, beside its own.
ARROWS: dict[str, set[str]] = {
    "base": set(),
    "hashes": {"base"},
    "flac": {"base", "hashes"},
    "sphere": {"base"},
    "sound": {"base"},
    "text": {"base"},
    "scorer": {"base", "hashes"},
    "search": {"base", "scorer"},
    "fusion": {"base", "scorer"},
    "corrector": {"base", "scorer"},
    "alignment": set(),
}
MOST_SOURCES = 15
KENLM_FOLDERS = {"lm", "util"}  # a room of that name would hide KenLM's headers


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".h", ".cpp"))


def includes(path: Path) -> Iterator[str]:
    yield from re.findall(r'^#include "([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE)


def forbidden(path: Path, room: str) -> list[str]:
    """The includes of a file that its room may not have."""
    allowed = ARROWS[room] | {room}
    return [
        f"{path.relative_to(ROOT)} includes {name}"
        for name in includes(path)
        if name.partition("/")[0] in {*ARROWS, "programs", "bindings", "tf_op"} - allowed
        or not (SOURCES / name).is_file()
    ]


def test_every_folder_is_a_known_room() -> None:
    assert {path.name for path in SOURCES.iterdir()} == set(ARROWS)
    assert not KENLM_FOLDERS & set(ARROWS)


def test_a_room_includes_only_what_lies_below_it() -> None:
    wrong = [line for room in ARROWS for path in files(SOURCES / room) for line in forbidden(path, room)]
    assert not wrong, "\n".join(wrong)


def test_an_include_against_the_arrows_would_be_seen() -> None:
    path = SOURCES / "base" / "error.h"
    assert not forbidden(path, "base")
    upward = SOURCES / "search" / "beam_search.h"
    assert any("scorer/" in line for line in forbidden(upward, "flac"))


def test_no_circle_of_rooms() -> None:
    left = dict(ARROWS)
    while free := [room for room, below in left.items() if not below & set(left)]:
        for room in free:
            del left[room]
    assert not left, f"rooms that need each other: {sorted(left)}"


def test_no_folder_becomes_a_heap() -> None:
    for folder in [
        *(SOURCES / room for room in ARROWS),
        *(NATIVE / n for n in ("bindings", "bindings/search", "programs", "tf_op")),
    ]:
        assert len(list(folder.glob("*.cpp"))) <= MOST_SOURCES, folder


def test_every_test_fuzz_target_and_binding_names_headers_that_exist() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} includes {name}"
        for folder in ("tests", "fuzz", "bindings", "programs")
        for path in files(NATIVE / folder)
        for name in includes(path)
        if not any(
            (root / name).is_file()
            for root in (path.parent, SOURCES, *(NATIVE / n for n in ("", "bindings", "tests")))
        )
    ]
    assert not wrong, "\n".join(wrong)


def test_the_map_in_the_readme_is_true() -> None:
    text = (NATIVE / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/` \| (.+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert {room: set(re.findall(r"`(\w+)`", below)) for room, _, below in rows} == ARROWS
    for room, what, _ in rows:
        for name in re.findall(r"`([\w*]+\.(?:h|cpp))`", what):
            assert list((SOURCES / room).glob(name)), f"{room}/{name} is not there"
