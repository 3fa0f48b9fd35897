"""Which text of several is a recording's, and what is said of texts that were not understood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpora.donations.description import parse_donation
from corpora.errors import CorporaError, NeedsDonationError
from corpora.importer import Ignored, ImportOptions, RawSegment, Rejection, Scan
from corpora.importers.donated import DonatedImporter
from corpora.sources.opening import open_source
from store.errors import UsageError
from tests.corpora.donated import audio, sound, srt

HEAD = 'name = "gift"\ndonor = "A Giver"\nlicence = "CC0-1.0"\n'
Item = RawSegment | Rejection | Ignored


def run(root: Path, files: dict[str, str | bytes], donation: str = "") -> tuple[Scan, list[Item]]:
    wavs = {name: audio(sound(9, number)) for number, name in enumerate(files) if name.endswith(".wav")}
    for name, data in {**files, **wavs, "donation.toml": HEAD + donation}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data.encode() if isinstance(data, str) else data)
    source = open_source([root])
    scan = DonatedImporter().scan(source, ImportOptions())
    read = [item for unit in scan.units for item in DonatedImporter().read(source, unit)]
    return scan, [*scan.rejections, *scan.ignored, *read]


def said(items: list[Item]) -> list[tuple[float | None, float | None, str]]:
    found = [i for i in items if isinstance(i, RawSegment)]
    return sorted((s.audio.start_s, s.audio.end_s, s.text_raw) for s in found)


def refused(items: list[Item]) -> list[tuple[str, str, str]]:
    return [(i.source_path, i.check, i.reason) for i in items if isinstance(i, Rejection)]


def test_several_texts_without_times_are_refused_together_with_their_columns(tmp_path: Path) -> None:
    _, items = run(tmp_path, {"a.wav": "", "t.csv": "audio,text,von,bis\na.wav,one,0,4\na.wav,two,4,8\n"})
    assert not said(items)
    texts = [
        reason for path, check, reason in refused(items) if check == "text_ambiguous" and path == "t.csv"
    ]
    assert len(texts) == 2
    assert "not understood: bis, von" in texts[0]
    table = "[table]\nfile = 't.csv'\naudio = '{audio}'\ntext = 'text'\nstart = 'von'\nend = 'bis'\n"
    _, items = run(tmp_path, {"a.wav": ""}, table)
    assert said(items) == [(0.0, 4.0, "one"), (4.0, 8.0, "two")]


def test_a_text_without_times_beside_texts_with_times_is_refused_with_them(tmp_path: Path) -> None:
    rows = [{"audio": "a.wav", "offset": 1, "duration": 2, "text": "one"}, {"audio": "a.wav", "text": "two"}]
    _, items = run(tmp_path, {"a.wav": "", "t.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    assert not said(items)
    assert [check for path, check, _ in refused(items) if path == "t.jsonl"] == ["text_ambiguous"] * 2


def test_texts_that_say_the_same_are_taken_once_and_timed(tmp_path: Path) -> None:
    segments = [{"start": 0.5, "end": 2.5, "text": " So it"}, {"start": 3, "end": 5, "text": " goes."}]
    files: dict[str, str | bytes] = {
        "a.wav": "",
        "a.txt": "So it\ngoes.\n",
        "a.srt": srt((0.5, 2.5, "So it"), (3.0, 5.0, "goes.")),
        "a.json": json.dumps({"text": "So it goes.", "segments": segments}),
        "a.tsv": "start\tend\ttext\n500\t2500\tSo it\n3000\t5000\tgoes.\n",
    }
    scan, items = run(tmp_path, files)
    assert said(items) == [(0.5, 2.5, "So it"), (3.0, 5.0, "goes.")]
    assert not refused(items)
    told = {i.source_path for i in scan.ignored if "says the same" in i.reason}
    assert told == {"a.txt", "a.json", "a.tsv"}


def test_the_same_row_twice_is_a_duplicate(tmp_path: Path) -> None:
    _, items = run(tmp_path, {"a.wav": "", "t.csv": "audio,text\na.wav,one\na.wav,One!\n"})
    assert said(items) == [(None, None, "one")]
    assert [(path, check) for path, check, _ in refused(items)] == [("t.csv", "duplicate_id")]


def test_an_end_of_minus_one_reaches_to_the_end_and_official_parts_are_splits(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"wavs/a.wav": "", "wavs/b.wav": ""}
    for part, key in (("train", "a"), ("test", "b")):
        files |= {
            f"data/{part}/wav.scp": f"{key}\twavs/{key}.wav\n",
            f"data/{part}/text": f"{key}1\tso it goes\n",
        }
        files |= {
            f"data/{part}/segments": f"{key}1 {key} 1.5 -1\n",
            f"data/{part}/utt2spk": f"{key}1 s{key}\n",
        }
    _, items = run(tmp_path, files)
    assert said(items) == [(1.5, 9.0, "so it goes")] * 2
    splits = {i.speaker_id: i.split for i in items if isinstance(i, RawSegment)}
    assert splits == {"sa": "train", "sb": "test"}


def test_names_with_percent_signs_and_other_case_find_their_recording(tmp_path: Path) -> None:
    _, items = run(tmp_path, {"With Blank.wav": "", "t.csv": "audio,text\nwith%20blank.WAV,one\n"})
    assert said(items) == [(None, None, "one")]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "meta.csv",
            "wavs/a.wav|so it goes\nwavs/b.wav|and on\n",
            "audio = '{column1}' / text = 'column2'",
        ),
        (
            "list.txt",
            "wavs/a.wav|so it goes\nwavs/b.wav|and on\n",
            "audio = '{column1}' / text = 'column2'",
        ),
        ("meta.csv", "clip_id,said\na,so it goes\nb,and on\n", "audio = '{clip_id}' / text = 'said'"),
        (
            "meta.jsonl",
            '{"id": "a", "said": "so it goes"}\n{"id": "b", "said": "and on"}\n',
            "text = 'said'",
        ),
    ],
)
def test_a_text_that_was_not_understood_is_named_with_what_would_read_it(
    name: str, text: str, told: str, tmp_path: Path
) -> None:
    files: dict[str, str | bytes] = {"wavs/a.wav": "", "wavs/b.wav": "", name: text}
    with pytest.raises(NeedsDonationError) as caught:
        run(tmp_path, files)
    assert name in str(caught.value)
    assert told in str(caught.value)
    advice = str(caught.value).rpartition("would read it: ")[2].replace(" / ", "\n")
    _, items = run(tmp_path, files, advice + "\n")
    assert [text for _, _, text in said(items)] == ["and on", "so it goes"]


def test_beside_texts_that_were_understood_it_is_a_rejection_and_a_note(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.wav": "",
        "a.txt": "so it goes\n",
        "b.wav": "",
        "b.json": '{"ok": 1}',
    }
    scan, items = run(tmp_path, files)
    (reason,) = [reason for path, check, reason in refused(items) if check == "text_not_understood"]
    assert "called like a recording" in reason
    assert any("b.json" in note for note in scan.notes)


# --- donation.toml ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        'encoding = "hex"',
        'encoding = "zip"',
        'encoding = "undefined"',
        'encoding = "rot13"',
        "encoding = 5",
        "exclude = [5]",
        'exclude = "x"',
        "genders = {a = 5}",
        'genders = {a = "green"}',
        "time_offset_s = nan",
        "time_offset_s = inf",
        "time_stretch = nan",
        'language = "../../x"',
        "language = 7",
        "tiers = [[1]]",
        "audio_track = -1",
        "name = 5",
        'speaker = "a\\u001bb"',
        "[splits]\ndev = [1]",
        "[splits]\ndev = 1",
        "[file_name]\npattern = 5",
        "[file_name]\npattern = '(?P<text>x)'\nwords = 'abc'",
        "[file_name]\npattern = '(?P<text>x)'\nwords = {a = 1}",
        "[sphinx]\ntranscription = 5",
        "[table]\nfile = 'x'\naudio = '{id'\ntext = 'text'",
        "[table]\nfile = 'x'\naudio = '{id:>999999999}'\ntext = 'text'",
        "[table]\nfile = 'x'\naudio = '{id!r}'\ntext = 'text'",
        "[table]\nfile = 'x'\naudio = 'no column'\ntext = 'text'",
        "[table]\nfile = 'x'\naudio = '{id}'\ntext = 'text'\ndelimiter = ''",
        "[table]\nfile = 'x'\naudio = '{id}'\ntext = 'text'\ncolumns = [1]",
        "[table]\nfile = 'x'\naudio = '{id}'\ntext = 'text'\nquoted = 'yes'",
        "[table]\nfile = 'x'\naudio = '{id}'\ntext = 'text'\nstart = 'von'",
        "a = " + "[" * 5000 + "]" * 5000,
    ],
)
def test_every_value_of_a_wrong_kind_is_a_sentence(text: str) -> None:
    whole = text if text.startswith("name") else f'name = "gift"\n{text}\n'
    with pytest.raises(UsageError, match=r"donation\.toml"):
        parse_donation(whole.encode(), "donation.toml", UsageError)


def test_columns_of_a_table_are_put_in_and_nothing_else_is_understood(tmp_path: Path) -> None:
    table = "[table]\nfile = 't.csv'\naudio = 'wavs/{id}'\ntext = 'text'\n"
    _, items = run(tmp_path, {"wavs/a.wav": "", "t.csv": "id,text\na,{id}\n{0.__class__},no\n"}, table)
    assert said(items) == [(None, None, "{id}")]
    with pytest.raises(CorporaError, match="no column 'id'"):
        run(tmp_path, {"wavs/a.wav": "", "t.csv": "key,text\na,yes\n"}, table)


def test_a_text_without_times_beside_a_row_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for bad in ('{"audio": "a.wav", "offset": NaN, "duration": 1, "text": "two"}', '{"audio": "a.wav", "te'):
        files: dict[str, str | bytes] = {
            "a.wav": "",
            "t.jsonl": f'{{"audio": "a.wav", "text": "one"}}\n{bad}\n',
        }
        _, items = run(tmp_path, files)
        assert not said(items)
        assert [check for path, check, _ in refused(items) if path == "t.jsonl"] == [
            "bad_line",
            "text_ambiguous",
        ]


def test_splits_may_name_recordings(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"{part}/{part}.wav": "" for part in ("a", "b", "c")}
    files |= {f"{part}/{part}.txt": "so it goes\n" for part in ("a", "b", "c")}
    _, items = run(tmp_path, files, "[splits]\ndev_files = ['b/*']\ntest_files = ['c.wav']\n")
    splits = {i.audio.member: i.split for i in items if isinstance(i, RawSegment)}
    assert splits == {"a/a.wav": "train", "b/b.wav": "dev", "c/c.wav": "test"}
