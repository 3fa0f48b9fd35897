"""An archivist's folder of long recordings with minutes: through quarantine and alignment to a published, timed corpus."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import GateRefusedError, NothingImportedError
from corpora.refresh import aligned
from corpora.refresh.aligned import refresh_and_align
from corpora.refresh.bundles import require_passed
from corpora.refresh.plan import RefreshRequest
from corpora.report import refused_report
from corpora.versions.withdrawals import withdraw
from store.opening import open_store
from store.store import Store
from store.writing import write_json_atomic
from training import __main__ as cli
from training.alignment import waiting as waiting_room
from training.alignment.align import AlignRequest, align
from training.alignment.waiting import align_waiting, publish_aligned, why_not
from training.errors import DataError
from training.release.registry import Model, Registry

DONATION = """
name = "radio"
donor = "Town radio"
licence = "CC-BY-4.0"
language = "en"
text_kind = "verbatim"
speaker_rule = "file"
"""


@pytest.fixture
def radio(tmp_path: Path, request_for: Any, sentences: Any) -> Path:
    """Two long recordings with minutes that nearly belong, and a folder description."""
    folder = tmp_path / "radio"
    folder.mkdir()
    for stem, seed in (("ann", 1), ("bob", 2)):
        said = sentences(9, seed)
        request = request_for(said, "\n".join([*said[:4], "feed decade feed babe decade", *said[4:]]), stem)
        for path in (request.sound, request.text):
            path.rename(folder / path.name)
    (folder / "donation.toml").write_text(DONATION)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@pytest.fixture
def released(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a model of a language in force; what it says comes from the recognizer of tones."""
    folder = store.root / "models" / "m1"

    def release(language: str) -> None:
        write_json_atomic(folder / "model.json", {"language": language, "files": {}})
        link = folder.parent / "released"
        if not link.is_symlink():
            link.symlink_to("m1")

    monkeypatch.setattr(
        Registry,
        "released",
        lambda self: Model("m1", folder, "released") if (folder / "model.json").is_file() else None,
    )
    return release


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The aligner in this process, where it hears tones; names of the corpora it was asked for."""
    asked: list[str] = []

    def run(store: Store, name: str) -> dict[str, Any]:
        asked.append(name)
        return publish_aligned(name, store)

    monkeypatch.setattr(aligned, "run_aligner", run)
    return asked


def texts(store: Store, name: str) -> list[str]:
    batches = store.corpus(name).batches(columns=["text"])
    return sorted(row["text"] for batch in batches for row in batch.to_pylist())


def request_of(folder: Path, store: Store) -> RefreshRequest:
    return RefreshRequest("donated", (folder,), store=store.root)


def test_a_folder_becomes_a_timed_corpus(
    radio: Path, store: Store, released: Any, here: list[str], sentences: Any
) -> None:
    with pytest.raises(NothingImportedError, match="needs_alignment"):
        refresh_and_align(request_of(radio, store), store)
    released("cy")
    with pytest.raises(NothingImportedError):
        refresh_and_align(request_of(radio, store), store)
    assert here == [] and "'en' wait" in str(why_not("radio", store))
    released("en cy")
    answer = refresh_and_align(request_of(radio, store), store)
    assert here == ["radio"] and answer["published"] and answer["corpus"] == "radio-aligned"
    assert texts(store, "radio-aligned") == sorted(sentences(9, 1) + sentences(9, 2))
    manifest = store.corpus("radio-aligned").manifest
    assert (manifest["licence"], manifest["donor"]) == ("CC-BY-4.0", "Town radio")
    batches = store.corpus("radio-aligned").batches(columns=["speaker_id"])
    assert {row["speaker_id"] for batch in batches for row in batch.to_pylist()} == {"ann", "bob"}
    certificates = sorted((Path(answer["aligned"]["path"]) / "certificates").glob("*.json"))
    said = [json.loads(path.read_text())["not_spoken"] for path in certificates]
    assert [[one["text"] for one in each] for each in said] == [["feed decade feed babe decade"]] * 2
    assert len(list(certificates[0].parent.glob("*.html"))) == 2
    again = refresh_and_align(request_of(radio, store), store)
    assert again["version"] == answer["version"]


def test_what_had_times_stays_beside_what_was_aligned(
    radio: Path, store: Store, released: Any, here: list[str], tmp_path: Path
) -> None:
    released("en")
    (radio / "ann.txt").unlink()
    (radio / "ann.srt").write_text("1\n00:00:00,700 --> 00:00:04,000\nabba cad\n")
    answer = refresh_and_align(request_of(radio, store), store)
    assert answer["corpus"] == "radio" and answer["aligned"]["published"]["corpus"] == "radio-aligned"
    assert texts(store, "radio") == ["abba cad"] and len(texts(store, "radio-aligned")) == 9


def test_captions_whose_times_are_not_believed_are_timed_anew(
    radio: Path, store: Store, released: Any, here: list[str], sentences: Any
) -> None:
    released("en")
    (radio / "bob.txt").unlink()
    cues = [
        f"{number}\n00:00:{number * 6:02d},000 --> 00:00:{number * 6 + 5:02d},000\n{text}\n"
        for number, text in enumerate(sentences(9, 2))
    ]
    (radio / "bob.srt").write_text("\n".join(cues))
    (radio / "donation.toml").write_text(DONATION + 'timing = "none"\n')
    answer = refresh_and_align(request_of(radio, store), store)
    assert texts(store, "radio-aligned") == sorted(sentences(9, 1) + sentences(9, 2))
    certificate = json.loads(
        (Path(answer["aligned"]["path"]) / "certificates/bob.alignment.json").read_text()
    )
    length_s = [0.75 + 0.14 * len(text) for text in sentences(9, 2)]
    starts_s = [one["start_s"] for one in certificate["segments"]]
    assert starts_s == pytest.approx([sum(length_s[:n]) + 0.75 for n in range(9)], abs=0.3)


def test_nothing_is_aligned_twice_and_who_leaves_is_gone(
    radio: Path, store: Store, released: Any, here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[AlignRequest] = []

    def counted(one: AlignRequest) -> dict[str, Any]:
        made.append(one)
        return align(one)

    monkeypatch.setattr(waiting_room, "align", counted)
    released("en")
    answer = refresh_and_align(request_of(radio, store), store)
    align_waiting("radio", store)
    assert len(made) == 2, "what is aligned already is not aligned again"
    withdraw(store, "radio-aligned", "bob")
    after = refresh_and_align(request_of(radio, store), store)
    assert len(made) == 2 and after["aligned"]["recordings"] == 1
    assert sorted(path.name for path in Path(answer["aligned"]["path"]).rglob("bob*")) == []
    assert len(texts(store, "radio-aligned")) == 9


def test_an_aligned_corpus_that_the_gate_refuses_is_no_success(
    radio: Path,
    store: Store,
    released: Any,
    here: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same speech in three recordings: two voices of dev and test say what the one of train says."""
    released("en")
    for name in ("bob", "cid"):
        for ending in ("wav", "txt"):
            (radio / f"{name}.{ending}").write_bytes((radio / f"ann.{ending}").read_bytes())
    sealed = refresh_and_align(request_of(radio, store), store)
    assert sealed["status"] == "refused" and store.corpus_names() == []
    with pytest.raises(GateRefusedError, match="the gate refused radio-aligned, nothing was published"):
        require_passed(sealed, store)
    assert (store.reports_dir / refused_report("radio-aligned")).is_file()
    assert cli.main(["align", "--waiting", "radio", "--publish", "--store", str(store.root)]) == 1
    assert "radio-aligned was not published: the gate refused it" in capsys.readouterr().err


def test_texts_that_do_not_belong_at_all_are_said(
    radio: Path, store: Store, released: Any, here: list[str]
) -> None:
    released("en")
    for path in radio.glob("*.txt"):
        path.write_text("house tree river cloud stone")
    with pytest.raises(
        DataError, match=r"nothing of radio could be aligned: .*is it the text of this recording"
    ):
        refresh_and_align(request_of(radio, store), store)


def test_the_command(
    radio: Path, store: Store, released: Any, here: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NothingImportedError):
        refresh_and_align(request_of(radio, store), store)
    line = ["align", "--waiting", "radio", "--store", str(store.root)]
    assert cli.main([*line, "--publish"]) == 2 and "no model is released" in capsys.readouterr().err
    released("en")
    assert cli.main([*line, "--publish"]) == 0
    assert "radio-aligned" in capsys.readouterr().out and store.corpus_names() == ["radio-aligned"]
    assert cli.main([*line, "--publish", "--out", str(radio)]) == 2


def test_what_a_weak_network_found_is_certified_and_not_published(
    radio: Path, store: Store, released: Any, sentences: Any
) -> None:
    with pytest.raises(NothingImportedError, match="needs_alignment"):
        refresh_and_align(request_of(radio, store), store)
    released("en")

    def weak(request: AlignRequest) -> dict[str, Any]:
        answer = align(request)
        if request.sound.stem == "bob":
            answer["shares"]["words_unaided"] = 0.41
            answer["problem"] = "bob: too weak"
        return answer

    answer = publish_aligned("radio", store, weak)
    assert answer["problems"] == ["bob: too weak"] and answer["segments"] > 0
    assert texts(store, "radio-aligned") == sorted(sentences(9, 1))
    certificate = json.loads(
        (store.root / "aligned" / "radio" / "certificates" / "bob.alignment.json").read_text()
    )
    assert certificate["withheld"] and len(certificate["segments"]) > 0
    assert (store.root / "aligned" / "radio" / "bob.vtt").read_text() == "WEBVTT\n\n"
    page = (store.root / "aligned" / "radio" / "certificates" / "bob.html").read_text()
    assert "Nothing of this recording was published" in page and "41" in page
    again = publish_aligned("radio", store, weak)
    assert again["problems"] == answer["problems"] and again["segments"] == answer["segments"]
