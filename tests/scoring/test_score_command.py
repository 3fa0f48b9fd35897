"""`python -m scoring score`: JSON, reports, page, comparison, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scoring.__main__ import main

REFERENCE = "the cat sat down (anna-1)\na dog { ran / runs } off (anna-2)\n<b> & co (bert-1)\n"
HYPOTHESIS = "the cat sat (anna-1)\na dock runs of off (anna-2)\n<b> & co (bert-1)\n"
SYS = """


                     SYSTEM SUMMARY PERCENTAGES by SPEAKER                      

       ,----------------------------------------------------------------.
       |                             h.trn                              |
       |----------------------------------------------------------------|
       | SPKR   | # Snt # Wrd | Corr    Sub    Del    Ins    Err  S.Err |
       |--------+-------------+-----------------------------------------|
       | anna   |    2      8 | 75.0   12.5   12.5   12.5   37.5  100.0 |
       |--------+-------------+-----------------------------------------|
       | bert   |    1      3 |100.0    0.0    0.0    0.0    0.0    0.0 |
       |================================================================|
       | Sum/Avg|    3     11 | 81.8    9.1    9.1    9.1   27.3   66.7 |
       |================================================================|
       |  Mean  |  1.5    5.5 | 87.5    6.3    6.3    6.3   18.8   50.0 |
       |  S.D.  |  0.7    3.5 | 17.7    8.8    8.8    8.8   26.5   70.7 |
       | Median |  1.5    5.5 | 87.5    6.3    6.3    6.3   18.8   50.0 |
       `----------------------------------------------------------------'
"""  # noqa: W291
PRA_PART = (
    "id: (anna-2)\nScores: (#C #S #D #I) 3 1 0 1\n"
    "REF:  a DOG  runs ** off \nHYP:  a DOCK runs OF off \nEval:   S         I      \n"
)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "r.trn").write_text(REFERENCE)
    (tmp_path / "h.trn").write_text(HYPOTHESIS)
    (tmp_path / "old.trn").write_text(HYPOTHESIS.replace("cat", "cut"))
    return ["score", "--ref", str(tmp_path / "r.trn"), "--hyp", str(tmp_path / "h.trn")]


def test_json(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, "--json", "--normaliser", "none", "english"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {key: result[key] for key in ("words", "substitutions", "deletions", "insertions")} == {
        "words": 11, "substitutions": 1, "deletions": 1, "insertions": 1,
    }  # fmt: skip
    assert result["wer"] == pytest.approx(3 / 11)
    assert result["speakers"]["anna"]["words"] == 8
    assert set(result["normalisers"]) == {"none", "english"}


def test_reports_are_those_of_sclite(files: list[str], tmp_path: Path) -> None:
    assert main([*files, "--sys", str(tmp_path / "o.sys"), "--pra", str(tmp_path / "o.pra")]) == 0
    assert (tmp_path / "o.sys").read_text() == SYS
    assert PRA_PART in (tmp_path / "o.pra").read_text()


def test_the_page_needs_nothing_and_escapes(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "o.html"
    assert main([*files, "--page", str(page), "--against", str(tmp_path / "old.trn")]) == 0
    text = page.read_text()
    assert "27.27\u00a0%" in text and "Against old.trn: -9.09 points" in text
    assert "<b> &" not in text and "http" not in text and "<script" not in text
    out = capsys.readouterr().out
    assert "WER 27.27 %" in out and "95 % interval" in out and "against old.trn" in out


def test_bad_input_is_a_sentence(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files[:-1], "nowhere.trn"]) == 2
    assert "nowhere.trn cannot be read" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(["score"])
    assert stop.value.code == 2


def test_a_speaker_without_words_shows_counts(tmp_path: Path) -> None:
    (tmp_path / "r.trn").write_text("a (x-1)\n (y-1)\n")
    (tmp_path / "h.trn").write_text("a (x-1)\nb (y-1)\n")
    target = tmp_path / "o.sys"
    assert (
        main(
            [
                "score",
                "--ref",
                str(tmp_path / "r.trn"),
                "--hyp",
                str(tmp_path / "h.trn"),
                "--sys",
                str(target),
            ]
        )
        == 0
    )
    assert "|    1      0 |    0*     0*     0*     1*     1* 100.0 |" in target.read_text()
    assert "Speaker(s) with no reference data is ignored" in target.read_text()
