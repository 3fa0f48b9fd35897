"""Formats and pairing: by id, by line, by time; what does not fit is a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scoring import formats
from scoring.errors import ScoringError
from tests.scoring.files import counted, scored

STM = (
    ";; comment\n"
    "c1 A c1-a 0.0 2.0 <O,F> good { morning / day }\n"
    "c1 A c1-a 2.0 4.0 <O,F> IGNORE_TIME_SEGMENT_IN_SCORING\n"
    "c1 A c1-a 4.0 6.0 <O,M> how are you\n"
)
CTM = (
    "; comment\n"
    "c1 A 0.1 0.4 GOOD 0.9\n"
    "c1 A 0.6 0.4 day\n"
    "c1 A 2.5 0.5 laughter\n"
    "c1 A 3.8 0.6 how\n"
    "c1 A * * <ALT_BEGIN>\n"
    "c1 A 4.5 0.2 our\n"
    "c1 A * * <ALT>\n"
    "c1 A 4.5 0.2 are\n"
    "c1 A * * <ALT_END>\n"
    "c1 A 9.0 0.5 you\n"
)


def test_words_go_where_their_middle_lies_and_none_gets_lost(tmp_path: Path) -> None:
    result = scored(tmp_path, STM, CTM, ("r.stm", "h.ctm"))
    assert counted(result) == (5, 0, 0, 0)
    assert [pair.id for pair in result.pairs] == ["c1-a-000", "c1-a-001"]
    assert (result.pairing.ignored_segments, result.pairing.ignored_words) == (1, 1)
    assert {name: one.words for name, one in result.labels().items()} == {"o": 5, "f": 2, "m": 3}
    assert "1 segments are marked to be ignored" in result.notes[0]


def test_a_channel_without_hypothesis_is_all_missing_and_a_strange_one_refused(tmp_path: Path) -> None:
    result = scored(tmp_path, STM + "c2 A x 0.0 1.0 nobody\n", CTM, ("r.stm", "h.ctm"))
    assert counted(result) == (6, 0, 1, 0)
    assert result.pairing.without_hypothesis == ["c2 a"]
    with pytest.raises(ScoringError, match=r"recording 'c9' channel 'a'"):
        scored(tmp_path, STM, CTM + "c9 A 1.0 0.2 word\n", ("r.stm", "h.ctm"))


def test_trn_by_id_in_any_order(tmp_path: Path) -> None:
    reference = "a b c (S1-1)\nd e (s1-2)\n\n;; note\n f (s2-1)\n"
    result = scored(tmp_path, reference, "d x (s1-2)\nA b (s1-1)\n", ("r.trn", "h.trn"))
    assert counted(result) == (5, 1, 1, 0)
    assert result.pairing.without_hypothesis == ["s2-1"]
    assert list(result.speakers()) == ["s1"]
    deleted = scored(tmp_path, reference, "d x (s1-2)\nA b (s1-1)\n", ("r.trn", "h.trn"), missing="delete")
    assert counted(deleted) == (6, 1, 2, 0)
    with pytest.raises(ScoringError, match=r"1 references .* have no hypothesis .* s2-1"):
        scored(tmp_path, reference, "d x (s1-2)\nA b (s1-1)\n", ("r.trn", "h.trn"), missing="refuse")


@pytest.mark.parametrize(
    ("reference", "hypothesis", "what"),
    [
        ("a (1)\n", "a (1)\na (2)\n", "1 utterances of .* have no reference .* 2"),
        ("a (1)\n", "a (1)\nb (1)\n", "two hypotheses of utterance '1'"),
        ("a (1)\nb (1)\n", "a (1)\n", "two different references of utterance '1'"),
        ("a (1)\nno id here\n", "a (1)\n", r"line 2 has no \(utterance id\)"),
        ("{ a / b (1)\n", "a (1)\n", "utterance 1: an alternation"),
    ],
)
def test_what_does_not_fit_is_a_sentence(tmp_path: Path, reference: str, hypothesis: str, what: str) -> None:
    with pytest.raises(ScoringError, match=what):
        scored(tmp_path, reference, hypothesis, ("r.trn", "h.trn"))


def test_plain_text_line_by_line_and_kaldi_by_id(tmp_path: Path) -> None:
    assert counted(scored(tmp_path, "a b\n\nc\n", "a\nd\nc\n", ("r.txt", "h.txt"))) == (3, 0, 1, 1)
    with pytest.raises(ScoringError, match="have 2 and 1 lines"):
        scored(tmp_path, "a\nb\n", "a\n", ("r.txt", "h.txt"))
    kaldi = {"reference_form": "kaldi", "hypothesis_form": "kaldi"}
    assert counted(scored(tmp_path, "u1 a b\nu2 c\n", "u2 c\nu1\ta\n", ("text", "hyp"), **kaldi)) == (
        3,
        0,
        1,
        0,
    )


def test_seglst_by_time_and_manifests_by_id(tmp_path: Path) -> None:
    said = [
        {"session_id": "s", "speaker": "A", "start_time": 0.0, "end_time": 2.0, "words": "one two"},
        {"session_id": "s", "speaker": "B", "start_time": 2.0, "end_time": "4.0", "words": "three four"},
    ]
    heard = [
        {"session_id": "s", "speaker": "x", "start_time": 0.1, "end_time": 3.9, "words": "one two three for"}
    ]
    result = scored(tmp_path, json.dumps(said), json.dumps(heard), ("r.json", "h.seglst"))
    assert counted(result) == (4, 1, 0, 0)
    assert list(result.speakers()) == ["A", "B"]
    lines = '{"audio_filepath": "a.wav", "text": "one two", "pred_text": "one too"}\n'
    assert counted(scored(tmp_path, lines, lines, ("r.jsonl", "h.jsonl"))) == (2, 1, 0, 0)
    with pytest.raises(ScoringError, match="entry 1 has no text"):
        scored(tmp_path, '[{"a": 1}]', "[]", ("r.json", "h.json"))
    with pytest.raises(ScoringError, match="is no JSON"):
        scored(tmp_path, "[{", "[]", ("r.json", "h.json"))


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("x.ref", "a b (u1)\n{ c / d } (u2)\n", "trn"),
        ("x.ref", "f A spk 0.00 1.50 <O> text here\nf A spk 1.50 2.0\n", "stm"),
        ("x.hyp", "f A 0.00 0.50 word\nf A * * <ALT_BEGIN>\nf A 1.5 0.2 w -0.3\n", "ctm"),
        ("x", '[{"words": "a"}]', "json"),
        ("x", "hello there\nand again (laughs) twice\n", "plain"),
        ("x.stm", "", "stm"),
    ],
)
def test_the_format_is_seen(tmp_path: Path, name: str, text: str, form: str) -> None:
    assert formats.guess(tmp_path / name, text) == form


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("x.stm", "f A spk 0.0\n", "line 1 has 4 fields"),
        ("x.stm", "f A spk 0.0 zero word\n", "line 1: times '0.0' and 'zero'"),
        ("x.ctm", "f A 0.0 1\n", "line 1 has 4 fields"),
        ("x.ctm", "f A 0.0 long word\n", "line 1: start '0.0' and duration 'long'"),
    ],
)
def test_broken_lines_are_named(tmp_path: Path, name: str, text: str, what: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ScoringError, match=what):
        formats.read(tmp_path / name)


def test_unreadable_files_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "l1.trn").write_bytes(b"gr\xfc\xdfe (1)\n")
    with pytest.raises(ScoringError, match="not UTF-8"):
        formats.read(tmp_path / "l1.trn")
    with pytest.raises(ScoringError, match="cannot be read"):
        formats.read(tmp_path / "none.trn")


def test_capitals_beyond_ascii_are_said(tmp_path: Path) -> None:
    texts = ("élan A (1)\n", "Élan a (1)\n", ("r.trn", "h.trn"))
    plain = scored(tmp_path, *texts)
    assert counted(plain) == (2, 1, 0, 0) and "--fold unicode" in plain.notes[0]
    assert counted(scored(tmp_path, *texts, fold="unicode")) == (2, 0, 0, 0)
    assert counted(scored(tmp_path, *texts, fold="none")) == (2, 2, 0, 0)


def test_ctm_against_ctm_is_divided_at_common_pauses(tmp_path: Path) -> None:
    words = [f"f A {number * 0.4:.2f} 0.30 w{number}\n" for number in range(300)]
    result = scored(tmp_path, "".join(words), "".join(words[:120] + words[125:]), ("r.ctm", "h.ctm"))
    assert counted(result) == (300, 0, 5, 0)
    assert len(result.pairs) > 4 and result.pairs[0].id == "f-a-0000"
    timed = scored(
        tmp_path, "".join(words), "".join(words[:120] + words[125:]), ("r.ctm", "h.ctm"), by_time=True
    )
    assert counted(timed) == (300, 0, 5, 0)
    with pytest.raises(ScoringError, match=r"is in .* only"):
        scored(tmp_path, "".join(words), "g A 0 1 w\n", ("r.ctm", "h.ctm"))
    with pytest.raises(ScoringError, match="by time needs CTM on both sides"):
        scored(tmp_path, STM, CTM, ("r.stm", "h.ctm"), by_time=True)
