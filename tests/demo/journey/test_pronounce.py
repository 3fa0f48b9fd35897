"""espeak-ng's second opinion: other pronunciations of a lexicon's words, and those of words that it lacks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.journey import phonemes
from demo.journey.pronounce import _SOUNDS, completed
from training.errors import DataError

NAMES = list(dict.fromkeys(name for one in _SOUNDS.values() for name in one.split(".")))
LABELS = {name: chr(ord("A") + number) for number, name in enumerate(NAMES)}


def said(*names: str) -> str:
    return "".join(LABELS[name] for name in names)


@pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed (make demo installs it)"
)
def test_a_lexicon_gets_a_second_opinion_and_the_words_that_it_lacks() -> None:
    lexicon = {"cost": said("K", "OW", "S", "T"), "new": said("N", "UW")}
    found = completed(lexicon, ["new", "bottle", "starry", "felons'", "llanfair"], LABELS)
    assert found == {
        "cost": (said("K", "OW", "S", "T"), said("K", "AO", "S", "T")),
        "new": (said("N", "UW"),),
        "bottle": (said("B", "AA", "T", "AH", "L"),),
        "starry": (said("S", "T", "AA", "R", "IY"),),
        "felons'": (said("F", "EH", "L", "AH", "N", "Z"),),
    }, "what has a Welsh sound is left out"


@pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed (make demo installs it)"
)
def test_no_sound_of_common_english_words_is_unknown() -> None:
    words = (Path(__file__).parents[3] / "docs" / "training.md").read_text().lower().split()
    plain = sorted({word for word in words if word.isalpha() and word.isascii() and len(word) > 3})
    assert len(plain) > 500 and len(completed({}, plain, LABELS)) > 0.99 * len(plain)


def test_without_espeak_the_part_is_missing_and_lines_that_are_missing_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path))
        with pytest.raises(FileNotFoundError, match="make demo"):
            completed({}, ["new"], LABELS)

    def run(command: list[str], **options: Any) -> Any:
        return SimpleNamespace(returncode=0, stdout="n_ˈuː\n", stderr="no voice")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(DataError, match=r"said 1 of 2 words.*no voice"):
        completed({}, ["new", "old"], LABELS)


def test_pronunciations_are_written_as_lm_build_reads_them(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text(
        "0\t \tword boundary\n1\tn\tN\tn\n2\tu\tUW\tu\n3\tj\tY\n4\t<blank>\n"
    )
    assert phonemes.sounds_of(tmp_path / "labels.tsv") == {"N": "n", "UW": "u", "Y": "j"}
    phonemes.write_pronunciations({"new": ["nu", "nju"], "knew": ["nu"]}, tmp_path / "said.txt")
    assert (tmp_path / "said.txt").read_text() == "new n u\nnew(2) n j u\nknew n u\n"
    (tmp_path / "lm.arpa").write_text(
        "\\data\\\nngram 1=5\n\n\\1-grams:\n-1\t<unk>\t0\n0\t<s>\t0\n-1\t</s>\n-1.2\tnew\t0\n-1.3\tknew\n\n"
        "\\2-grams:\n-1\tnew knew\n"
    )
    assert phonemes.words_of(tmp_path) == ["new", "knew"]
