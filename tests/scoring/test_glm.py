"""NIST's global map of words: contexts, sections by form and side, hyphens, deletable words, times of CTM."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.errors import ScoringError
from scoring.glm import Rules
from tests.scoring.files import counted, scored

GLM = """;; a map of words
* name "test.glm"
* copy_no_hit = 'T'
[CANCELLED] => [CANCELED] / [ ] __ [ ]
[JETLINER] => [JET LINER] / [ ] __ [ ]   ;; two words
FALKNER => FAULKNER / [WILLIAM ] __
[%HESITATION] => [(%HESITATION)] / [ ] __ [ ]
;; INPUT_DEPENDENT_APPLICATION = "hyp"
[HE'S] => [{HE IS / HE HAS}] / [ ] __ [ ]
;; INPUT_DEPENDENT_APPLICATION = ".*"
[OK] => [OKAY] / [ ] __ [ ]
"""


def rules(folder: Path, form: str = "trn", side: str = "ref", text: str = GLM) -> Rules:
    (folder / "x.glm").write_text(text)
    return Rules.load(folder / "x.glm", form, side)


def test_the_first_rule_that_fits_is_applied_once(tmp_path: Path) -> None:
    found = rules(tmp_path)
    assert found.apply("they cancelled the jetliner ok") == "THEY CANCELED THE JET LINER OKAY"
    assert found.apply("william falkner falkner") == "WILLIAM FAULKNER FALKNER"
    assert found.apply("uncancelled") == "UNCANCELLED"
    assert found.apply("he's") == "HE'S"
    assert rules(tmp_path, side="hyp").apply("he's ok") == "{HE IS / HE HAS} OKAY"


def test_hyphens_and_deletable_words(tmp_path: Path) -> None:
    found = rules(tmp_path)
    assert found.apply("a well-known wo- (two words)") == "A WELL KNOWN WO- (TWO) (WORDS)"
    assert found.apply("%hesitation yes") == "(%HESITATION) YES"


def test_words_of_a_ctm_share_their_time(tmp_path: Path) -> None:
    (tmp_path / "x.glm").write_text(GLM)
    reference = "c A s 0.0 2.0 he is cancelled\nc A s 2.0 4.0 jet liner\n"
    heard = "c A 0.0 0.5 he's\nc A 1.0 0.5 canceled\nc A 2.0 1.0 jetliner\n"
    result = scored(tmp_path, reference, heard, ("r.stm", "h.ctm"), glm=tmp_path / "x.glm")
    assert counted(result) == (5, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (";;\nno arrow here\n", "line 2: a rule needs `=>`"),
        (';;\n;; INPUT_DEPENDENT_APPLICATION = "("\n', "no pattern"),
    ],
)
def test_broken_maps_are_sentences(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(ScoringError, match=what):
        rules(tmp_path, text=text)
