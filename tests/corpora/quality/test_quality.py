"""Checks: each one hits what it names and nothing else; sounds with known properties; the gate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from corpora.audio.clip import other_channel_db
from corpora.audio.measures import measure
from corpora.audio.recording import Recording
from corpora.importer import AudioRef
from corpora.quality.checks import CHECKS, Subject, check_corpus, check_utterance, ctc_frames, ctc_needed
from corpora.quality.gate import run_gate
from corpora.quality.thresholds import Thresholds
from corpora.utterance import MEASURES

RATE = 16_000
RNG = np.random.default_rng(7)


def speech(seconds: float = 2.0, rate: int = RATE) -> np.ndarray:
    """Bursts of noise with pauses: loud, wide, clean."""
    count = round(seconds * rate)
    envelope = np.where(np.arange(count) / rate % 0.5 < 0.35, 3000.0, 3.0)
    return np.clip(RNG.normal(size=count) * envelope, -30000, 30000).astype(np.int16)


def verdict(
    samples: np.ndarray, text: str = "some words were said here", rate: int = RATE
) -> tuple[str | None, list[str]]:
    measures = measure(samples, rate, text)
    assert set(measures) == set(MEASURES)
    assert all(np.isfinite(value) for value in measures.values() if value is not None)
    refused, flags = check_utterance(Subject(text, len(samples), rate, measures), Thresholds())
    return (refused[0] if refused else None), flags


def halves(samples: np.ndarray) -> np.ndarray:
    """The same without anything above 4 kHz."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / RATE) > 3600] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.int16)


def test_good_speech_passes_everything() -> None:
    assert verdict(speech()) == (None, [])


@pytest.mark.parametrize("rate", [8000, 11025, 16000])
def test_a_spoken_digit_of_a_tenth_of_a_second_is_kept(rate: int) -> None:
    assert verdict(speech(0.15, rate), "six", rate)[0] is None


@pytest.mark.parametrize(
    ("samples", "text", "check"),
    [
        (speech(0.09), "a", "too_short"),
        (speech(40.5), "some words" * 20, "too_long"),
        (np.zeros(RATE, dtype=np.int16), "hello", "all_zero"),
        (speech(0.3), "far too many letters for this", "ctc_misfit"),
    ],
)
def test_rejecting_checks(samples: np.ndarray, text: str, check: str) -> None:
    assert verdict(samples, text)[0] == check


@pytest.mark.parametrize(
    ("samples", "text", "flag"),
    [
        (speech(8.0), "yes", "slow_speech"),
        (speech(1.0), "abcdefghi jklmnop qrstuvw xyz abcdef", "fast_speech"),
        (
            np.concatenate([speech(1.0), np.zeros(9 * RATE, dtype=np.int16)]),
            "some words here and more of them",
            "mostly_silent",
        ),
        (
            np.clip(speech().astype(int) * 12, -32768, 32767).astype(np.int16),
            "some words were said here",
            "clipped",
        ),
        (RNG.normal(0, 900, 2 * RATE).astype(np.int16), "some words were said here", "noisy"),
        ((speech() // 400).astype(np.int16), "some words were said here", "quiet"),
        (halves(speech()), "some words were said here", "narrow_band"),
        ((speech() // 2 + 2000).astype(np.int16), "some words were said here", "dc_offset"),
    ],
)
def test_flagging_checks(samples: np.ndarray, text: str, flag: str) -> None:
    refused, flags = verdict(samples, text)
    assert refused is None
    assert flag in flags


def test_every_check_is_covered_here() -> None:
    covered = {"too_short", "too_long", "all_zero", "ctc_misfit", "slow_speech", "fast_speech",
               "mostly_silent", "clipped", "noisy", "quiet", "narrow_band", "dc_offset", "maybe_swapped"}  # fmt: skip
    assert {check.name for check in CHECKS} == covered


@pytest.mark.parametrize(
    ("own", "other", "flagged"), [(0.01, 1.0, True), (1.0, 0.01, False), (0.5, 1.0, False)]
)
def test_a_call_whose_other_side_speaks_is_flagged(own: float, other: float, flagged: bool) -> None:
    both = np.stack([speech() * own, speech() * other], axis=1).astype(np.int16)
    recording = Recording(both, RATE)
    louder_db = other_channel_db(recording, AudioRef("x.sph", 0, 0.0, 1.0, two_sided=True))
    measures = measure(both[:, 0], RATE, "some words") | {"other_channel_db": louder_db}
    flags = check_utterance(Subject("some words", len(both), RATE, measures), Thresholds())[1]
    assert ("maybe_swapped" in flags) == flagged
    assert other_channel_db(recording, AudioRef("x.sph", 0, 0.0, 1.0)) is None, "not the two sides of a call"


def test_telephone_sound_at_its_own_rate_is_not_narrow() -> None:
    assert "narrow_band" not in verdict(speech(2.0, 8000), rate=8000)[1]


def test_ctc_frames_by_the_formula() -> None:
    assert ctc_frames(512, RATE) == 1
    assert ctc_frames(511, RATE) == 0
    assert ctc_frames(8000, 8000) == ctc_frames(16000, RATE) == 1 + (16000 - 512) // 320
    assert ctc_needed("hello") == 6


def test_corpus_checks() -> None:
    index = pd.DataFrame(
        [
            ("a", "x", "one"),
            ("b", "x", "two"),
            ("c", "y", "one"),
            ("d", "y", "one"),
            ("c", "z", "new"),
            ("e", "w", "q"),
        ],
        columns=["utterance_id", "audio_sha256", "text"],
    )
    verdicts, repeated = check_corpus(index)
    assert list(verdicts) == ["same_audio_other_text", "same_audio_other_text", "", "", "duplicate_id", ""]
    assert list(repeated) == [False, False, False, True, False, False]


def test_the_gate_passes_and_refuses() -> None:
    good = {"rows": 5, "unbalanced": 0, "duplicate_ids": 0, "shared_speakers": 0}
    assert run_gate(good)["passed"]
    for name, value in (("rows", 0), ("unbalanced", 1), ("duplicate_ids", 2), ("shared_speakers", 1)):
        answer = run_gate({**good, name: value})
        assert not answer["passed"]
        assert [e["name"] for e in answer["expectations"] if not e["passed"]] == [name]
    waived = run_gate({**good, "shared_speakers": None})
    assert waived["passed"]
    assert "shared_speakers" not in {e["name"] for e in waived["expectations"]}
