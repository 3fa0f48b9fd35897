"""Every code block of README and docs: commands are ones that their programs take, doors exist, data parses."""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from native.command.table import COMMANDS
from native.errors import SpeechmillError

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path
    for pattern in ("README.md", "CONTRIBUTING.md", "native/README.md", "docs/**/*.md")
    for path in sorted(ROOT.glob(pattern))
]
_BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
KINDS = {"sh", "toml", "json", "python", "text", "nginx", "ini", "sql", "html"}


def blocks() -> Iterator[tuple[str, str, str]]:
    """(place, kind, text) of every block."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            indent = len(found[1])
            body = "\n".join(row[indent:] for row in found[3].split("\n"))
            yield f"{path.relative_to(ROOT)}:{line}", found[2], body


BLOCKS = list(blocks())


def commands(body: str) -> Iterator[str]:
    """The commands of a shell block: continued lines joined, comments and output lines left out."""
    joined = re.sub(r"\\\n\s*", " ", body)
    joined = re.sub(r"\n {4,}(?=\[)", " ", joined)  # further options of a usage line
    for line in joined.split("\n"):
        words = re.split(r"\s#|\s{3,}", line, maxsplit=1)[0].strip()
        if words and not words.startswith("#"):
            yield words


def plain(words: str) -> list[str]:
    """A usage line as one that could be typed: `[--x Y]` as `--x Y`, `A | B` as A, `…` left out."""
    text = re.sub(r"\[choices of the importer\]|\[options\]", "", words)
    text = re.sub(r"(\S+)( NAME)? \| .*", r"\1\2", text)
    return [word for word in shlex.split(re.sub(r"[\[\]]| …|…", " ", text)) if word]


def doors() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def check_make(words: list[str], place: str) -> None:
    for word in words[1:]:
        if "=" not in word and not word.startswith("-"):
            assert word in doors() or word.startswith("bench-"), f"{place}: there is no door make {word}"
            if word.startswith("bench-"):
                from benchmarks.__main__ import BENCHES

                assert word.removeprefix("bench-") in BENCHES, f"{place}: there is no {word}"


def check_module(words: list[str], place: str) -> None:
    """The program's own parser takes the line (or, where it has none, the module is there)."""
    name = words[words.index("-m") + 1]
    arguments = words[words.index("-m") + 2 :]
    if name in ("pip", "venv", "http"):
        return
    path = ROOT / (name.replace(".", "/"))
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"{place}: no module {name}"
    if not (path / "__main__.py").is_file():
        return
    program = importlib.import_module(f"{name}.__main__")
    parser = getattr(program, "_parser", None) or getattr(program, "parser", None)
    if parser is None:
        return
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            parser().parse_args(arguments)
    except (SystemExit, SpeechmillError) as error:
        asked_for_help = isinstance(error, SystemExit) and error.code == 0
        assert asked_for_help, f"{place}: {shlex.join(words)}\n{said.getvalue()}{error}"


@pytest.mark.parametrize("block", BLOCKS, ids=[place for place, _, _ in BLOCKS])
def test_a_block_is_what_it_says(block: tuple[str, str, str]) -> None:
    place, kind, body = block
    assert kind in KINDS, f"{place}: say what the block is: ```sh, ```toml, … (now {kind!r})"
    if kind == "toml":
        tomllib.loads(body)
    elif kind == "json":
        json.loads(body)
    elif kind == "python":
        ast.parse(body)
    elif kind == "sh":
        for line in commands(body):
            line = re.sub(r"^(?:[A-Z_]+=\S+ )+(?=\S)", "", line)
            words = plain(line)
            if words[:1] == ["make"]:
                check_make(words, place)
            elif words[:1] == ["speechmill"] and words[1:2] != ["completion"]:
                command = COMMANDS[words[1]]
                check_module(["-m", str(command.room), *command.words, *words[2:]], place)
            elif "-m" in words[:3] and words[0].endswith("python"):
                check_module(words, place)
            else:
                done = subprocess.run(["bash", "-n"], input=line, capture_output=True, text=True, check=False)
                assert done.returncode == 0, f"{place}: {line}\n{done.stderr}"


def test_links_of_the_readme_lead_somewhere() -> None:
    for path in PAGES:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (path.parent / target).exists(), f"{path.relative_to(ROOT)} links to {target}"


def test_every_page_is_linked_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} - {"docs/index.md"}
    assert not sorted(page for page in pages if f"({page})" not in text)


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [
        str(ROOT / ".venv/bin/mkdocs"),
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(tmp_path / "site"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="https?://(?!squidfunk)[^"]*\.(?:js|css|woff2?)"', page)
