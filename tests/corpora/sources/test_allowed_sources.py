"""Sources named from outside: only below the roots, however they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.sources.allowed import (
    Bounds,
    look_inside,
    offered,
    require_allowed,
    require_allowed_sources,
    search_ended,
)
from store.errors import UsageError
from store.opening import open_store


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


def test_archives_further_down_are_offered_and_a_cut_search_is_told(tmp_path: Path) -> None:
    store, root = open_store(tmp_path / "store"), tmp_path / "archives"
    for name in ("english/2020/talks.tar.gz", "english/2020/notes.txt", "town.zip", "a/b/c/d/deep.zip"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * 10)
    (root / "english/out").symlink_to(tmp_path)
    environ, asked = {"SPEECHMILL_SOURCES": f"{root}:{root}/english"}, []

    def look(path: Path) -> tuple[str, ...]:
        asked.append(str(path.relative_to(root)))
        return {".gz": ("tedlium",), ".zip": ("donated",)}.get(path.suffix, ())

    found = {one.name: one.importers for one in look_inside(store, look, environ)}
    assert found["english/2020/talks.tar.gz"] == ("tedlium",) and found["town.zip"] == ("donated",)
    assert found["2020"] == () and found["english"] == (), "entries of the roots are shown in any case"
    assert not any("notes" in one or "deep" in one or "out" in one for one in asked)
    assert "a/b/c/d: name what lies there by its path" in search_ended(store)
    asked.clear()
    assert {one.name for one in look_inside(store, look, environ)} == set(found) and asked == []
    (root / "english/2020/talks.tar.gz").write_bytes(b"another")
    assert "english/2020/talks.tar.gz" not in {one.name for one in offered(store, environ)}
    look_inside(store, look, environ)
    assert asked == ["english/2020/talks.tar.gz"]
    assert offered(store, {"SPEECHMILL_SOURCES": str(tmp_path / "elsewhere")}) == []


def test_the_search_below_the_roots_ends_after_so_many_places_and_goes_on_from_there(tmp_path: Path) -> None:
    store, root = open_store(tmp_path / "store"), tmp_path / "archives"
    root.mkdir()
    for number in range(5):
        (root / f"{number}.zip").write_bytes(b"x")
    environ = {"SPEECHMILL_SOURCES": str(root)}
    found = look_inside(store, lambda path: ("donated",), environ, Bounds(looks=2))
    assert [one.importers for one in found] == [("donated",), ("donated",), None, None, None]
    assert "ended after 2 places, before" in search_ended(store) and "2.zip" in search_ended(store)
    look_inside(store, lambda path: ("donated",), environ, Bounds(looks=2))
    found = look_inside(store, lambda path: ("donated",), environ, Bounds(looks=2))
    assert all(one.importers for one in found) and search_ended(store) == ""
    (root / "6.zip").write_bytes(b"x")
    look_inside(store, lambda path: ("donated",), environ, Bounds(seconds=-1.0))
    assert "ended after 0 places" in search_ended(store)
