"""What listeners decide: kept, honoured by refresh and renormalise, taken back, and the counts balance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpora.__main__ import main
from corpora.curation.curate import Wish, curate
from corpora.curation.decisions import NOTES, curation_mark, is_due, read_decisions, standing
from corpora.errors import TextRefusedError
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import librispeech, tones
from store.errors import StoreError, UsageError
from store.opening import open_store
from store.store import Store


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return Path(librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=1, each=3)))


@pytest.fixture
def store(tree: Path, tmp_path: Path) -> Store:
    import_(tree, tmp_path / "store")
    return open_store(tmp_path / "store")


def import_(tree: Path, store: Path, **more: Any) -> dict[str, Any]:
    return refresh(RefreshRequest("librispeech", (tree,), store=store, **more))


def rows(store: Store, version: str | None = None) -> dict[str, dict[str, Any]]:
    batches = store.corpus("librispeech", version).batches()
    return {row["utterance_id"]: row for batch in batches for row in batch.to_pylist()}


def decide(store: Store, action: str, utterance: str, **more: Any) -> dict[str, Any]:
    return curate(store, store.corpus("librispeech"), Wish(action, utterance, "ann", **more))


def balance(answer: dict[str, Any]) -> bool:
    items = answer["items"]
    return bool(items["input"] == items["accepted"] + items["rejected"] + items["ignored"])


def test_a_flag_and_a_correction_are_honoured_by_the_next_refresh(store: Store, tree: Path) -> None:
    before, first = rows(store), store.corpus("librispeech").version
    flagged, corrected, *_ = before
    decide(store, "flag", flagged, why="another voice")
    assert (
        decide(store, "correct", corrected, text="Seven, RED tones", why="heard it")["text"]
        == "seven red tones"
    )
    assert is_due(store, store.corpus("librispeech"))
    answer = import_(tree, store.root)
    assert answer["status"] == "published" and answer["version"] != first and balance(answer)
    assert answer["rejected"] == {"flagged_by_listener": 1}
    after = rows(store)
    assert set(after) == set(before) - {flagged}
    new, old = after[corrected], before[corrected]
    assert (new["text"], new["text_raw"]) == ("seven red tones", old["text_raw"])
    assert "corrected" in new["flags"] and new["audio"] == old["audio"]
    assert new["measures"]["chars_per_s"] == pytest.approx(15 / old["duration_s"], rel=1e-5)
    assert all(after[name] == before[name] for name in after if name != corrected)
    [gone] = store.corpus("librispeech").rejections().to_pylist()
    assert (gone["utterance_id"], gone["text_raw"]) == (flagged, before[flagged]["text_raw"])
    assert "another voice (ann, 20" in gone["reason"]
    manifest = store.corpus("librispeech").manifest
    assert {k: manifest["curation"][k] for k in ("out", "corrected", "not_found")} == {
        "out": 1, "corrected": 1, "not_found": 0,
    }  # fmt: skip
    assert manifest["flags"]["corrected"] == 1
    assert not is_due(store, store.corpus("librispeech"))
    assert import_(tree, store.root)["status"] == "unchanged"


def test_the_same_list_gives_the_same_bytes_whatever_was_kept(
    store: Store, tree: Path, tmp_path: Path
) -> None:
    flagged, corrected, *_ = rows(store)
    decide(store, "flag", flagged)
    decide(store, "correct", corrected, text="seven")
    version = import_(tree, store.root)["version"]
    other = tmp_path / "other"
    for note in NOTES:
        target = other / "corpora/librispeech" / note
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((store.corpora_dir / "librispeech" / note).read_bytes())
    assert import_(tree, other, workers=2)["version"] == version


def test_undone_it_is_as_it_was(store: Store, tree: Path) -> None:
    first = store.corpus("librispeech").version
    flagged, corrected, *_ = rows(store)
    decide(store, "flag", flagged)
    decide(store, "correct", corrected, text="seven")
    import_(tree, store.root)
    undone = decide(store, "undo", corrected)["decision"]
    assert undone["undoes"] == read_decisions(store, "librispeech")[1].id
    curate(store, store.corpus("librispeech", first), Wish("undo", flagged, "ben"))
    with pytest.raises(UsageError, match="nothing is in force"):
        decide(store, "undo", corrected)
    assert import_(tree, store.root)["version"] == first
    assert len(read_decisions(store, "librispeech")) == 4 and not curation_mark(store, "librispeech")


def test_it_survives_renormalise_and_comes_back_there_too(
    store: Store, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from corpora.refresh.renormalise import renormalise

    before, first = rows(store), store.corpus("librispeech").version
    flagged, corrected, second, *_ = before
    decide(store, "flag", flagged, why="noise")
    decide(store, "correct", corrected, text="seven")
    said = renormalise(store, "librispeech")
    assert said["rejected"] == {"flagged_by_listener": 1} and balance(said) and said["changed"] == 1
    assert rows(store)[corrected]["text"] == "seven" and flagged not in rows(store)
    assert not is_due(store, store.corpus("librispeech"))
    by_refresh = import_(tree, store.root)
    assert rows(store) == rows(store, said["version"])
    assert by_refresh["rejected"] == said["rejected"]
    curate(store, store.corpus("librispeech", first), Wish("undo", flagged, "ann"))
    decide(store, "undo", corrected)
    decide(store, "flag", second)
    said = renormalise(store, "librispeech")
    assert said["returned"] == 1 and balance(said)
    assert rows(store) == {name: row for name, row in before.items() if name != second}
    curate(store, store.corpus("librispeech", first), Wish("undo", second, "ann"))
    renormalise(store, "librispeech")
    assert rows(store) == before  # both shards of rows that came back are there


def test_a_decision_follows_its_sound_into_a_new_release(store: Store, tree: Path) -> None:
    _, corrected, *_ = rows(store)
    decide(store, "correct", corrected, text="seven")
    transcript = next(path for path in tree.rglob("*.trans.txt") if corrected in path.read_text())
    transcript.write_text(transcript.read_text().replace(f"{corrected} ", f"{corrected} NINE "))
    import_(tree, store.root)
    row = rows(store)[corrected]
    assert row["text"] == "seven" and row["text_raw"].startswith("NINE ")


def test_a_text_that_could_not_be_used_is_refused_at_once(store: Store) -> None:
    name = next(iter(rows(store)))
    with pytest.raises(TextRefusedError, match="letters need"):
        decide(store, "correct", name, text="far too many words for so short a sound " * 20)
    with pytest.raises(TextRefusedError):
        decide(store, "correct", name, text="漢字")
    for wrong in ({"action": "flag", "text": "x"}, {"action": "correct"}, {"action": "praise"}):
        with pytest.raises(UsageError):
            curate(store, store.corpus("librispeech"), Wish(utterance_id=name, by="ann", **wrong))  # type: ignore[arg-type]
    assert read_decisions(store, "librispeech") == []


def test_a_list_that_was_edited_or_cut_is_noticed(store: Store, tree: Path) -> None:
    names = list(rows(store))
    for name in names[:3]:
        decide(store, "flag", name)
    path, copy = (store.corpora_dir / "librispeech" / note for note in NOTES)
    whole = path.read_bytes()
    for damaged in (
        whole[:-9],
        whole.replace(b"ann", b"eve", 1),
        b"".join(whole.splitlines(True)[1:]),
        b"\xff",
    ):
        path.write_bytes(damaged)
        assert len(standing(read_decisions(store, "librispeech"))) == 3  # by the copy
    copy.write_bytes(b"{}")
    with pytest.raises(StoreError, match="only record"):
        import_(tree, store.root)


def test_the_command(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    name = next(iter(rows(store)))
    there = ["--store", str(store.root)]
    assert main(["curate", "librispeech", "flag", name, "--why", "<b>\u202ehiss", "--by", "ann", *there]) == 0
    assert "the next version leaves it out" in capsys.readouterr().out
    assert main(["curate", "librispeech", "list", "--json", *there]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["due"] and [one["why"] for one in said["decisions"]] == ["<b>\u202ehiss"]
    assert main(["curate", "librispeech", "list", *there]) == 0
    shown = capsys.readouterr().out
    assert "in force" in shown and "\u202e" not in shown
    assert main(["curate", "librispeech", "undo", "nobody", *there]) == 2
    assert "no utterance 'nobody'" in capsys.readouterr().err
