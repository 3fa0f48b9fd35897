"""A recording of tones and its text, from sound to certificate: what belongs is timed, what does not is named."""

from __future__ import annotations

import errno
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import native
from store.errors import StoreError
from training import __main__ as cli
from training.alignment import listening
from training.alignment.align import align, too_weak
from training.alignment.certificate import write_certificate
from training.alignment.language import build_script_model
from training.alignment.script import read_script, script_of
from training.alignment.sidecar import vtt_text, write_alignment
from training.errors import DataError
from training.network.features import Float


def words_of(answer: dict[str, Any]) -> list[str]:
    return [word["word"] for one in answer["segments"] for word in one["words"]]


def test_a_text_that_belongs_is_timed_word_by_word(request_for: Any, sentences: Any) -> None:
    said = sentences(12)
    answer = align(request_for(said, "\n".join(said)))
    assert words_of(answer) == " ".join(said).split()
    assert answer["not_spoken"] == answer["not_written"] == [] and "problem" not in answer
    assert answer["shares"]["words_timed"] == answer["shares"]["words_unaided"] == 1.0
    at_s = 0.0
    for text, segment in zip(said, answer["segments"], strict=True):
        at_s += 0.75
        assert segment["text"] == text
        for word, number in zip(segment["words"], range(len(text)), strict=False):
            begin_s = at_s + 0.14 * len(" ".join(text.split()[:number])) + (0.14 if number else 0.0)
            assert word["start_s"] == pytest.approx(begin_s, abs=0.1)
        at_s += 0.14 * len(text)
    json.dumps(answer)


def test_what_does_not_belong_is_named(request_for: Any, sentences: Any) -> None:
    said = sentences(16)
    written = [
        *said[:4],
        "babe decade feed babe decade feed",
        *said[4:8],
        *said[9:12],
        *said[14:],
        said[12],
        said[13],
    ]
    answer = align(request_for(said, " ".join(written)))
    named = [one["text"] for one in answer["not_spoken"]]
    assert named == ["babe decade feed babe decade feed"]
    assert (answer["not_spoken"][0]["from_word"], answer["not_spoken"][0]["to_word"]) == (24, 30)
    assert len(answer["not_written"]) == 1
    length_s = [0.75 + 0.14 * len(text) for text in said]
    foreign = answer["not_written"][0]
    assert foreign["start_s"] == pytest.approx(sum(length_s[:8]) + 0.75, abs=0.4)
    assert foreign["end_s"] == pytest.approx(sum(length_s[:9]), abs=0.4)
    kept = [one["text"] for one in answer["segments"]]
    assert said[12] in kept and said[13] in kept and said[8] not in kept


def test_one_wrong_word_costs_no_other(request_for: Any) -> None:
    said = ["abba cad bee face deaf fade", "dad cafe bad fee ace beef", "cad cad face abba fee dad"]
    written = "abba cad bee ace deaf fade dad cafe fee ace beef cad cad face abba fee dad"
    answer = align(request_for(said, written))
    assert [one["text"] for one in answer["not_spoken"]] == ["ace"]
    texts = [one["text"] for one in answer["segments"]]
    assert texts == ["abba cad bee", "deaf fade", "dad cafe", "fee ace beef", "cad cad face abba fee dad"]
    assert len(answer["not_written"]) == 2


def test_texts_and_sounds_that_are_of_no_use_are_said_so(
    request_for: Any, sentences: Any, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="no word in it"):
        align(request_for(["abba"], "Привет 你好"))
    silent = align(request_for([], "abba cad"))
    assert "no speech was found" in silent["problem"] and silent["not_spoken"][0]["text"] == "abba cad"
    other = align(request_for(sentences(6), "cat dog house tree river"))
    assert "is it the text of this recording" in other["problem"] and other["segments"] == []


def test_a_network_that_writes_other_words_than_it_finds_is_said_to_be_too_weak(
    request_for: Any, sentences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that is always nearly as sure of another letter: the text decides, and every word is found."""
    plain = listening.timed_words

    def torn(log_probs: Float, texts: Sequence[str], alphabet: native.Alphabet, start: int) -> list[Any]:
        found, letters = log_probs.copy(), log_probs.argmax(axis=1)
        spoken = np.flatnonzero((letters != alphabet.blank) & (letters != alphabet.space))
        found[spoken, (letters[spoken] + 1) % 6] = found[spoken].max(axis=1) + 0.1
        return plain(found, texts, alphabet, start)

    monkeypatch.setattr(listening, "timed_words", torn)
    said = sentences(6)
    answer = align(request_for(said, " ".join(said)))
    assert answer["shares"]["words_timed"] > 0.5 and answer["shares"]["words_unaided"] == 0.0
    assert too_weak(answer) and "only 0% of the words it found" in answer["problem"]
    assert not too_weak({**answer, "segments": []}), "nothing that could be believed"


def test_a_sound_that_is_cut_short_is_aligned_up_to_there(request_for: Any, sentences: Any) -> None:
    said = sentences(6)
    request = request_for(said, " ".join(said))
    data = request.sound.read_bytes()
    request.sound.write_bytes(data[: len(data) // 2])
    answer = align(request)
    assert "cut short" in answer["problem"]
    assert [one["text"] for one in answer["segments"]][:2] == said[:2]
    assert answer["not_spoken"][-1]["to_word"] == len(" ".join(said).split())


def test_tokens_keep_their_places() -> None:
    script = script_of("Abba, [music plays] 3 bees -- fade!", tuple("abcdefghijklmnopqrstuvwxyz' "))
    assert script.words == ("abba", "three", "bees", "fade")
    assert [script.tokens[place] for place in script.token_of] == ["Abba,", "3", "bees", "fade!"]
    assert script.text(0, 3) == "Abba, [music plays]"


@pytest.mark.parametrize(
    ("letters", "text", "language"),
    [("abeghlrtuöüß", "größe übel rabe", "de"), ("abcê", "cab acê bêc", "en")],
)
def test_the_model_of_a_script_is_of_the_networks_alphabet(
    letters: str, text: str, language: str, tmp_path: Path, tone_engine: None
) -> None:
    """Else no recording of another language than English could be heard with it."""
    alphabet = native.Alphabet([*letters, " "])
    script = script_of(text, tuple(alphabet.labels), language)
    scorer = native.Scorer.load(build_script_model(script, alphabet, tmp_path, language), alpha=1, beta=1)
    assert scorer.alphabet.hash == alphabet.hash and script.words == tuple(text.split())


def test_a_text_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_script(tmp_path / "no.txt", ("a", " "))
    (tmp_path / "sound.txt").write_bytes(b"\xff\xfe\x00bad \x80\x81")
    with pytest.raises(DataError, match=r"sound\.txt: no text that can be read"):
        read_script(tmp_path / "sound.txt", ("a", " "))


def test_files_and_page(request_for: Any, sentences: Any, tmp_path: Path) -> None:
    said = sentences(4)
    answer = align(request_for(said, " ".join([*said, "bee <script>alert(1)</script> dad"])))
    out = tmp_path / "out"
    target = write_alignment(answer, out, "long", speaker="A & B")
    page = write_certificate(answer, target.with_name("long.html")).read_text()
    assert "<script>alert" not in page and "&lt;script&gt;" in page and "../../long.wav#t=" in page
    assert answer["sound"] == str(tmp_path / "long.wav") and str(tmp_path) not in page
    doubted = {**answer, "problem": f"{answer['text']}: only 5% of its words were heard in long.wav"}
    page = write_certificate(doubted, target.with_name("doubted.html")).read_text()
    assert "<b>long.txt: only 5% of its words" in page and str(tmp_path) not in page
    assert vtt_text(answer, "A & B").count("<v A &amp; B>") == 4
    rows = [json.loads(line) for line in (out / "rows" / "long.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == said and rows[0]["audio_filepath"] == "long.wav"


def test_the_command(
    request_for: Any, sentences: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = sentences(3)
    request = request_for(said, " ".join(said))
    (tmp_path / "model.json").write_text("{}")
    arguments = [
        "align",
        "--sound",
        str(request.sound),
        "--text",
        str(request.text),
        "--model",
        str(tmp_path),
    ]
    assert cli.main([*arguments, "--json"]) == 0
    printed, told = capsys.readouterr()
    assert "lmplz" not in told  # the model of the script is no business of who aligns
    answer = json.loads(printed)
    assert {"segments", "not_spoken", "not_written"} <= answer.keys()
    assert cli.main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert "3 segments" in capsys.readouterr().out and (tmp_path / "out" / "long.vtt").is_file()
    assert cli.main(["align", "--sound", str(request.sound)]) == 2


def test_a_full_disk_leaves_no_half_alignment(
    request_for: Any, sentences: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = sentences(3)
    answer = align(request_for(said, " ".join(said)))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(StoreError, match="full"):
        patch.setattr("os.fsync", full)
        write_alignment(answer, tmp_path / "out", "long")
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
    assert write_alignment(answer, tmp_path / "out", "long").is_file()
