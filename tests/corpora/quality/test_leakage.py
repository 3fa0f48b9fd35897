"""Leakage within a corpus and between corpora: what is found, what the gate refuses, what is only told."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import soxr

from corpora.__main__ import main
from corpora.audio.fingerprint import NEAR_BITS, as_words, fingerprint
from corpora.quality.gate import refusal
from corpora.quality.leakage import traces_of
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.report import render_corpus_report
from demo.layouts import SpokenUtterance, librispeech
from store.opening import open_store
from tests.corpora.handmade import handmade

RATE_HZ = 16_000
LONG = "one two three four five six"


def speech(seed: int, seconds: float = 3.0) -> np.ndarray:
    """Invented sound with moving formants and pauses; another seed, another recording."""
    chance = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE_HZ))
    sound = np.zeros(len(at))
    for formant in (400, 1100, 2400):
        bends = np.interp(at, np.linspace(0, len(at), 25), chance.uniform(0.6, 1.5, 25) * formant)
        loud = np.interp(at, np.linspace(0, len(at), 40), chance.uniform(0.0, 1.0, 40))
        sound += loud * np.sin(2 * np.pi * np.cumsum(bends) / RATE_HZ)
    sound += 0.01 * chance.standard_normal(len(at))
    return (sound / np.abs(sound).max() * 12_000).astype(np.int16)


def spoken(number: int, split: str, text: str, samples: np.ndarray | None = None) -> SpokenUtterance:
    heard = speech(number) if samples is None else samples
    return SpokenUtterance(f"voice {number}", "f", text, heard, split)


def imported(store: Path, name: str, utterances: list[SpokenUtterance]) -> dict[str, Any]:
    source = librispeech.write(store.parent / f"source-{name}", utterances).path
    return refresh(RefreshRequest("librispeech", (source,), name=name, store=store))


def failed(answer: dict[str, Any]) -> list[str]:
    return [entry["name"] for entry in answer["gate"]["expectations"] if not entry["passed"]]


def test_a_long_sentence_in_train_and_test_is_refused_a_short_one_reported(tmp_path: Path) -> None:
    short = [spoken(1, "train", "one two"), spoken(2, "dev", "one two"), spoken(3, "test", "three four")]
    answer = imported(tmp_path / "store", "short", short)
    assert answer["published"]
    told = open_store(tmp_path / "store").corpus("short").manifest["leakage"]
    assert (told["short_sentences"], told["sentences"], told["dev_any"], told["dev"]) == (1, 0, 1, 0)
    assert "Only reported" in told["policy"]
    long = [spoken(4, "train", LONG), spoken(5, "dev", "red"), spoken(6, "test", LONG)]
    answer = imported(tmp_path / "store", "long", long)
    assert not answer["published"]
    assert failed(answer) == ["leaked_sentences"]
    said = refusal("long", answer["gate"])
    assert "1 of 1 long sentences in dev and test of long stand in train of long: a share of 1.0000, " in said
    assert "tolerated is 0.01; " in said


def test_the_same_sound_in_train_and_test_is_refused(tmp_path: Path) -> None:
    same = speech(7)
    items = [spoken(7, "train", "one two", same), spoken(8, "dev", "red"), spoken(9, "test", "one two", same)]
    assert failed(imported(tmp_path / "store", "copied", items)) == ["leaked_audio"]


def test_a_near_copy_with_the_same_text_is_refused(tmp_path: Path) -> None:
    sound = speech(10)
    quieter = (soxr.resample(soxr.resample(sound, RATE_HZ, 8000), 8000, RATE_HZ) * 0.7).astype(np.int16)
    items = [spoken(10, "train", "one two", sound), spoken(11, "dev", "red")]
    copy = spoken(12, "test", "one two", quieter)
    assert failed(imported(tmp_path / "store", "copied", [*items, copy])) == ["leaked_audio"]
    told = imported(tmp_path / "store", "other", [*items, replace(copy, text="three four")])
    assert told["published"]
    leakage = open_store(tmp_path / "store").corpus("other").manifest["leakage"]
    assert (leakage["audio"], leakage["near_copies"], leakage["near_copies_other_text"]) == (0, 0, 1)


def test_the_gate_looks_at_all_corpora_of_the_store(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    store = tmp_path / "store"
    base = [spoken(1, "train", LONG), spoken(2, "dev", "red"), spoken(3, "test", "green")]
    first = imported(store, "first", base)
    other = [spoken(21, "train", "five"), spoken(22, "dev", "six"), spoken(23, "test", LONG)]
    assert failed(imported(store, "sentence", other)) == ["leaked_sentences"]
    other[2] = spoken(23, "test", "one two", base[0].samples)
    assert failed(imported(store, "sound", other)) == ["leaked_audio"]
    assert open_store(store).corpus_names() == ["first"]
    turned = [spoken(31, "test", "a"), spoken(32, "dev", "b"), spoken(33, "train", "c")]
    assert failed(imported(store, "speaker", turned)) == ["leaked_speakers"]  # readers are numbered from 1 on
    again = RefreshRequest(
        "librispeech", (tmp_path / "source-first" / "LibriSpeech",), name="first", store=store
    )
    assert refresh(again)["version"] == first["version"]
    assert main(["leakage", "--store", str(store), "--json"]) == 0
    (pair,) = json.loads(capsys.readouterr().out)["pairs"]
    assert (pair["train"], pair["held_out"], pair["utterances"], pair["sentences"]) == (
        "first",
        "first",
        2,
        0,
    )


def test_a_closed_vocabulary_is_told_in_red_and_not_refused(tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    folder.mkdir()
    for speaker in range(4):
        for take in range(2):
            soundfile.write(
                folder / f"s{speaker}_{take}.wav", speech(100 + 10 * speaker + take, 2.5), RATE_HZ
            )
    (folder / "donation.toml").write_text(
        'name = "digits"\nlicence = "CC0-1.0"\ndonor = "d"\nclosed_vocabulary = true\n'
        '[file_name]\npattern = "(?P<speaker>s\\\\d)_(?P<text>\\\\d)"\n'
        f'[file_name.words]\n0 = "{LONG}"\n1 = "{LONG} seven"\n'
    )
    answer = refresh(RefreshRequest("donated", (folder,), store=tmp_path / "store"))
    assert answer["published"], answer["gate"]
    corpus = open_store(tmp_path / "store").corpus("digits")
    assert corpus.manifest["leakage"]["test"] > 0
    assert '<span class="fail">' in render_corpus_report(corpus)


def test_a_version_does_not_depend_on_the_other_corpora(tmp_path: Path) -> None:
    items = [spoken(41, "train", "a b"), spoken(42, "dev", "c d"), spoken(43, "test", "e f")]
    alone = imported(tmp_path / "alone" / "store", "mine", items)
    soundfile.write(tmp_path / "x.wav", speech(50), RATE_HZ)
    donated = (
        'name = "x"\nlicence = "CC0-1.0"\ndonor = "d"\nspeaker = "x"\n[file_name]\npattern = "(?P<text>x)"\n'
    )
    (tmp_path / "donation.toml").write_text(donated)
    among = tmp_path / "among" / "store"
    request = RefreshRequest(
        "donated", (tmp_path / "x.wav",), donation=tmp_path / "donation.toml", store=among
    )
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "x.wav").rename(folder / "x.wav")
    refresh(replace(request, sources=(folder,)))
    assert imported(among, "mine", items)["version"] == alone["version"]
    pairs = json.loads((among / "reports" / "leakage" / "mine.json").read_text())["pairs"]
    assert {(pair["train"], pair["held_out"]) for pair in pairs} == {("mine", "x"), ("x", "mine")}


@pytest.mark.parametrize("change", ["quieter", "telephone", "ogg", "cut"])
def test_a_fingerprint_survives_what_happens_to_recordings(change: str) -> None:
    for seed in range(5):
        sound, rate_hz = speech(seed, 4.0), RATE_HZ
        mine = as_words(fingerprint(sound, rate_hz))
        if change == "quieter":
            sound = (sound // 4).astype(np.int16)
        elif change == "telephone":
            sound, rate_hz = soxr.resample(sound, RATE_HZ, 8000).astype(np.int16), 8000
        elif change == "ogg":
            packed = io.BytesIO()
            soundfile.write(packed, sound, RATE_HZ, format="OGG", subtype="VORBIS")
            sound = soundfile.read(io.BytesIO(packed.getvalue()), dtype="int16")[0]
        else:
            sound = np.ascontiguousarray(sound[200:-200])
        theirs = as_words(fingerprint(sound, rate_hz))
        differ = sum((a ^ b).bit_count() for a, b in zip(mine, theirs, strict=True))
        assert differ <= NEAR_BITS, (change, seed)


@pytest.mark.parametrize(("seconds", "cut_ms"), [(2.0, 10), (12.0, 10), (12.0, 40), (26.0, 50)])
def test_a_little_cut_off_the_front_leaves_most_of_a_fingerprint(seconds: float, cut_ms: int) -> None:
    for seed in range(4):
        sound = speech(seed, seconds)
        mine = as_words(fingerprint(sound, RATE_HZ))
        theirs = as_words(fingerprint(np.ascontiguousarray(sound[cut_ms * RATE_HZ // 1000 :]), RATE_HZ))
        differ = sum((a ^ b).bit_count() for a, b in zip(mine, theirs, strict=True))
        assert differ <= NEAR_BITS, seed


def test_fingerprints_of_an_older_kind_are_made_anew_from_the_stored_sound(tmp_path: Path) -> None:
    store = tmp_path / "store"
    items = [spoken(1, "train", "one two"), spoken(2, "dev", "red"), spoken(3, "test", "green")]
    imported(store, "first", items)
    corpus = open_store(store).corpus("first")
    today = traces_of(open_store(store), corpus).prints

    def other_prints(folder: Path, manifest: dict[str, Any]) -> None:
        """As a version of this project wrote it that knew another fingerprint."""
        for shard in manifest["shards"]:
            table = pq.read_table(folder / shard["path"])
            old = pa.array(["0123456789abcdef" * 2] * len(table))
            at = table.column_names.index("audio_fingerprint")
            pq.write_table(table.set_column(at, table.schema.field(at), old), folder / shard["path"])

    def other_kind(folder: Path, manifest: dict[str, Any]) -> None:
        other_prints(folder, manifest)
        del manifest["fingerprint_version"]

    changed = handmade(corpus, other_prints)
    (told,) = set(map(tuple, traces_of(open_store(store), changed).prints.tolist()))
    assert told == as_words("0123456789abcdef" * 2), "what is of today's kind is taken from the rows"
    shutil.rmtree(store / "cache" / "leakage")
    again = traces_of(
        open_store(store), handmade(open_store(store).corpus("first", corpus.version), other_kind)
    )
    assert (again.prints == today).all()


@pytest.mark.parametrize("samples", [np.zeros(1, np.int16), np.zeros(50_000, np.int16), speech(1, 0.1)])
def test_any_sound_has_a_fingerprint(samples: np.ndarray) -> None:
    assert len(fingerprint(samples, RATE_HZ)) == 32
    assert len(fingerprint(samples, 8000)) == 32
