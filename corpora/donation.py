"""`donation.toml`: what a donor says of an archive, as a checked value.

It stands in the archive or is given by `--donation`; the file given by hand wins as a whole. Without a
licence nothing may be published. This module reads and checks the file; importers/donated.py acts on it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from corpora.errors import NothingImportedError, SourceError, UsageError
from corpora.sources import Source

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CHOICES = {
    "split_rule": {"speaker", "utterance"},
    "text_kind": {"verbatim", "edited", "subtitle", "script"},
    "channel_mode": {"auto", "mix", "left", "right"},
    "timing": {"utterance", "cue"},
    "speaker_rule": {"file", "voice", "none"},
}
_FREE = {
    "contact",
    "consent",
    "may_redistribute",
    "retention_until",
    "domain",
    "recorded_from",
    "recorded_to",
}


@dataclass(frozen=True)
class FileNames:
    """Text in the names of the files: a pattern with groups `text`, `speaker`, `gender`; a word map."""

    pattern: str
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sphinx:
    """`TEXT (id)` lines. `speaker`: a pattern searched in the audio's name, groups `speaker`, `gender`."""

    transcription: str
    speaker: str = ""


@dataclass(frozen=True)
class Table:
    """A table with one utterance per row.

    Attributes:
        file: glob of the table's name.
        delimiter: between columns; a tab may be written "\\t" or "tab".
        columns: names of the columns; empty = the first line holds them.
        quoted: whether a field may stand in quotation marks (CSV); else quotes are text.
        audio: path of the sound relative to the table, with columns in braces; suffix may be left out.
        text: column of the text to learn.
        speaker, gender: columns, or "".
    """

    file: str
    audio: str
    text: str
    delimiter: str = ","
    columns: tuple[str, ...] = ()
    quoted: bool = False
    speaker: str = ""
    gender: str = ""


@dataclass(frozen=True)
class Donation:
    """The whole file. `origin` says where it was read, for sentences."""

    name: str
    donor: str
    licence: str
    origin: str
    language: str = "en"
    closed_vocabulary: bool = False
    split_rule: str = "speaker"
    text_kind: str = ""
    timing: str = "cue"
    speaker_rule: str = "none"
    speaker: str = ""
    channel_mode: str = "auto"
    encoding: str = "utf-8"
    exclude: tuple[str, ...] = ()
    dev_speakers: tuple[str, ...] = ()
    test_speakers: tuple[str, ...] = ()
    genders: Mapping[str, str] = field(default_factory=dict)
    file_name: FileNames | None = None
    sphinx: Sphinx | None = None
    table: Table | None = None


def find_donation(source: Source, given: Path | None) -> Donation:
    """The donation file given by hand, else the topmost one in the archive.

    Raises:
        UsageError: the file given is missing or wrong; SourceError: the one in the archive is.
        NothingImportedError: there is none, or it names no licence.
    """
    if given is not None:
        try:
            return parse_donation(given.read_bytes(), given.name, UsageError)
        except OSError as error:
            raise UsageError(f"the donation file {given} cannot be read: {error.strerror}") from error
    inside = sorted(source.names_matching(r"(^|/)donation\.toml$"), key=lambda n: (n.count("/"), n))
    if not inside:
        raise NothingImportedError(
            f"{source.label} names no licence: no donation.toml in it and none given by --donation; "
            "nothing is published without one (name, donor, licence, and where the text stands)"
        )
    return parse_donation(source.read_bytes(inside[0]), inside[0], SourceError)


def parse_donation(data: bytes, origin: str, wrong: type[Exception]) -> Donation:
    """Parse and check a donation file.

    Args:
        wrong: the class of error for a file that says something impossible.

    Raises:
        NothingImportedError: no licence.
    """
    try:
        said = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise wrong(f"{origin} is not readable TOML: {error}") from error
    if not str(said.get("licence", "")).strip():
        raise NothingImportedError(f"{origin} names no licence: nothing is published without one")
    try:
        return _checked(said, origin)
    except (ValueError, TypeError) as error:
        raise wrong(f"{origin}: {error}") from error


def _checked(said: dict[str, Any], origin: str) -> Donation:
    values = {key: value for key, value in said.items() if key not in _FREE}
    splits = _section(values.pop("splits", {}), "splits", {"dev", "test"})
    values["dev_speakers"], values["test_speakers"] = splits.get("dev", []), splits.get("test", [])
    for key, kind in (("file_name", FileNames), ("sphinx", Sphinx), ("table", Table)):
        if key in values:
            allowed = {f.name for f in fields(kind)}
            values[key] = kind(**_tuples(_section(values[key], key, allowed)))
    allowed = {f.name for f in fields(Donation)} - {"origin"}
    unknown = sorted(values.keys() - allowed)
    if unknown:
        raise ValueError(
            f"unknown key {unknown[0]!r}; known: {', '.join(sorted(allowed | _FREE | {'splits'}))}"
        )
    for key, choices in _CHOICES.items():
        if key in values and values[key] not in choices:
            raise ValueError(f"{key} = {values[key]!r}; it is one of {', '.join(sorted(choices))}")
    if not NAME.fullmatch(str(values.get("name", ""))):
        raise ValueError(f"name = {values.get('name')!r}; it matches {NAME.pattern}")
    values.setdefault("donor", values["name"])
    donation = Donation(**_tuples(values), origin=origin)
    _check_patterns(donation)
    return donation


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _section(value: Any, name: str, allowed: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"[{name}] is a table")
    unknown = sorted(value.keys() - allowed)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r} in [{name}]; known: {', '.join(sorted(allowed))}")
    return value


def _check_patterns(donation: Donation) -> None:
    patterns = [donation.file_name.pattern] if donation.file_name else []
    patterns += [donation.sphinx.speaker] if donation.sphinx else []
    for pattern in [*patterns, donation.speaker]:
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from error
        if donation.file_name and pattern == donation.file_name.pattern and "text" not in groups:
            raise ValueError(f"pattern {pattern!r} has no group (?P<text>…)")
