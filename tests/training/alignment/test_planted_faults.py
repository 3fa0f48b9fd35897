"""A sample of the campaign of planted faults (benchmarks/align), with tones for voices: none may pass in silence."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmarks.align import real_outputs
from benchmarks.align.judging import verdict_of
from benchmarks.align.material import fit
from benchmarks.align.planting import KINDS, Fault, Plan, Planted, Spoken, Utterance, plant
from training.alignment import align as engine
from training.alignment.align import AlignRequest, align
from training.runtime.recognizer import Recognizer

LETTERS = "abcdef"


def utterances(spoken: Any, count: int, seed: int) -> list[Utterance]:
    """Sentences of seven made-up words; all words of the language are known, sentences are not repeated."""
    generator = np.random.default_rng(seed)
    words = sorted(
        {"".join(generator.choice(list(LETTERS), size=int(generator.integers(3, 6)))) for _ in range(90)}
    )
    made = []
    for _ in range(count):
        chosen = [str(word) for word in generator.choice(words, size=7)]
        times, letters = [], 0
        for word in chosen:
            times.append((word, 0.14 * letters, 0.14 * (letters + len(word)) - 0.05))
            letters += len(word) + 1
        made.append(Utterance(spoken(" ".join(chosen)), tuple(times), (True,) * len(times)))
    return made


def test_what_is_planted_is_what_is_counted(spoken: Any) -> None:
    known = utterances(spoken, 90, 1)
    planted = plant(known[:64], known[64:], Plan(dict.fromkeys(KINDS, 2), 3))
    assert planted.counts == dict.fromkeys(sorted(KINDS), 2)
    written = [one for one in planted.spoken if one.token is not None]
    assert all(planted.tokens[one.token] == one.word for one in written if one.token is not None)
    assert len({one.token for one in written}) == len(written)
    removed = [one for fault in planted.faults for one in fault.spoken if fault.kind == "word_removed"]
    assert len(removed) == 2 and all(planted.spoken[one].token is None for one in removed)
    again = plant(known[:64], known[64:], Plan(dict.fromkeys(KINDS, 2), 3))
    assert again.tokens == planted.tokens and np.array_equal(again.samples, planted.samples)


def test_a_wrong_answer_is_seen_through(spoken: Any) -> None:
    known = utterances(spoken, 40, 2)
    truth = plant(known[:24], known[24:], Plan({"word_invented": 2, "noise": 1}, 1))
    tokens = list(truth.tokens)
    words = [
        {"word": tokens[place], "start_s": 1.0 + place, "end_s": 1.5 + place} for place in range(len(tokens))
    ]
    lie = {"segments": [{"words": words, "from_word": 0}], "not_spoken": [], "not_written": []}
    verdict = verdict_of(lie, truth)
    assert verdict.silent["word_invented"] == 2 and verdict.silent["noise"] == 1
    assert verdict.wrong > 100
    nothing = verdict_of({"segments": [], "not_spoken": [], "not_written": []}, truth)
    assert nothing.silent == Counter() and nothing.timed == 0
    assert nothing.untimed > 100 and nothing.untimed_beside >= 2  # either side of both words
    assert nothing.untimed + nothing.untimed_beside == nothing.able and nothing.far == 0
    late = {
        "segments": [
            {
                "words": [{"word": one.word, "start_s": one.start_s + 0.15, "end_s": one.end_s + 0.1}],
                "from_word": 0,
            }
            for one in truth.spoken
        ],
        "not_spoken": [],
        "not_written": [],
    }
    moved = verdict_of(late, truth)
    assert moved.far == moved.able and moved.untimed == moved.untimed_beside == moved.able_near == 0


def test_only_words_in_a_row_are_a_run_that_must_be_named() -> None:
    spoken = tuple(Spoken(f"w{number}", number, number + 0.8, True) for number in range(20))
    apart = Fault("words_scattered", spoken=[1, 3, 5, 7, 9, 11])
    row = Fault("words_scattered", spoken=[1, 3, 4, 5, 6, 7, 12])
    truth = Planted(np.zeros(1, np.float32), (), spoken, (apart, row))
    heard: dict[str, Any] = {"segments": [], "not_spoken": [], "not_written": []}
    verdict = verdict_of(heard, truth)
    assert (verdict.runs, verdict.named) == (1, 0)
    named = verdict_of({**heard, "not_written": [{"start_s": 3.0, "end_s": 7.8}]}, truth)
    assert (named.runs, named.named) == (1, 1)


@pytest.fixture(autouse=True)
def kenlm(root: Path) -> None:
    """Scripts' language models are built by KenLM's programs."""
    if not (root / "build" / "kenlm" / "bin" / "lmplz").exists():
        pytest.skip("KenLM's programs are not built")


def outputs(folder: Path, count: int) -> Path:
    """A folder of the outputs of a network that is certain, of sentences of seven made-up words."""
    generator = np.random.default_rng(5)
    words = sorted(
        {"".join(generator.choice(list(LETTERS), size=int(generator.integers(3, 6)))) for _ in range(90)}
    )
    labels = " " + LETTERS
    saved, lines = {}, []
    for number in range(count):
        text = " ".join(generator.choice(words, size=7))
        said = [
            place for letter in text for place in (labels.index(letter), labels.index(letter), len(labels))
        ]
        rows = np.full((len(said) + 10, len(labels) + 1), np.log(1e-4), np.float16)
        rows[:, -1] = np.log(0.99)
        rows[np.arange(5, 5 + len(said)), -1] = np.log(1e-4)
        rows[np.arange(5, 5 + len(said)), said] = np.log(0.99)
        saved[f"a_{number:03d}"] = rows
        lines.append(f"a_{number:03d}\t{text}\n")
    np.savez(folder / "log_probs.npz", **saved)
    rows_of_labels = "".join(f"{place}\t{label}\n" for place, label in enumerate(labels))
    (folder / "labels.tsv").write_text(f"{rows_of_labels}{len(labels)}\t<blank>\n")
    (folder / "refs.tsv").write_text("".join(lines) + "b_1\tabc\n")
    (folder / "lexicon.tsv").write_text("".join(f"{word}\t{word}\t1\n" for word in words[:-1]))
    return folder


def test_faults_in_the_outputs_of_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = real_outputs.known_of(outputs(tmp_path, 60), "a_")
    assert 30 < len(known.utterances) < 60  # one word's sounds are not known
    truth = plant(known.utterances[:8], known.utterances[8:], Plan({"sentence_removed": 1}, 1))
    said = real_outputs.outputs_of(truth, known)
    parts = real_outputs.stretches(said)
    assert len(said) == pytest.approx(len(truth.samples) / 320, abs=1) and 4 <= len(parts) <= 8
    for one in truth.spoken:
        assert any(start <= one.start_s * 50 and one.end_s * 50 <= stop + 1 for start, stop in parts)
    line = ["real_outputs", str(tmp_path), "--json", "--hours", "0.05", "--minutes", "3", "--faults", "10"]
    monkeypatch.setattr(sys, "argv", line)
    assert real_outputs.main() == 0
    told = json.loads(capsys.readouterr().out)
    assert told["wrong"] == told["skipped"] == 0 and told["faults"] == 10
    assert told["able_within_100_ms"] > 0.98 and "music" not in told["faults_by_kind"], told


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_no_fault_passes_in_silence(
    seed: int, tmp_path: Path, tone_recognizer: Any, spoken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import native

    def load(package: Any, options: Any) -> Recognizer:
        made: Recognizer = tone_recognizer(deaf_frames=0)
        made.search.scorer = native.Scorer.load(options.language_model, alpha=0.5, beta=0.5)
        return made

    made = tone_recognizer(deaf_frames=0).package
    monkeypatch.setattr(engine.Package, "open", lambda folder: made)
    monkeypatch.setattr(engine.Recognizer, "load", load)
    known = utterances(spoken, 90, seed)
    truth = plant(known[:64], known[64:], Plan(dict.fromkeys(KINDS, 2), seed))
    soundfile.write(tmp_path / "long.wav", fit(truth.samples), 16000)
    (tmp_path / "long.txt").write_text(" ".join(truth.tokens))
    verdict = verdict_of(align(AlignRequest(tmp_path / "long.wav", tmp_path / "long.txt", tmp_path)), truth)
    told = verdict.as_json()
    assert told["silent"] == 0 and told["wrong"] == told["skipped"] == 0, told
    assert told["timed"] > 0.95 and told["long_runs_named"] >= told["long_runs"] - 1, told
