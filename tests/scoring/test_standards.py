"""Hub5 by its standard: all alternatives, deletable words, fragments, hesitations; a map of words of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.errors import ScoringError
from scoring.standards import score_by
from scoring.transcripts import Segment

SAID = [
    Segment("a", "now { um / uh / i } see { it's / it is } so", "spk1", label="swbd"),
    Segment("b", "(UH) YEAH (%HESITATION) WELL (TH-) THAT'S IT", "spk2", label="callhome"),
    Segment("c", "MM-HM um right", "spk2", label="callhome"),
]


def test_what_may_be_said_otherwise_is_right() -> None:
    result = score_by("hub5", SAID, ["now i see it is so", "um yeah well the that's it", "uh-huh er right"])
    assert result.total.errors == 0
    worse = score_by("hub5", SAID, ["now see its so", "yeah uh um well that's it", "right"])
    assert {name: counts.errors for name, counts in worse.labels().items()} == {"swbd": 2, "callhome": 3}


def test_a_map_of_words_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "own.glm").write_text(";;\n[RIGHT] => [CORRECT] / [ ] __ [ ]\n")
    result = score_by("hub5", SAID[2:], ["mm-hm um correct"], tmp_path / "own.glm")
    assert result.total.errors == 0
    assert score_by("hub5", SAID[2:], ["uh-huh er correct"], tmp_path / "own.glm").total.errors > 0


def test_an_unknown_standard_is_a_sentence() -> None:
    with pytest.raises(ScoringError, match="none of hub5"):
        score_by("hub6", SAID, ["", "", ""])
