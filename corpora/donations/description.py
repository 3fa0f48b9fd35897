"""`donation.toml`: what a donor says of an archive, as a checked value.

It stands in the archive or is given by `--donation`; the file given by hand wins as a whole. What stands in the
archive is a claim: it cannot widen rights. Without a licence the archive goes to quarantine. This module reads
and checks the file; importers/donated.py acts on it, donation_draft.py writes one where there is none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from corpora.donations.checks import check_encoding, check_genders, check_kinds, check_numbers
from corpora.donations.patterns import compile_error
from corpora.errors import SourceError
from corpora.sources.source import Source
from corpora.text.language_tags import language_tag
from store.errors import UsageError

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CHOICES = {
    "split_rule": {"speaker", "utterance"},
    "text_kind": {"verbatim", "edited", "subtitle", "script"},
    "channel_mode": {"auto", "mix", "left", "right", "split"},
    "timing": {"utterance", "cue", "word", "none"},
    "speaker_rule": {"file", "column", "tier", "voice", "none"},
    "overlaps": {"trim", "reject", "keep"},
    "numbers": {"reject", "table", "spell"},
}
_SPLIT_KEYS = ("dev_files", "test_files", "dev_share")
# What only people read; kept in the manifest as it stands.
ABOUT = ("contact", "consent", "retention_until", "domain", "recorded_from", "recorded_to")


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
        audio: path of the sound relative to the table, with columns in braces (nothing but their names is
            understood there); suffix may be left out. In JSON lines columns are keys.
        text: column of the text to learn.
        speaker, gender: columns, or "".
        start, end: columns of the times (seconds, milliseconds where the name ends in ms, or h:mm:ss), or "": a row
            is a whole recording.
    """

    file: str
    audio: str
    text: str
    delimiter: str = ","
    columns: tuple[str, ...] = ()
    quoted: bool = False
    speaker: str = ""
    gender: str = ""
    start: str = ""
    end: str = ""


@dataclass(frozen=True)
class Donation:
    """The whole file; docs/donations.md has a line for every key.

    Attributes:
        licence: "" where none is named: quarantine.
        origin: where it was read, for sentences; `by_hand` whether a person gave it with --donation.
        may_redistribute: None = not said; `true` counts only from the file given by hand.
        about: what only people read, by key.
        dev_files, test_files: globs of recordings that are dev or test; the others are train then.
        dev_share: of an official train's hours that becomes dev, by whole speakers, where no dev is published.
        audio_track: which sound of a film, from 0; None = the only one.
    """

    name: str
    donor: str
    licence: str
    origin: str
    by_hand: bool = False
    language: str = "en"
    closed_vocabulary: bool = False
    split_rule: str = "speaker"
    text_kind: str = ""
    timing: str = ""
    speaker_rule: str = "none"
    speaker: str = ""
    channel_mode: str = "auto"
    audio_track: int | None = None
    encoding: str = "auto"
    tiers: tuple[str, ...] = ()
    overlaps: str = "trim"
    numbers: str = "reject"
    time_offset_s: float | None = None
    time_stretch: float = 1.0
    may_redistribute: bool | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    dev_speakers: tuple[str, ...] = ()
    test_speakers: tuple[str, ...] = ()
    dev_files: tuple[str, ...] = ()
    test_files: tuple[str, ...] = ()
    dev_share: float = 0.0
    genders: Mapping[str, str] = field(default_factory=dict)
    file_name: FileNames | None = None
    sphinx: Sphinx | None = None
    table: Table | None = None


def find_donation(source: Source, given: Path | None) -> Donation | None:
    """The donation file given by hand, else the topmost one in the archive, else None.

    Raises:
        UsageError: the file given is missing or wrong; SourceError: the one in the archive is.
    """
    if given is not None:
        try:
            return parse_donation(given.read_bytes(), given.name, UsageError, by_hand=True)
        except OSError as error:
            raise UsageError(f"the donation file {given} cannot be read: {error.strerror}") from error
    inside = sorted(source.names_matching(r"(^|/)donation\.toml$"), key=lambda n: (n.count("/"), n))
    if not inside:
        return None
    return parse_donation(source.read_bytes(inside[0]), inside[0], SourceError)


def parse_donation(data: bytes, origin: str, wrong: type[Exception], by_hand: bool = False) -> Donation:
    """Parse and check a donation file.

    Args:
        wrong: the class of error for a file that says something impossible.
    """
    try:
        said = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise wrong(f"{origin} is not readable TOML: {error}") from error
    try:
        return _checked(said, origin, by_hand)
    except (ValueError, TypeError, OverflowError) as error:
        raise wrong(f"{origin}: {error}") from error


def _checked(said: dict[str, Any], origin: str, by_hand: bool) -> Donation:
    values = {key: value for key, value in said.items() if key not in ABOUT}
    values["about"] = {key: str(said[key]) for key in ABOUT if key in said}
    splits = _section(values.pop("splits", {}), "splits", {"dev", "test", *_SPLIT_KEYS})
    values["dev_speakers"], values["test_speakers"] = splits.get("dev", []), splits.get("test", [])
    values |= {key: splits[key] for key in _SPLIT_KEYS if key in splits}
    for key, kind in (("file_name", FileNames), ("sphinx", Sphinx), ("table", Table)):
        if key in values:
            allowed = {f.name for f in fields(kind)}
            section = _section(values[key], key, allowed)
            missing = [f.name for f in fields(kind) if f.default is MISSING is f.default_factory]
            for name in missing:
                if name not in section:
                    raise ValueError(f"[{key}]: {name!r} is missing")
            check_kinds(section, fields(kind), f"[{key}] ")
            values[key] = kind(**_tuples(section))
    unknown = sorted(said.keys() - KEYS)
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; known: {', '.join(sorted(KEYS))}")
    for key, choices in _CHOICES.items():
        if key in values and values[key] not in choices:
            raise ValueError(f"{key} = {values[key]!r}; it is one of {', '.join(sorted(choices))}")
    if not NAME.fullmatch(str(values.get("name", ""))):
        raise ValueError(f"name = {values.get('name')!r}; it matches {NAME.pattern}")
    values.setdefault("donor", values["name"])
    values["licence"] = str(values.get("licence", "")).strip()
    check_kinds(values, fields(Donation), "")
    check_numbers(values)
    check_encoding(values.get("encoding", "auto"))
    values["language"] = language_tag(values.get("language", "en"))
    check_genders(values.get("genders", {}))
    if not by_hand and values.get("may_redistribute"):
        del values["may_redistribute"]  # a claim that would widen rights
    donation = Donation(**_tuples(values), origin=origin, by_hand=by_hand)
    _check_patterns(donation)
    _check_table(donation.table)
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
    for pattern in patterns:
        problem = compile_error(pattern)
        if problem:
            raise ValueError(f"pattern {pattern!r} is no regular expression: {problem}")
        if donation.file_name and "text" not in re.compile(donation.file_name.pattern).groupindex:
            raise ValueError(f"pattern {pattern!r} has no group (?P<text>…)")


def _check_table(table: Table | None) -> None:
    if table is None:
        return
    delimiter = {"tab": "\t", "\\t": "\t"}.get(table.delimiter, table.delimiter)
    if len(delimiter) != 1:
        raise ValueError(f'[table] delimiter = {table.delimiter[:20]!r}; it is one sign, or "tab"')
    if re.search(r"[{}]", re.sub(r"\{[^{}!:]+\}", "", table.audio)) or "{" not in table.audio:
        raise ValueError(
            f"[table] audio = {table.audio[:60]!r}; it names columns in braces, as in 'wavs/{{id}}'"
        )
    twice = [name for name in table.columns if table.columns.count(name) > 1]
    if twice:
        raise ValueError(f"[table] columns names {twice[0]!r} twice")
    if bool(table.start) != bool(table.end):
        raise ValueError("[table] start and end belong together")


# Every key a donation.toml may hold.
KEYS = frozenset({f.name for f in fields(Donation)} - {"origin", "by_hand", "about"}) - {
    "dev_speakers", "test_speakers", *_SPLIT_KEYS
} | {*ABOUT, "splits"}  # fmt: skip
