"""Which text belongs to which recording: every rule in its order, and what is ambiguous with its candidates."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from corpora.donations.pairing import AudioIndex, bare_stems, language_of
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers.donated import DonatedImporter
from corpora.sources.opening import open_source

HEAD = 'name = "gift"\ndonor = "A Giver"\nlicence = "CC0-1.0"\n'
SRT = "1\n00:00:01,000 --> 00:00:03,000\n{}\n"


def run(
    root: Path, files: dict[str, str], donation: str = ""
) -> tuple[Scan, dict[str, str], list[Rejection]]:
    """(scan, text by recording, refusals) of invented files; sounds are empty, nothing opens them."""
    for name, text in {**files, "donation.toml": HEAD + donation}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    source = open_source([root])
    importer = DonatedImporter()
    scan = importer.scan(source, ImportOptions())
    items = [item for unit in scan.units for item in importer.read(source, unit)]
    texts = {i.audio.member: i.text_raw for i in items if isinstance(i, RawSegment)}
    return scan, texts, [*scan.rejections, *(i for i in items if isinstance(i, Rejection))]


@pytest.mark.parametrize(
    ("audio", "text"),
    [
        ("a/p.wav", "a/p.srt"),
        ("archive/audio/day1/p.wav", "archive/text/day1/p.srt"),
        ("p.wav", "deep/er/p.srt"),
        ("p.wav", "p.en.srt"),
        ("p.wav", "p_final.srt"),
        ("p.wav", "p-v2.srt"),
        ("p.wav", "p.en-GB_final.srt"),
    ],
)
def test_a_text_finds_its_recording_by_name(tmp_path: Path, audio: str, text: str) -> None:
    _, texts, rejections = run(tmp_path, {audio: "x", text: SRT.format("Hello.")})
    assert texts == {audio: "Hello."}
    assert not rejections


def test_sibling_trees_are_told_apart(tmp_path: Path) -> None:
    files = {f"{kind}/{day}/p.{suffix}": "x" for day in ("d1", "d2") for kind, suffix in (("audio", "wav"),)}
    files |= {f"text/{day}/p.srt": SRT.format(day) for day in ("d1", "d2")}
    _, texts, rejections = run(tmp_path, files)
    assert texts == {"audio/d1/p.wav": "d1", "audio/d2/p.wav": "d2"}
    assert not rejections


EAF = (
    '<ANNOTATION_DOCUMENT><HEADER><MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Talks/the%20talk.wav"/></HEADER>'
    '<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="2000"/>'
    '</TIME_ORDER><TIER TIER_ID="t"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="1" TIME_SLOT_REF1="a" '
    'TIME_SLOT_REF2="b"><ANNOTATION_VALUE>hello</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>'
    "</ANNOTATION_DOCUMENT>"
)
TRS = (
    '<Trans audio_filename="the talk"><Episode><Section><Turn startTime="0" endTime="2"><Sync time="0"/>hello'
    "</Turn></Section></Episode></Trans>"
)


@pytest.mark.parametrize(("name", "text"), [("other.eaf", EAF), ("other.trs", TRS)])
def test_the_path_inside_the_transcript_counts_by_its_last_part(tmp_path: Path, name: str, text: str) -> None:
    _, texts, _ = run(tmp_path, {"sound/the talk.wav": "x", f"texts/{name}": text})
    assert texts == {"sound/the talk.wav": "hello"}


def test_names_are_compared_in_nfc(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "café")
    files = {f"{decomposed}.wav": "x", "café.srt": SRT.format("Hello.")}
    files["list.csv"] = "path,text\n" + unicodedata.normalize("NFD", "été.wav") + ",yes\n"
    files["été.wav"] = "x"
    _, texts, rejections = run(tmp_path, files)
    assert texts == {"café.wav": "Hello.", "été.wav": "yes"}
    assert not rejections


def test_several_recordings_for_one_text_are_listed(tmp_path: Path) -> None:
    files = {"x/p.wav": "x", "y/p.wav": "x", "p.srt": SRT.format("Hello.")}
    _, texts, rejections = run(tmp_path, files)
    assert not texts
    (ambiguous,) = [r for r in rejections if r.check == "audio_ambiguous"]
    assert "x/p.wav, y/p.wav" in ambiguous.reason


def test_several_texts_for_one_recording_need_a_language(tmp_path: Path) -> None:
    files = {"p.wav": "x", "p.en.srt": SRT.format("Hello."), "p.cy.srt": SRT.format("Helo.")}
    scan, texts, rejections = run(tmp_path, files, 'language = "cy"\n')
    assert texts == {"p.wav": "Helo."}
    assert not rejections
    assert Ignored("p.en.srt", "a text in another language than cy") in scan.ignored


def test_several_versions_of_a_text_are_refused_with_their_names(tmp_path: Path) -> None:
    files = {"p.wav": "x", "p_v1.srt": SRT.format("Hello."), "p_v2.srt": SRT.format("Hello you!")}
    _, texts, rejections = run(tmp_path, files)
    assert not texts
    assert sorted((r.source_path, r.check) for r in rejections) == [
        ("p.wav", "transcript_missing"),
        ("p_v1.srt", "text_ambiguous"),
        ("p_v2.srt", "text_ambiguous"),
    ]
    assert "p_v1.srt, p_v2.srt" in next(r.reason for r in rejections if r.check == "text_ambiguous")
    assert run(tmp_path, files, 'exclude = ["*_v1.srt"]\n')[1] == {"p.wav": "Hello you!"}


def test_sound_without_text_and_text_without_sound_are_listed(tmp_path: Path) -> None:
    files = {"a.wav": "x", "b.srt": SRT.format("Hello."), "c.txt": "words", "README.txt": "read me"}
    scan, _, rejections = run(tmp_path, files)
    assert sorted((r.source_path, r.check) for r in rejections) == [
        ("a.wav", "transcript_missing"),
        ("b.srt", "audio_missing"),
        ("c.txt", "audio_missing"),
    ]
    assert Ignored("README.txt", "neither sound nor its text") in scan.ignored


def test_a_manifest_comes_before_names(tmp_path: Path) -> None:
    files = {
        "clips/a.wav": "x",
        "list.csv": "path,text\nclips/a.wav,from the list\n",
        "clips/a.txt": "from the name",
    }
    _, texts, rejections = run(tmp_path, files)
    assert texts == {"clips/a.wav": "from the list"}
    assert [(r.source_path, r.check) for r in rejections] == [("clips/a.txt", "duplicate_id")]


def test_stems_and_languages() -> None:
    assert bare_stems("talk.en_final") == ["talk.en_final", "talk.en", "talk"]
    assert (language_of("talk.en_final"), language_of("talk.cy"), language_of("talk")) == ("en", "cy", None)
    index = AudioIndex(["a.tar!/x/p.wav", "a.tar!/x/p.mp3", "b.tar!/q.wav"])
    assert index.find("a.tar!/x", "p.mp3") == ["a.tar!/x/p.mp3"]
    assert index.find("", "D:\\sounds\\q.WAV") == ["b.tar!/q.wav"]
    assert (index.identity("b.tar!/q.wav"), index.identity("a.tar!/x/p.wav")) == ("q", "x~p")
