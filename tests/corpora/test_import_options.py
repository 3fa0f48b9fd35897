"""Importer options: one table for the command line, the form and the manifest; wrong ones named."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from corpora.importers import IMPORTERS, allowed_options, get_importer
from corpora.options import SWITCH, Option, add_arguments, checked, given, options_of, recorded
from store.errors import UsageError


class Importer:
    """One with an option of every kind."""

    name = "made_up"
    options = (
        Option("unk", "what to do", ("reject", "drop")),
        Option("pad", "wider", SWITCH),
        Option("parts", "only these"),
        Option("repairs", "a file", is_file=True),
    )


def test_defaults_are_filled_in_and_only_differences_recorded(tmp_path: Path) -> None:
    file = tmp_path / "repairs.toml"
    file.write_text("")
    assert checked(Importer, {}) == {"unk": "reject", "pad": "no"}
    chosen = {"unk": "drop", "pad": "no", "parts": "a,b", "repairs": file}
    assert checked(Importer, chosen) == {"unk": "drop", "pad": "no", "parts": "a,b", "repairs": str(file)}
    assert recorded(Importer, chosen) == {
        "parts": "a,b",
        "repairs": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "unk": "drop",
    }


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"pat": "yes"}, "no option 'pat'; it has: --unk, --pad, --parts, --repairs"),
        ({"pad": "maybe"}, "--pad 'maybe' is not allowed; allowed: no, yes"),
        ({"repairs": "/nowhere/x.toml"}, "--repairs: the file /nowhere/x.toml does not exist"),
    ],
)
def test_wrong_options_are_named(options: dict[str, str], part: str) -> None:
    with pytest.raises(UsageError, match=part):
        checked(Importer, options)


def test_flags_follow_from_the_tables() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser, {"made_up": Importer, "none": object()})
    args = parser.parse_args(["--unk", "drop", "--pad", "--parts", "a b"])
    assert given(args) == {"pad": "yes", "parts": "a b", "unk": "drop"}
    assert given(parser.parse_args([])) == {}
    assert "(made_up)" in parser.format_help()


def test_every_importer_s_options_are_described() -> None:
    for name in IMPORTERS:
        for option in options_of(get_importer(name)):
            assert option.says and option.flag.startswith("--"), name


def test_files_named_from_outside_must_lie_below_a_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEECHMILL_SOURCES", str(tmp_path))
    monkeypatch.delenv("SPEECHMILL_SOURCES_FILE", raising=False)
    inside = str(tmp_path / "mine.toml")
    assert allowed_options("fisher", {"repairs": inside, "partial": "keep"}) == {
        "repairs": inside,
        "partial": "keep",
    }
    with pytest.raises(UsageError, match="outside the allowed roots"):
        allowed_options("fisher", {"repairs": "/etc/passwd"})
