"""The command line of `python -m corpora`: what a refresh reads, and what it imports for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from corpora.command_line import parse, parser
from corpora.options import given
from store.errors import UsageError

LINE = ["refresh", "librispeech", "--source", "a", "b", "--store", "s", "--json"]


def test_a_refresh_reads_the_same_with_and_without_the_other_importers() -> None:
    lean, whole = vars(parse(LINE)), vars(parser().parse_args(LINE))
    assert lean == {**{key: whole[key] for key in lean if key != "line"}, "line": LINE}
    assert given(parse(LINE)) == given(parser().parse_args(LINE)) == {}


def test_an_option_of_another_importer_is_left_to_its_own_check() -> None:
    assert given(parse([*LINE, "--unk", "drop"])) == {"unk": "drop"}


@pytest.mark.parametrize("line", [[*LINE, "--nonsense"], ["refresh", "librispeech"], ["refrsh"], []])
def test_what_cannot_be_read_is_told_by_the_whole_parser(line: list[str]) -> None:
    with pytest.raises(UsageError, match=r"see python -m corpora.*--help"):
        parse(line)


def test_a_refresh_imports_its_own_importer_only(root: Path) -> None:
    code = (
        "import sys; from corpora.command_line import parse; parse(sys.argv[1:]);"
        "print(*(name for name in sys.modules if name.startswith('corpora.importers.')))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, *LINE], cwd=root, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "corpora.importers.librispeech" in told and "corpora.importers.donated" not in told
