"""Sources named from outside: only below the roots, however they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.sources.allowed import require_allowed, require_allowed_sources
from store.errors import UsageError


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    for name in ("open/speech", "secret"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "open/link").symlink_to(tmp_path / "secret")
    (tmp_path / "door").symlink_to(tmp_path / "open")
    return tmp_path


def test_below_a_root_is_allowed_and_comes_back_resolved(roots: Path) -> None:
    environ = {"SPEECHMILL_SOURCES": f"/nowhere:{roots}/door"}
    assert require_allowed([f"{roots}/door/speech"], environ) == [(roots / "open/speech").resolve()]
    assert require_allowed([f"{roots}/open"], environ) == [(roots / "open").resolve()]


@pytest.mark.parametrize(
    "source",
    [
        "{0}/secret",
        "{0}/open/link",
        "{0}/open/../secret",
        "{0}/opening",
        "open",
        "",
        "/",
        "file://{0}/open",
        "{0}/open/\0",
    ],
)
def test_everything_else_is_refused(roots: Path, source: str) -> None:
    source = source.format(roots)
    with pytest.raises(UsageError) as refusal:
        require_allowed([source], {"SPEECHMILL_SOURCES": f"{roots}/open"})
    assert repr(source) in str(refusal.value)


def test_without_roots_nothing_is_allowed_and_the_file_wins(roots: Path) -> None:
    with pytest.raises(UsageError, match="none"):
        require_allowed([f"{roots}/open"], {})
    with pytest.raises(UsageError, match="none"):
        require_allowed(["/etc"], {"SPEECHMILL_SOURCES": "relative::"})
    (roots / "sources").write_text(f"{roots}/secret\n")
    environ = {"SPEECHMILL_SOURCES": f"{roots}/open", "SPEECHMILL_SOURCES_FILE": f"{roots}/sources"}
    assert require_allowed([f"{roots}/secret"], environ)
    with pytest.raises(UsageError):
        require_allowed([f"{roots}/open"], environ)


def test_places_on_s3_are_allowed_below_roots_on_s3_where_archives_are_read(roots: Path) -> None:
    environ = {"SPEECHMILL_SOURCES": f"{roots}/open:s3://speech/archives:s3://other/"}
    wanted = ["s3://speech/archives", "s3://speech/archives/fisher/", "s3://other/a.tar.gz", f"{roots}/open"]
    assert require_allowed_sources(wanted, environ) == [
        "s3://speech/archives",
        "s3://speech/archives/fisher",
        "s3://other/a.tar.gz",
        (roots / "open").resolve(),
    ]
    with pytest.raises(UsageError, match="is a URL that is not allowed here"):
        require_allowed(["s3://speech/archives"], environ)


@pytest.mark.parametrize(
    "source",
    ["s3://speech", "s3://speech/archives2", "s3://speech/archives/../x", "s3://", "s3://speech/archives/a*"],
)
def test_other_places_on_s3_are_refused(source: str) -> None:
    environ = {"SPEECHMILL_SOURCES": "/data:s3://speech/archives:s3:///"}
    with pytest.raises(UsageError, match="s3://speech/archives; allow its place") as refusal:
        require_allowed_sources([source], environ)
    assert repr(source) in str(refusal.value)
