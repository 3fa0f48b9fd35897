"""From samples to words through windows: no word is lost at a seam, wherever it falls, however the sound arrives."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.text.normaliser import default_alphabet
from training.network.config import FeatureConfig
from training.network.features import Float, mfcc
from training.runtime.frames import FrameStream
from training.runtime.live import Partial, hear_live
from training.runtime.network import ForwardNetwork
from training.runtime.recognizer import Heard, Recognizer
from training.runtime.speech import CHUNK, RATE_HZ, SpeechDetector, SpeechRule, Stretches
from training.runtime.windows import OVERLAP, WINDOW, Stretch, seam_of

Cut = Callable[[Float, int], list[Float]]
Speak = Callable[[str], Float]
SENTENCE = "abba cad bee face deaf fade "


def quiet(duration_s: float) -> Float:
    return np.zeros(int(duration_s * RATE_HZ), np.float32)


def words_of(recognizer: Recognizer, sound: Float, size: int = 4096) -> list[str]:
    cut = (sound[start : start + size] for start in range(0, len(sound), size))
    return [word.word for heard in recognizer.stretches(cut) for word in heard.words]


def test_no_word_is_lost_or_doubled_at_any_phase(tone_recognizer: Any, spoken: Speak) -> None:
    """Forty seconds without a pause, moved against the windows step by step: four seams each."""
    sentence = SENTENCE * 10
    body = spoken(sentence)
    recognizer = tone_recognizer(rule=SpeechRule(margin_s=0.6))
    assert len(body) / 320 > 3 * WINDOW
    for phase in range(0, WINDOW, 31):
        lead = spoken("a") if phase % 2 else spoken("f")
        sound = np.concatenate(
            [quiet(1.0), lead, np.zeros(phase * 97, np.float32)[: phase * 97 % 4000], body, quiet(1.0)]
        )
        found = "".join(words_of(recognizer, sound))
        assert found == ("a" if phase % 2 else "f") + sentence.replace(" ", ""), f"phase {phase}"


def test_the_pieces_and_the_cores_change_nothing(tone_recognizer: Any, spoken: Speak, pieces: Cut) -> None:
    sound = np.concatenate([quiet(1.0), spoken(SENTENCE * 3), quiet(2.0), spoken(SENTENCE), quiet(1.0)])
    answers = {
        str([*tone_recognizer(threads).stretches(pieces(sound, size))])
        for threads, size in ((1, len(sound)), (1, 1000), (3, 7777))
    }
    assert len(answers) == 1 and "abba" in answers.pop()


def test_live_sound_gives_the_same_words(tone_recognizer: Any, spoken: Speak, pieces: Cut) -> None:
    sound = np.concatenate([quiet(1.0), spoken(SENTENCE), quiet(2.0), spoken(SENTENCE), quiet(1.0)])
    live = tone_recognizer().live(pieces(sound, 1600))
    assert [word.word for heard in live for word in heard.words] == words_of(tone_recognizer(), sound)


def test_words_stand_where_they_are_spoken(tone_recognizer: Any, spoken: Speak) -> None:
    sound = np.concatenate([quiet(3.0), spoken("abba"), quiet(4.0), spoken("cad"), quiet(1.0)])
    first, second = tone_recognizer(deaf_frames=0).stretches([sound])
    assert [word.word for word in (*first.words, *second.words)] == ["abba", "cad"]
    assert first.words[0].start_s == pytest.approx(3.0, abs=0.08)
    assert first.words[0].end_s == pytest.approx(3.0 + 4 * 0.14 - 0.05, abs=0.08)
    assert second.words[0].start_s == pytest.approx(3.0 + 4 * 0.14 + 4.0, abs=0.08)
    assert second.start_s < second.words[0].start_s < second.words[0].end_s < second.end_s


def test_silence_and_nothing_have_no_words(tone_recognizer: Any) -> None:
    assert words_of(tone_recognizer(), quiet(5.0)) == []
    assert words_of(tone_recognizer(), quiet(0.01)) == []
    assert list(tone_recognizer().stretches([])) == []


def test_memory_is_flat_while_nobody_speaks(tone_recognizer: Any) -> None:
    from training.runtime.recognizer import Hearing

    recognizer = tone_recognizer()
    hearing = Hearing(recognizer, recognizer.heard)
    for _ in range(100):
        hearing.feed(quiet(1.0))
        assert list(hearing.decided()) == []
    assert sum(map(len, hearing._kept)) < 200


def test_few_long_windows_or_many_short_ones_go_together(tone_recognizer: Any, spoken: Speak) -> None:
    rest = np.zeros(16000, np.float32)
    talk = [spoken(" ".join(["abba cad face"] * 14)) for _ in range(3)]  # 28 s each: windows of 600 frames
    words = [spoken("bee") for _ in range(40)]
    sound = np.concatenate([part for one in [*talk, *words] for part in (rest, one)] + [rest])
    recognizer = tone_recognizer(deaf_frames=0)
    heard = [word.word for one in recognizer.stretches([sound]) for word in one.words]
    assert heard == ["abba", "cad", "face"] * 42 + ["bee"] * 40
    calls = recognizer.network.calls
    assert max(map(len, calls)) == 16 and max(len(one) * max(one) for one in calls) <= 2400
    assert sum(600 in one for one in calls) == 2  # seven windows, four at a time


def test_frames_of_pieces_are_frames_of_the_whole(pieces: Cut) -> None:
    config = FeatureConfig()
    sound = np.random.default_rng(1).normal(size=9000).astype(np.float32) * 0.1
    stream = FrameStream(config)
    parts = [stream.feed(piece) for piece in pieces(sound, 700)]
    np.testing.assert_allclose(np.concatenate(parts), mfcc(sound, 16000, config), atol=1e-4)


def test_windows_cover_a_stretch_and_overlap() -> None:
    for length in (1, 149, WINDOW, WINDOW + 1, 2 * WINDOW, 10 * WINDOW + 17):
        stretch = Stretch(40, 40 + length)
        due = stretch.due(0)
        assert due[0][1] == 40 and due[-1][2] == 40 + length
        assert [number for number, _, _ in due] == list(range(len(due)))
        for (_, _, stop), (_, begin, _) in pairwise(due):
            assert stop - begin == OVERLAP
        growing, found = Stretch(40), []
        for sure in range(40, 40 + length, 111):
            found += growing.due(sure)
        growing.stop = 40 + length
        assert [*found, *growing.due(0)] == due


def test_answers_may_come_in_any_order() -> None:
    length = 3 * WINDOW
    truth = np.random.default_rng(2).normal(size=(length, 4)).astype(np.float32)
    stretch = Stretch(0, length)
    due = stretch.due(0)
    for number, begin, stop in reversed(due):
        assert not stretch.complete
        stretch.answer(number, truth[begin:stop])
    assert stretch.complete
    np.testing.assert_array_equal(stretch.log_probs(), truth)


def test_the_seam_lies_where_both_agree() -> None:
    generator = np.random.default_rng(3)
    older = np.log(generator.dirichlet(np.ones(5), OVERLAP)).astype(np.float32)
    newer = np.log(generator.dirichlet(np.ones(5), OVERLAP)).astype(np.float32)
    newer[80:95] = older[80:95]
    assert 84 <= seam_of(older, newer) <= 91


def test_stretches_part_at_pauses_and_keep_a_margin() -> None:
    stretches = Stretches(SpeechRule(pause_s=0.5, margin_s=0.1))
    speech = [0.0] * 20 + [0.9] * 30 + [0.4] * 5 + [0.1] * 10 + [0.9] * 10 + [0.0] * 40 + [0.6] * 2
    for value in speech:
        stretches.feed(np.array([value], np.float32))
    stretches.finish()
    margin = 1600
    assert stretches.closed == [
        (20 * CHUNK - margin, 75 * CHUNK + margin),
        (115 * CHUNK - margin, 117 * CHUNK + margin),
    ]


def test_the_detector_in_lanes_agrees_with_one_lane(tmp_path: Path, pieces: Cut) -> None:
    import shutil
    import subprocess

    import soundfile

    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    path = tmp_path / "voice.wav"
    text = "the old captain went by the mill in the morning. " * 2
    subprocess.run(["espeak-ng", "-w", str(path), text], check=True)
    voice, rate_hz = soundfile.read(path, dtype="float32")
    from training.runtime.sound import at_rate

    voice = np.concatenate([*at_rate([voice], rate_hz, RATE_HZ)])
    sound = np.concatenate([quiet(3.0), voice, quiet(3.0), voice, quiet(2.0)])
    found = []
    for lanes in (True, False):
        detector = SpeechDetector(lanes)
        parts = [detector.feed(piece) for piece in pieces(sound, 5000)]
        found.append(np.concatenate([*parts, detector.finish()]))
    assert len(found[0]) == len(found[1]) == -(-len(sound) // CHUNK)
    assert ((found[0] > 0.5) == (found[1] > 0.5)).mean() > 0.97
    truth = np.concatenate(
        [np.abs(sound[: len(sound) // CHUNK * CHUNK]).reshape(-1, CHUNK).max(axis=1) > 0.02, [False]]
    )
    assert (found[0][: len(truth)] > 0.5)[truth[: len(found[0])]].mean() > 0.9


def test_the_detector_on_several_cores_decides_the_same_at_the_same_moment(pieces: Cut) -> None:
    """Whatever finishes first: what is decided when shapes the batches, and these what a network in int8 says."""
    import time
    from concurrent.futures import Future, ThreadPoolExecutor

    sound = np.random.default_rng(1).normal(0, 0.05, 330 * RATE_HZ).astype(np.float32)
    waits = iter([0.2, 0.0, 0.1, 0.0, 0.05, 0.0])

    def late(wait: float, judge: Any, *arguments: Any) -> Any:
        time.sleep(wait)
        return judge(*arguments)

    with ThreadPoolExecutor(3) as pool:

        def submit(judge: Any, *arguments: Any) -> Future[Any]:
            return pool.submit(late, next(waits), judge, *arguments)

        alone, shared = SpeechDetector(), SpeechDetector(submit=submit)
        counts = []
        for piece in pieces(sound, 16 * RATE_HZ):
            one, other = alone.feed(piece), shared.feed(piece)
            np.testing.assert_array_equal(one, other)
            counts.append(len(one))
        np.testing.assert_array_equal(alone.finish(), shared.finish())
    assert 0 < sum(counts) < len(sound) // CHUNK and next(waits, None) is None


def feeding_network(seed: int = 5, cells: int = 24) -> ForwardNetwork:
    """An untrained network that can be fed; its letters are chance, but loud ones."""
    import native
    from training.release.graph import NetworkWeights, network_graph

    generator = np.random.default_rng(seed)
    labels = 27

    def values(*shape: int, scale: float = 0.4) -> Float:
        return generator.normal(0, scale, shape).astype(np.float32)

    arrays = {"dense1/kernel": values(12 * 26, cells), "dense1/bias": values(cells)}
    for name, rows, columns in (("dense2", cells, cells), ("dense3", cells, cells), ("dense5", cells, cells)):
        arrays |= {f"{name}/kernel": values(rows, columns), f"{name}/bias": values(columns)}
    arrays |= {
        "lstm4_forward/lstm_cell/kernel": values(cells, 4 * cells),
        "lstm4_forward/lstm_cell/recurrent_kernel": values(cells, 4 * cells),
        "lstm4_forward/lstm_cell/bias": values(4 * cells),
        "output/kernel": values(cells, labels + 2, scale=2.0),
        "output/bias": values(labels + 2),
    }
    config = FeatureConfig(context=7)
    facts = {"labels": list(default_alphabet().labels), "front_end": vars(config), "lookahead": 4}
    assert len(default_alphabet().labels) == labels + 1 and native
    mean, deviation = np.full(26, -1.0, np.float32), np.full(26, 3.0, np.float32)
    facts["mean"] = mean.tolist()
    weights = NetworkWeights(arrays, mean, deviation, 20.0, 7, 4, facts)
    return ForwardNetwork(network_graph(weights, int8=True, streaming=True))


def test_what_is_fed_in_any_pieces_is_what_is_heard_at_once() -> None:
    network = feeding_network()
    frames = np.random.default_rng(6).normal(size=(157, 26)).astype(np.float32)
    (whole,) = network.log_probs([frames])
    assert whole.shape == (157, 29)
    for sizes in ((1,) * 157, (40, 100, 17), (156, 1)):
        stream, start, parts = network.stream(), 0, []
        for size in sizes:
            parts.append(stream.feed(frames[start : start + size]))
            start += size
        np.testing.assert_array_equal(np.concatenate([*parts, stream.finish()]), whole)
    assert len(network.log_probs([frames[:1]])[0]) == 1


def test_live_text_equals_the_text_of_the_whole_to_the_letter(
    tone_recognizer: Any, spoken: Speak, pieces: Cut
) -> None:
    sound = np.concatenate([quiet(1.0), spoken(SENTENCE), quiet(2.0), spoken(SENTENCE * 2), quiet(1.0)])
    recognizer = tone_recognizer()
    recognizer.network = feeding_network()
    whole = [*recognizer.stretches([sound])]
    assert len(whole) == 2 and all(heard.words for heard in whole)
    for size in (160, 1600, 44444):
        answers = [*hear_live(recognizer, pieces(sound, size))]
        assert [one for one in answers if isinstance(one, Heard)] == whole
    partials = [one.text for one in hear_live(recognizer, pieces(sound, 1600)) if isinstance(one, Partial)]
    assert len(partials) > 20 and len(partials[0]) < len(partials[10])
