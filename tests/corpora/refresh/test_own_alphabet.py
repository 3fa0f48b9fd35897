"""A language without an alphabet: doctor drafts one from its texts, a refresh takes it, the store keeps it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpora.__main__ import main
from corpora.text.languages import alphabet_for, alphabets_hash
from native import Alphabet
from store.opening import open_store

TEXTS = ["Yáʼátʼééh, shí éí Diné", "Ahéheeʼ shimá", "Hágoóneeʼ, łeeyiʼ yáʼátʼééh"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Three recordings in Navajo, which no file here is for."""
    source = tmp_path / "navajo"
    source.mkdir()
    for number in range(len(TEXTS)):
        noise = np.random.default_rng(number).normal(0, 3000, 48_000).astype(np.int16)
        soundfile.write(source / f"u{number}.wav", noise, 16_000, subtype="PCM_16")
    rows = "".join(f"u{n}.wav\t{text}\ts{n}\n" for n, text in enumerate(TEXTS))
    (source / "t.tsv").write_text("path\ttext\tspeaker\n" + rows, encoding="utf-8")
    (source / "donation.toml").write_text('name = "navajo"\nlicence = "CC0-1.0"\nlanguage = "nv"\n')
    return source


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main([*words, "--json"]) == 0
    said: dict[str, object] = json.loads(capsys.readouterr().out)
    return said


def test_drafted_given_kept(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, letters = open_store(tmp_path / "store"), tmp_path / "letters.txt"
    place = ("--store", str(store.root))
    looked = run(capsys, "doctor", str(archive), "--draft-alphabet", str(letters), *place)
    assert "nv has no alphabet" in str(looked["importers"])
    drafted = letters.read_text(encoding="utf-8").splitlines()
    assert "# á (U+00E1): 6" in drafted and "# rare, left out: ł (U+0142): 1" in drafted
    whole = [" ", *sorted({c for text in TEXTS for c in text.lower() if c.isalpha() and c != "ʼ"}), "'"]
    Alphabet(whole).save(letters)  # what a person makes of the draft

    refresh = ("refresh", "donated", "--source", str(archive), *place)
    folded = run(capsys, *refresh)
    assert folded["utterances"] == 3 and "yá" not in _texts(store.root)[0]
    given = run(capsys, *refresh, "--alphabet", str(letters))
    own = _texts(store.root)
    assert own[0] == "yá'át'ééh shí éí diné" and given["version"] != folded["version"]
    assert alphabet_for("nv", store.alphabets_dir).labels == whole
    assert alphabets_hash(store.alphabets_dir) != alphabets_hash()
    again = run(capsys, *refresh)
    assert again["version"] == given["version"], "the store keeps it"
    assert run(capsys, "renormalise", "navajo", *place)["changed"] == 0
    (store.alphabets_dir / "nv.txt").unlink()
    assert run(capsys, "renormalise", "navajo", *place)["changed"] == 3
    assert store.corpus("navajo").manifest["alphabet_hash"] == alphabet_for("en").hash


def _texts(root: Path) -> list[str]:
    batches = open_store(root).corpus("navajo").batches(columns=["source_path", "text"])
    rows = [row for batch in batches for row in batch.to_pylist()]
    return [row["text"] for row in sorted(rows, key=lambda row: row["source_path"])]
