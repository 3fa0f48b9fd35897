"""A published corpus under new rules: texts made anew, sound untouched, refusals both ways, same bytes again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from corpora.__main__ import main
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.text import numbers as spoken_numbers
from corpora.text import tables
from corpora.text.normaliser import Normalised, Policies, Refused
from corpora.text.recorded_rules import TEXT_CHECKS, TEXT_FLAGS, normaliser_for, normaliser_of, rules_of
from store.opening import open_store
from store.store import Store

TEXTS = ["one word", "call 911 now", "naïve – idea", "odd Ω sign", "kept as it is", "last of them"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A corpus of six recordings; one text is refused at once."""
    source = tmp_path / "src"
    source.mkdir()
    for number in range(len(TEXTS)):
        noise = np.random.default_rng(number).normal(0, 3000, 48_000).astype(np.int16)
        soundfile.write(source / f"u{number}.wav", noise, 16_000, subtype="PCM_16")
    rows = "".join(f"u{n}.wav\t{text}\ts{n}\n" for n, text in enumerate(TEXTS))
    (source / "t.tsv").write_text("path\ttext\tspeaker\n" + rows, encoding="utf-8")
    head = 'name = "gift"\nlicence = "CC0-1.0"\nnumbers = "table"\n'
    (source / "donation.toml").write_text(head)
    store = open_store(tmp_path / "store")
    refresh(RefreshRequest("donated", (source,), store=store.root))
    return store


def rows(store: Store) -> dict[str, dict[str, Any]]:
    batches = store.corpus("gift").batches()
    return {row["utterance_id"]: row for batch in batches for row in batch.to_pylist()}


def renormalise(store: Store, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    normaliser_of.cache_clear()
    assert main(["renormalise", "gift", "--store", str(store.root), "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_the_same_rules_change_nothing(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    said = renormalise(store, capsys)
    assert (said["changed"], said["refused"], said["returned"]) == (0, 0, 0)
    again = renormalise(store, capsys)
    assert (again["status"], again["version"]) == ("unchanged", said["version"])


def test_new_rules_change_texts_and_refusals_both_ways_and_no_sound(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, items = rows(store), store.corpus("gift").manifest["items"]
    assert {row["text"] for row in before.values()} == {
        "one word", "call nine one one now", "naive idea", "kept as it is", "last of them",
    }  # fmt: skip
    with monkeypatch.context() as rules:
        rules.setattr(spoken_numbers, "NUMBERS", {})
        rules.setitem(tables.LETTERS, "ω", "o")
        rules.setattr("corpora.curation.applying.NORMALISER_VERSION", "next")
        said = renormalise(store, capsys)
    changed = rows(store)
    assert (said["status"], said["refused"], said["returned"]) == ("published", 1, 0)
    assert set(before) - set(changed) == {"u1"}
    for key, row in changed.items():
        assert row["normaliser_version"] == "next"
        for column in ("audio", "audio_sha256", "text_raw", "split", "speaker_id"):
            assert row[column] == before[key][column]
    refused = {r["utterance_id"]: r["check"] for r in store.corpus("gift").rejections().to_pylist()}
    assert refused == {"u1": "numbers", "u3": "bad_chars"}
    manifest = store.corpus("gift").manifest
    assert manifest["items"] == {
        **items,
        "accepted": items["accepted"] - 1,
        "rejected": items["rejected"] + 1,
    }
    back = renormalise(store, capsys)
    assert (back["returned"], back["refused"]) == (1, 0)
    assert rows(store)["u1"]["text"] == "call nine one one now"
    assert rows(store)["u1"]["audio"] == before["u1"]["audio"]
    assert store.corpus("gift").manifest["items"] == items


def test_copies_of_a_sound_whose_texts_part_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 48_000).astype(np.int16)
    (tmp_path / "src").mkdir()
    for name, sound in (("a", noise), ("b", noise), ("c", noise[::-1])):
        soundfile.write(tmp_path / "src" / f"{name}.wav", sound, 16_000, subtype="PCM_16")
    (tmp_path / "src" / "t.csv").write_text("path,text\na.wav,tom + ann\nb.wav,tom plus ann\nc.wav,yes\n")
    (tmp_path / "src" / "donation.toml").write_text('name = "gift"\nlicence = "CC0-1.0"\n')
    store = open_store(tmp_path / "store")
    assert refresh(RefreshRequest("donated", (tmp_path / "src",), store=store.root))["utterances"] == 3
    monkeypatch.setattr("corpora.text.languages._SYMBOLS", {"en": {"+": "and"}})
    said = renormalise(store, capsys)
    assert (said["utterances"], said["rejected"]) == (1, {"same_audio_other_text": 2})


def test_nothing_is_read_from_the_source(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "src").rename(tmp_path / "gone")
    assert renormalise(store, capsys)["utterances"] == 5


def test_rules_of_a_row_are_told_and_read_again() -> None:
    told = rules_of("fisher", Policies(partial_words="keep", numbers="table"))
    assert told == "fisher numbers=table partial_words=keep"
    rules = normaliser_for(told, "en")
    assert rules.normalise("kn- a 401k") == Normalised(
        "kn a four oh one k", "a four oh one k", ("partial_kept",)
    )
    assert isinstance(normaliser_for("fisher", "en").normalise("kn- no"), Refused)


def test_every_refusal_and_flag_of_the_normaliser_is_on_the_lists() -> None:
    import ast

    named: dict[str, set[Any]] = {"Refusal": set(), "Refused": set(), "notes.flags.add": set()}
    for path in Path(tables.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                named.get(ast.unparse(node.func), set()).add(node.args[0].value)
    assert named["Refusal"] | named["Refused"] == TEXT_CHECKS
    assert named["notes.flags.add"] | {"numbers_spelled", "english_alphabet"} == TEXT_FLAGS
