"""What a new user is told: the wrong importer, an archive that says nothing, several corpora in one folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from corpora.__main__ import main
from corpora.donations.description import parse_donation
from demo.layouts import librispeech, tedlium, tones
from store.errors import UsageError
from tests.corpora.donated import audio, sound, write


@pytest.fixture
def libri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return librispeech.write(tmp_path / "libri", tones.utterances(speakers_per_split=1, each=2)).path


def told(capsys: pytest.CaptureFixture[str], status: int, *arguments: object) -> str:
    """What a command says, which ends with this status."""
    capsys.readouterr()
    assert main([*map(str, arguments)]) == status
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.out if status == 0 else said.err


@pytest.mark.parametrize("importer", ["fisher", "switchboard", "tedlium", "common_voice", "rt03"])
def test_the_wrong_importer_names_the_right_one(
    importer: str, libri: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(capsys, 2, "refresh", importer, "--source", libri, "--store", tmp_path / "store")
    assert "t looks like librispeech: python -m corpora refresh librispeech …" in said
    assert "?;" not in said


def test_recordings_without_a_text_are_counted_and_a_draft_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "digits", {f"{n}_ann_1.wav": audio(sound(0.5, n)) for n in range(3)}, None)
    doctor = told(capsys, 0, "doctor", source, "--store", tmp_path / "store")
    assert "no importer recognises it (3 wav)" in doctor
    assert "next: python -m corpora refresh donated --source …" in doctor
    said = told(capsys, 3, "refresh", "donated", "--source", source, "--store", tmp_path / "store")
    draft = tmp_path / "store/quarantine/digits/donation.toml"
    assert "digits holds recordings (3 wav) and no text that is known to be theirs" in said
    assert f"a draft to fill in and to give by --donation lies at {draft}" in said
    filled = (
        draft.read_text()
        .replace('licence = ""', 'licence = "CC0-1.0"')
        .replace("# [file_name]", "[file_name]")
    )
    filled = filled.replace(
        "# pattern = '(?P<text>[a-z]+)_(?P<speaker>[a-z]+)_'", "pattern = '(?P<text>[0-9])_'"
    )
    assert parse_donation(filled.encode(), "draft", UsageError).licence == "CC0-1.0"


def test_doctor_says_of_several_corpora_in_one_folder_what_to_do(
    libri: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talks = tedlium.write(tmp_path / "ted", tones.utterances(speakers_per_split=1, each=2, first=50)).path
    both = tmp_path / "both"
    shutil.copytree(libri, both / "LibriSpeech")
    shutil.copytree(talks, both / talks.name)
    said = told(capsys, 0, "doctor", both, "--store", tmp_path / "store")
    assert "several corpora in one place" in said
    for name in ("librispeech", "tedlium"):
        assert f"next: python -m corpora refresh {name} --source …" in said
    one = told(capsys, 0, "doctor", libri, "--store", tmp_path / "store")
    assert one.count("of 2703") == 1
    assert "several corpora" not in one


def test_doctor_promises_nothing_of_texts_without_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    gift = write(tmp_path / "gift", {"a.srt": "1\n00:00:01,000 --> 00:00:02,000\nso it goes\n"})
    said = told(capsys, 0, "doctor", gift)
    assert "would publish nothing" in said
    assert "audio_missing" in said


def test_doctor_promises_nothing_of_an_official_tree_without_sound(
    libri: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for sound_file in libri.rglob("*.flac"):
        sound_file.unlink()
    assert "librispeech: would publish nothing: no recording" in told(capsys, 0, "doctor", libri)


def test_a_refresh_that_imports_nothing_says_so_to_programs_and_has_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = audio(sound(1.0, 1))
    source = write(
        tmp_path / "twin", {"a.wav": one, "a.txt": "so it goes", "b.wav": one, "b.txt": "something else"}
    )
    store = ["--store", str(tmp_path / "store")]
    assert main(["refresh", "donated", "--source", str(source), *store, "--as", "twin", "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["published"]) == ("refused", False)
    assert answer["rejected"] == {"same_audio_other_text": 2}
    assert (Path(answer["path"]) / "rejections.parquet").is_file()
    assert "nothing in twin could be imported" in answer["reason"]
    page = Path(told(capsys, 0, "report", "twin", *store).strip())
    assert "same_audio_other_text" in page.read_text()
    assert "is not published" in told(capsys, 2, "report", "nobody", *store)
