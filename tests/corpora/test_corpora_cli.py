"""`python -m corpora`: one JSON object, sentences, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpora.__main__ import main
from corpora.report import render_corpus_report
from demo.layouts import donated, tones
from store.opening import open_store
from store.pages.charts import scripts

HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}\"'><img src=x onerror=alert(2)>"


@pytest.fixture(autouse=True)
def temporary_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return donated.write(tmp_path_factory.mktemp("gift"), tones.utterances(2, 3), None).path


def said(capsys: pytest.CaptureFixture[str]) -> tuple[dict, str]:  # type: ignore[type-arg]
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    return json.loads(out), err


def test_the_life_of_a_donation(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path), "--json"]
    assert main(["doctor", str(archive), *store]) == 0
    outlook, _ = said(capsys)
    assert outlook["importers"]["donated"]["publishes"] == "town_radio"
    assert main(["refresh", "donated", "--source", str(archive), *store]) == 0
    answer, _ = said(capsys)
    assert answer["corpus"] == "town_radio"
    assert answer["utterances"] == 18
    assert main(["refresh", "donated", "--source", str(archive), *store]) == 0
    assert said(capsys)[0]["status"] == "unchanged"
    assert main(["show", "town_radio", *store]) == 0
    assert said(capsys)[0]["version"] == answer["version"]
    assert main(["list", *store]) == 0
    assert list(said(capsys)[0]["corpora"]) == ["town_radio"]
    assert main(["report", "town_radio", *store]) == 0
    page = Path(said(capsys)[0]["path"])
    assert page == tmp_path / "reports" / "corpora" / "town_radio.html"
    assert "data:audio/flac;base64," in page.read_text()


def test_text_for_people(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["list"],
        ["doctor", str(archive)],
        ["refresh", "donated", "--source", str(archive), "--as", "own"],
    ):
        assert main([*arguments, "--store", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "no corpus is published" in out
    assert "would publish 'town_radio'" in out
    assert "own " in out


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nonsense"], 2, "invalid choice"),
        (["refresh", "librispeech"], 2, "--source"),
        (["refresh", "nobody", "--source", "."], 2, "librispeech, tedlium"),
        (["refresh", "librispeech", "--source", "/nowhere"], 2, "/nowhere does not exist"),
        (["show", "nobody"], 2, "not published"),
        (["report", "nobody"], 2, "not published"),
        (["doctor", "/nowhere"], 2, "does not exist"),
    ],
)
def test_wrong_commands_end_in_one_sentence(
    arguments: list[str], status: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = [] if arguments == ["nonsense"] else ["--store", str(tmp_path)]
    assert main([*arguments, *extra]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "Traceback" not in err


def test_no_licence_is_status_three(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gift").mkdir()
    (tmp_path / "gift" / "a.wav").write_bytes(b"x")
    assert (
        main(["refresh", "donated", "--source", str(tmp_path / "gift"), "--store", str(tmp_path / "s")]) == 3
    )
    assert "licence" in capsys.readouterr().err


def test_hostile_text_stays_text_in_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import soundfile

    root = tmp_path / "gift"
    root.mkdir()
    samples = tones.tone(400, 2.0)
    table = "file\ttext\twho\n"
    for number in range(3):
        soundfile.write(root / f"{number}.wav", samples + number, 16000)
        table += f"{number}\thello there friends\t{HOSTILE}{number}\n"
    (root / "t.tsv").write_text(table + f"3\t{HOSTILE}\tann\n")
    soundfile.write(root / "3.wav", samples + 9, 16000)
    (root / "donation.toml").write_text(
        f"name = \"evil\"\nlicence = \"CC0-1.0\"\ndonor = '''{HOSTILE}'''\nsplit_rule = 'utterance'\n"
        "[table]\nfile = 't.tsv'\ndelimiter = 'tab'\naudio = '{file}'\ntext = 'text'\nspeaker = 'who'\n"
    )
    assert main(["refresh", "donated", "--source", str(root), "--store", str(tmp_path / "s"), "--json"]) == 0
    page = render_corpus_report(open_store(tmp_path / "s").corpus("evil"))
    assert all(page.count(f"<script>{ours}</script>") == 1 for ours in scripts())
    for ours in scripts():
        page = page.replace(f"<script>{ours}</script>", "")
    assert page.count("<script") == page.count('<script type="application/json" id="charts">[') == 1
    assert "<img" not in page.replace('<img class="spectrum" alt="spectrogram of', "")
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in page
    capsys.readouterr()
