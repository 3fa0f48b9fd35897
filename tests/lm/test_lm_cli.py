"""The commands: JSON on standard output, one sentence and exit status 2 where the input cannot be used."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

import native
from lm.__main__ import main

TEXT = "The cat sat on the mat. The dog sat on the log. A cat saw the dog. The dog ran."


@pytest.fixture
def model(tmp_path: Path, store_root: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A model built by the command."""
    text = tmp_path / "text.txt"
    text.write_text(TEXT)
    out = tmp_path / "model"
    arguments = [
        "build",
        "--out",
        str(out),
        "--text",
        str(text),
        "--order",
        "3",
        "--store",
        str(store_root),
        "--json",
    ]
    assert main(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["status"], result["path"], result["order"]) == ("built", str(out), 3)
    return out


def test_without_corpus_and_text_one_sentence_and_status_2(
    store_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "--publish", "default", "--store", str(store_root)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len([line for line in err.splitlines() if line]) == 1 and "nothing to learn from" in err


@pytest.mark.parametrize(
    "arguments",
    [["build"], ["build", "--out", "x", "--publish", "y"], ["build", "--out", "x", "--binary", "z"]],
)
def test_bad_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


def test_query_show_and_verify(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", str(model), "the", "cat", "sat", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [word["word"] for word in result["sentences"][0]["words"]] == ["the", "cat", "sat", "</s>"]
    assert result["log10"] < 0 and result["oov_rate"] == 0
    assert main(["query", str(model), "zebra"]) == 0
    assert "zebra" in capsys.readouterr().out
    assert main(["show", str(model)]) == 0
    assert "order 3" in capsys.readouterr().out
    assert main(["verify", str(model), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identity"]["order"] == 3


def test_query_scores_no_refused_sentence(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = b"The cat sat.\nIn 1984.\nthe caf\xe9 sat\n\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert main(["query", str(model), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [one["refused"] for one in result["sentences"]] == [None, "numbers", "not_utf8", "empty_text"]
    assert (result["refused"], result["words"]) == (3, 3), "no figure counts them"
    assert main(["query", str(model), "In 1984"]) == 0
    out = capsys.readouterr().out
    assert "refused (numbers)" in out and "1 of 1 sentences refused" in out
    assert main(["query", str(model), "the caf\udce9 sat"]) == 0
    assert "refused (not_utf8)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lm.binary", "not the file that was sealed"),
        ("lexicon.trie", "not the file that was sealed"),
        ("lm.arpa", "not the file"),
    ],
)
def test_verify_finds_one_wrong_byte(
    model: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    data = bytearray((model / name).read_bytes())
    data[len(data) // 2] ^= 1
    (model / name).write_bytes(bytes(data))
    assert main(["verify", str(model)]) == 1
    assert words in capsys.readouterr().err


def test_verify_finds_a_pointer_in_the_place_of_the_model(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (model / "lm.binary").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    assert main(["verify", str(model)]) == 1
    assert "Git LFS pointer" in capsys.readouterr().err


def test_published_models_are_found_by_name_and_reported(
    tmp_path: Path, store_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT)
    store = ["--store", str(store_root)]
    assert main(["build", "--publish", "novels", "--text", str(text), "--order", "2", *store]) == 0
    assert main(["build", "--publish", "novels", "--text", str(text), "--order", "2", *store]) == 0
    assert "unchanged" in capsys.readouterr().out
    assert main(["show", "novels", "--json", *store]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "novels"
    assert main(["report", "--json", *store]) == 0
    [page] = json.loads(capsys.readouterr().out)["reports"]
    assert page == str(store_root / "reports" / "language_models" / "novels.html")
    assert "novels" in Path(page).read_text()
    assert main(["show", "nothing", *store]) == 2
    assert "novels" in capsys.readouterr().err


def test_the_known_answer_of_a_real_model(real_data: Path) -> None:
    model = native.LanguageModel.load(real_data / "logits" / "flashlight_text" / "lm.arpa")
    scores = model.score_sentence("the cat sat on the mat")
    assert sum(log10 for _, log10, _ in scores) == pytest.approx(-19.5123, abs=1e-4)
