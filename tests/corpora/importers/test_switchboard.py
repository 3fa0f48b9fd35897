"""Switchboard: both sides paired with their recording, silence passed over, callers from the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.errors import SourceError
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers.switchboard import SwitchboardImporter
from corpora.sources.opening import open_source
from corpora.sources.source import Source
from corpora.text.normaliser import Normalised, Normaliser, Refused

IMPORTER = SwitchboardImporter()
CONVERSATIONS = '2001, 301, 1044, 1055, "", 1\n'
CALLERS = '1044, 1, "Y", "FEMALE", 1960\n1055, 1, "Y", "MALE" , 1970\n'


def tree(root: Path, files: dict[str, str]) -> Source:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return open_source([root])


def items_of(source: Source) -> tuple[Scan, list[RawSegment | Rejection | Ignored]]:
    scan = IMPORTER.scan(source, ImportOptions())
    return scan, [item for unit in scan.units for item in IMPORTER.read(source, unit)]


def side(channel: str, text: str) -> dict[str, str]:
    return {f"swb_ms98_transcriptions/20/2001/sw2001{channel}-ms98-a-trans.text": text}


def both_sides() -> dict[str, str]:
    rows_a = ["0001 0.000000 0.977625 [silence]", "0002 0.977625 11.561375 hi um"]
    rows_b = ["0001 0.000000 3.250125 [silence]  [silence]", "0002 3.250125 5.0 [noise]"]
    return side("A", "".join(f"sw2001A-ms98-a-{row}\n" for row in rows_a)) | side(
        "B", "".join(f"sw2001B-ms98-a-{row}\n" for row in rows_b)
    )


@pytest.mark.parametrize(
    "audio", ["swb1_d1/data/sw02001.sph", "SW02001.SPH", "LDC97S62/swb1_d3/sw2001.sph", "x/sw02001.wav"]
)
def test_audio_is_found_in_every_tree_and_sides_are_channels(audio: str, tmp_path: Path) -> None:
    _, items = items_of(tree(tmp_path, {audio: "x", **both_sides()}))
    segments = [item for item in items if isinstance(item, RawSegment)]
    assert [(s.utterance_id, s.audio.member, s.audio.channel) for s in segments] == [
        ("sw2001A-ms98-a-0002", audio, 0),
        ("sw2001B-ms98-a-0002", audio, 1),
    ]
    assert (segments[0].audio.start_s, segments[0].audio.end_s) == (0.977625, 11.561375)
    assert [item.reason for item in items if isinstance(item, Ignored)] == ["silence only", "silence only"]


def test_word_alignments_and_the_dictionary_are_not_transcripts(tmp_path: Path) -> None:
    extra = {
        "20/2001/sw2001A-ms98-a-word.text": "sw2001A-ms98-a-0002 0.9 1.2 hi\n",
        "sw-ms98-dict.text": "hi hh ay\n",
    }
    _, items = items_of(tree(tmp_path, {"sw02001.sph": "x", **both_sides(), **extra}))
    assert sum(isinstance(item, RawSegment) for item in items) == 2


@pytest.mark.parametrize("names", [("conv_tab.csv", "caller_tab.csv"), ("conv.tab", "caller.tab")])
def test_callers_and_their_sex_come_from_the_tables(names: tuple[str, str], tmp_path: Path) -> None:
    tables = {f"docs/{names[0]}": CONVERSATIONS, f"docs/{names[1]}": CALLERS}
    _, items = items_of(tree(tmp_path, {"sw02001.sph": "x", **both_sides(), **tables}))
    segments = [item for item in items if isinstance(item, RawSegment)]
    assert [(s.speaker_id, s.gender, s.flags) for s in segments] == [("1044", "f", ()), ("1055", "m", ())]


@pytest.mark.parametrize("conversations", ["", "2001, 301, 1044, 1044\n", "2002, 301, 1044, 1055\n"])
def test_two_sides_never_share_a_speaker(conversations: str, tmp_path: Path) -> None:
    files = {"sw02001.sph": "x", **both_sides(), "conv_tab.csv": conversations, "caller_tab.csv": CALLERS}
    _, items = items_of(tree(tmp_path, files))
    segments = [item for item in items if isinstance(item, RawSegment)]
    assert [s.speaker_id for s in segments] == ["sw02001-A", "sw02001-B"]
    assert all("speaker_unknown" in s.flags and s.gender is None for s in segments)


def test_missing_sides_and_recordings_are_listed_and_the_rest_imported(tmp_path: Path) -> None:
    lonely = {"20/2002/sw2002B-ms98-a-trans.text": "sw2002B-ms98-a-0001 0.0 1.0 hi\n"}
    files = {
        "sw02001.sph": "x",
        **side("A", "sw2001A-ms98-a-0002 0.5 1.5 hi\n"),
        **lonely,
        "sw02003.sph": "x",
    }
    scan, items = items_of(tree(tmp_path, files))
    assert [(r.utterance_id, r.check) for r in scan.rejections] == [
        ("2002-B", "audio_missing"),
        ("2001-B", "transcript_missing"),
        ("2003-A", "transcript_missing"),
        ("2003-B", "transcript_missing"),
    ]
    assert len(items) == 1


@pytest.mark.parametrize(
    ("line", "check"),
    [
        ("sw2001A-ms98-a-0009 5.0 5.0 hi", "bad_times"),
        ("sw2001A-ms98-a-0009 5.0 4.0 hi", "bad_times"),
        ("sw2001A-ms98-a-0009 five 4.0 hi", "bad_times"),
        ("sw2001B-ms98-a-0009 5.0 6.0 hi", "id_mismatch"),
        ("sw2002A-ms98-a-0009 5.0 6.0 hi", "id_mismatch"),
        ("5.0 6.0 hi there", "bad_line"),
        ("sw2001A-ms98-a-0009", "bad_line"),
    ],
)
def test_a_bad_line_is_refused_by_itself(line: str, check: str, tmp_path: Path) -> None:
    good = "sw2001A-ms98-a-0010 7.0 8.0 yes\n"
    _, items = items_of(tree(tmp_path, {"sw02001.sph": "x", **side("A", f"{line}\n{good}")}))
    rejection, segment = items
    assert isinstance(rejection, Rejection)
    assert (rejection.check, rejection.line, rejection.text_raw) == (check, 1, line)
    assert isinstance(segment, RawSegment)


def test_lines_that_overlap_on_one_side_are_flagged(tmp_path: Path) -> None:
    lines = "sw2001A-ms98-a-0001 1.0 3.0 one\nsw2001A-ms98-a-0002 2.0 4.0 two\n"
    _, items = items_of(tree(tmp_path, {"sw02001.sph": "x", **side("A", lines)}))
    assert ["overlap" in item.flags for item in items if isinstance(item, RawSegment)] == [False, True]


def test_a_source_without_transcripts_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="ms98"):
        IMPORTER.scan(tree(tmp_path, {"sw02001.sph": "x"}), ImportOptions())


def test_real_transcript_lines_all_end_as_text_or_reason(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "switchboard_transcripts" / "timed-transcript"
    if not path.is_file():
        pytest.skip("no real Switchboard transcripts here")
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    sides: list[list[str]] = []
    for line in lines:  # the file strings sides together: times start again at 0
        if line.startswith("0.000000 "):
            sides.append([])
        sides[-1].append(line)
    files = {}
    for number, rows in enumerate(sides):
        call, channel = f"{2001 + number // 2}", "AB"[number % 2]
        named = [f"sw{call}{channel}-ms98-a-{at:04d} {row}" for at, row in enumerate(rows, 1)]
        files |= {f"sw0{call}.sph": "x", f"sw{call}{channel}-ms98-a-trans.text": "\n".join(named) + "\n"}
    _, items = items_of(tree(tmp_path, files))
    segments = [item for item in items if isinstance(item, RawSegment)]
    silent = [line for line in lines if line.split(" ", 2)[2:] == ["[silence]"]]
    assert len(items) == len(lines)
    assert sum(isinstance(item, Ignored) for item in items) == len(silent)
    assert not [item for item in items if isinstance(item, Rejection)]
    normaliser = Normaliser([" ", *"abcdefghijklmnopqrstuvwxyz", "'"], "switchboard")
    results = [normaliser.normalise(segment.text_raw) for segment in segments]
    assert all(
        set(r.text) <= set(" abcdefghijklmnopqrstuvwxyz'") for r in results if isinstance(r, Normalised)
    )
    assert all(r.reason for r in results if isinstance(r, Refused))
    assert sum(isinstance(r, Normalised) for r in results) > 0.8 * len(results)


def test_the_price_of_refusing_partial_words_is_said_before_it_is_paid(tmp_path: Path) -> None:
    rows = [
        "0001 0.0 1.0 [silence]",
        "0002 1.0 2.0 so it goes",
        "0003 2.0 4.0 and th[is]- this is a long one",
    ]
    text = "".join(f"sw2001A-ms98-a-{row}\n" for row in rows)
    source = tree(tmp_path, {"sw02001.sph": "x", **side("A", text)})
    (note,) = [note for note in IMPORTER.scan(source, ImportOptions()).notes if "partial" in note]
    assert "50.0 % of the lines with 70.0 % of the words" in note
    kept = IMPORTER.scan(source, ImportOptions(options={"partial": "keep"}))
    assert not [note for note in kept.notes if "partial" in note]
