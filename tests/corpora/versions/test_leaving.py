"""Who withdraws stays out of every later version, a corpus of which nothing is left is unpublished, and removal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile

from corpora.__main__ import main
from corpora.errors import NothingImportedError
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.renormalise import renormalise
from corpora.refresh.stage import refresh
from corpora.versions.withdrawals import withdraw
from demo.layouts import tones
from store.errors import NotPublishedError, UsageError
from store.opening import open_store
from store.store import Store

SPOKEN = [f"number {word} is what is said" for word in ("one", "two", "three", "four")]


def given(folder: Path, name: str, texts: dict[str, str], sounds: tuple[int, int]) -> Path:
    """A donated archive of one sound and one text per file name."""
    folder.mkdir(parents=True)
    items = tones.utterances(speakers_per_split=1, each=2)
    for (file, text), sound in zip(texts.items(), sounds, strict=True):
        soundfile.write(folder / f"{file}.wav", items[sound].samples, 16_000, subtype="PCM_16")
        (folder / f"{file}.txt").write_text(text + "\n")
    head = f'name = "{name}"\ndonor = "me"\nlicence = "CC0-1.0"\nlanguage = "en"\ntext_kind = "verbatim"\n'
    (folder / "donation.toml").write_text(head + 'speaker_rule = "file"\n')
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with the donation `gift` of two files."""
    source = given(tmp_path / "gift", "gift", {"a": SPOKEN[0], "b": SPOKEN[1]}, (0, 1))
    refresh(RefreshRequest("donated", (source,), store=tmp_path / "store"))
    return open_store(tmp_path / "store")


def rows(store: Store) -> list[dict[str, Any]]:
    return [row for batch in store.corpus("gift").batches() for row in batch.to_pylist()]


def test_who_has_withdrawn_stays_out_of_a_renormalised_version(store: Store) -> None:
    speaker = rows(store)[0]["speaker_id"]
    assert len(rows(store)) == 2
    withdraw(store, "gift", speaker)
    said = renormalise(store, "gift")
    assert said["rejected"] == {"withdrawn": 1} and said["items"]["accepted"] == 1
    assert [row["speaker_id"] == speaker for row in rows(store)] == [False]
    [gone] = store.corpus("gift").rejections().to_pylist()
    assert (gone["check"], gone["text_raw"], gone["speaker_id"]) == ("withdrawn", None, speaker)
    assert speaker not in json.dumps(store.corpus("gift").manifest.get("speaker_splits", {}))
    assert renormalise(store, "gift")["status"] == "unchanged"


@pytest.mark.parametrize("anew", ["refresh", "renormalise"])
def test_a_corpus_that_is_withdrawn_as_a_whole_is_unpublished(
    store: Store, tmp_path: Path, anew: str, capsys: pytest.CaptureFixture[str]
) -> None:
    withdraw(store, "gift", "me")
    command = (
        ["refresh", "donated", "--source", str(tmp_path / "gift")] if anew == "refresh" else [anew, "gift"]
    )
    assert main([*command, "--store", str(store.root)]) == 3
    err = capsys.readouterr().err
    assert "no version of gift is published any more" in err and "Traceback" not in err
    assert store.corpus_names() == [] and store.corpus_troubles() == {}
    with pytest.raises(NotPublishedError):
        store.corpus("gift")
    assert [path.name for path in (store.corpora_dir / "gift").glob("*/manifest.json")] != []


def test_a_corpus_of_which_every_row_is_refused_late_ends_in_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twins = given(tmp_path / "twin", "twin", {"a": SPOKEN[0], "b": SPOKEN[1]}, (0, 0))
    arguments = ["refresh", "donated", "--source", str(twins), "--store", str(tmp_path / "store")]
    assert main(arguments) == 3
    err = capsys.readouterr().err
    assert "nothing in twin could be imported (2 same_audio_other_text)" in err and "Traceback" not in err


def test_an_archive_given_again_under_another_name_ends_in_sentences(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = shutil.copytree(tmp_path / "gift", tmp_path / "again")
    text = (again / "donation.toml").read_text().replace("gift", "again").replace('"me"', '"them"')
    (again / "donation.toml").write_text(text)
    assert main(["refresh", "donated", "--source", str(again), "--store", str(store.root)]) == 3
    err = capsys.readouterr().err
    assert "nothing in again could be imported (" in err and "Traceback" not in err
    assert store.corpus_names() == ["gift"]


def test_removing_says_first_what_goes_and_what_stays(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    withdraw(store, "gift", rows(store)[0]["speaker_id"])
    refresh(RefreshRequest("donated", (tmp_path / "gift",), store=store.root))
    versions = sorted(path.parent.name for path in store.corpora_dir.glob("gift/*/manifest.json"))
    old = next(name for name in versions if name not in (store.corpus("gift").version, "current"))
    at = ["--store", str(store.root)]
    assert main(["remove", "gift", *at]) == 2
    out, err = capsys.readouterr()
    assert "would go" in out and "withdrawn stays" in out and "--yes" in err
    assert store.corpus_names() == ["gift"]
    with pytest.raises(UsageError, match="version in force"):
        main_error(["remove", "gift", "--version", store.corpus("gift").version, *at])
    assert main(["remove", "gift", "--version", old, "--yes", *at]) == 0
    assert not (store.corpora_dir / "gift" / old).exists() and store.corpus("gift").is_whole()
    assert main(["remove", "gift", "--yes", "--json", *at]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["removed"] and told["withdrawn"] and (tmp_path / "gift").is_dir()
    left = sorted(path.name for path in (store.corpora_dir / "gift").iterdir())
    assert (
        left == ["withdrawn.copy.json", "withdrawn.json"] and not (store.cache_dir / "groups/gift").exists()
    )
    assert main(["remove", "gift", "--yes", *at]) == 2
    again = refresh(RefreshRequest("donated", (tmp_path / "gift",), store=store.root))
    assert again["rejected"] == {"withdrawn": 1}, "who has withdrawn stays out when it is imported again"


def main_error(arguments: list[str]) -> None:
    """Runs a removal so that its error can be looked at."""
    from corpora.versions.removal import plan_removal

    plan_removal(open_store(Path(arguments[-1])), arguments[1], arguments[3])


def test_nothing_left_is_the_same_error_everywhere(store: Store, tmp_path: Path) -> None:
    withdraw(store, "gift", "me")
    with pytest.raises(NothingImportedError):
        renormalise(store, "gift")
