"""Acceptance of donated archives, line by line, on invented archives: from the file to published rows."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from corpora.__main__ import main
from corpora.donation import KEYS, parse_donation
from corpora.errors import NothingImportedError, SourceError, UsageError
from corpora.refresh import RefreshRequest, refresh
from corpora.store import Store

RATE_HZ = 16_000
HEAD = 'name = "gift"\ndonor = "A Giver"\nlicence = "CC0-1.0"\nspeaker_rule = "file"\n'
Rows = list[dict[str, Any]]


def sound(seconds: float, seed: int = 0, rate_hz: int = RATE_HZ, channels: int = 1) -> np.ndarray:
    """Noise that a seed makes its own: int16 `[frames, channels]`."""
    noise = np.random.default_rng(seed).normal(0, 3000, (round(seconds * rate_hz), channels))
    return noise.astype(np.int16)


def audio(samples: np.ndarray, kind: str = "WAV", rate_hz: int = RATE_HZ) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format=kind, subtype=None if kind == "MP3" else "PCM_16")
    return out.getvalue()


def film(samples: np.ndarray, folder: Path, suffix: str, arguments: tuple[str, ...] = ()) -> bytes:
    """The same sound in a container that only ffmpeg reads."""
    (folder / "in.wav").write_bytes(audio(samples))
    out = folder / f"out.{suffix}"
    inputs = ["-i", str(folder / "in.wav")] * (2 if arguments else 1)
    command = ["ffmpeg", "-y", "-v", "error", *inputs, *arguments, str(out)]
    subprocess.run(command, check=True, timeout=120)
    return out.read_bytes()


def srt(*cues: tuple[float, float, str]) -> bytes:
    def code(s: float) -> str:
        return f"{int(s) // 3600:02d}:{int(s) // 60 % 60:02d}:{int(s) % 60:02d},{round(s * 1000) % 1000:03d}"

    return "".join(f"{n}\n{code(a)} --> {code(b)}\n{t}\n\n" for n, (a, b, t) in enumerate(cues, 1)).encode()


def write(root: Path, files: dict[str, bytes | str], donation: str | None = "") -> Path:
    if donation is not None:
        files = {**files, "donation.toml": HEAD + donation}
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return root


def run(source: Path, store: Path, **more: Any) -> tuple[dict[str, Any], Rows, Rows]:
    """(answer, rows by id, refusals)."""
    said = refresh(RefreshRequest("donated", (source,), store=store, **more))
    path = Path(said["path"])
    rows = [
        row for shard in sorted(path.glob("*/part-*.parquet")) for row in pq.read_table(shard).to_pylist()
    ]
    return (
        said,
        sorted(rows, key=lambda r: str(r["utterance_id"])),
        pq.read_table(path / "rejections.parquet").to_pylist(),
    )


def checks(rejections: Rows) -> list[tuple[str, str]]:
    return sorted((r["source_path"].rpartition("!/")[2], r["check"]) for r in rejections)


# --- 1 one mixed archive ----------------------------------------------------------------------------------

TEXTGRID = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n4\n<exists>\n1\n"IntervalTier"\n"Ann"\n0\n4\n2\n'
    '0\n2\n"from a grid"\n2\n4\n""\n'
)
EAF = (
    '<?xml version="1.0" encoding="UTF-8"?><ANNOTATION_DOCUMENT><HEADER>'
    '<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Talks/elan%20talk.wav"/></HEADER><TIME_ORDER>'
    '<TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="b"/>'
    '<TIME_SLOT TIME_SLOT_ID="c" TIME_VALUE="4000"/></TIME_ORDER><TIER TIER_ID="t" PARTICIPANT="Eve">'
    '<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="1" TIME_SLOT_REF1="a" TIME_SLOT_REF2="b">'
    "<ANNOTATION_VALUE>from elan</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"
)
TRS = (
    '<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE Trans SYSTEM "trans-14.dtd"><Trans audio_filename="news">'
    '<Speakers><Speaker id="s1" name="Zoé" type="female"/></Speakers><Episode><Section><Turn startTime="0" '
    'endTime="3" speaker="s1"><Sync time="0"/>déjà vu</Turn></Section></Episode></Trans>'
)
TTML = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="25" '
    'xml:lang="en"><body><div><p begin="00:00:01:12" end="00:00:03:00">From a broadcaster.</p></div></body></tt>'
)
VTT = "WEBVTT\n\n00:00.500 --> 00:02.000\n<v Ann>Tom &amp; I.\n\n00:03.000 --> 00:05.000\n<v Bob>Yes.\n"


def mixed(folder: Path) -> Path:
    """A zip with everything the first line of the acceptance list names, and litter."""
    cafe = unicodedata.normalize("NFD", "café")
    files: dict[str, bytes] = {
        "donation.toml": (HEAD + 'text_kind = "verbatim"\n').encode(),
        f"srt/{cafe}.wav": audio(sound(4, 1)),
        "srt/café.srt": b"\xef\xbb\xbf" + srt((0, 2, "From a caption."), (3, 2, "Backwards.")),
        "grid/grid.flac": audio(sound(4, 2), "FLAC"),
        "grid/grid.TextGrid": TEXTGRID.encode("utf-16"),
        "elan/elan talk.wav": audio(sound(4, 3)),
        "texts/other name.eaf": EAF.encode(),
        "trs/news.wav": audio(sound(4, 4)),
        "trs/news.trs": TRS.encode("latin-1"),
        "ctm/words.wav": audio(sound(4, 5)),
        "ctm/all.ctm": b"words 1 0.5 0.5 from\nwords 1 1.0 0.5 words\nbroken\n",
        "ttml/show.mp3": audio(sound(4, 6), "MP3"),
        "ttml/show.xml": TTML.encode(),
        "vtt/voices.wav": audio(sound(6, 7)),
        "vtt/voices.vtt": VTT.encode(),
        "rows/one.wav": audio(sound(2, 8)),
        "rows/manifest.jsonl": b'{"audio_filepath": "one.wav", "duration": 2.0, "text": "from a row"}\n{bad\n',
        "letters/minutes.docx": b"PK",
        "alone.wav": audio(sound(1, 9)),
        "README.txt": b"read me",
        "__MACOSX/srt/._x.wav": b"litter",
        "Thumbs.db": b"litter",
        "srt/._café.srt": b"litter",
    }
    path = folder / "mixed.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return path


def test_01_a_mixed_archive_imports_in_one_run_and_every_file_is_accounted_for(tmp_path: Path) -> None:
    said, rows, rejections = run(mixed(tmp_path), tmp_path / "store")
    assert {row["text"]: row["speaker_id"] for row in rows} == {
        "from a caption": "café",
        "from a grid": "Ann",
        "from elan": "Eve",
        "deja vu": "Zoé",
        "from words": "words",
        "from a broadcaster": "show",
        "tom and i": "Ann",
        "yes": "Bob",
        "from a row": "one",
    }
    assert checks(rejections) == [
        ("alone.wav", "transcript_missing"),
        ("ctm/all.ctm", "bad_line"),
        ("letters/minutes.docx", "unsupported_document"),
        ("rows/manifest.jsonl", "bad_line"),
        ("srt/café.srt", "bad_times"),
    ]
    assert said["ignored"]["system file"] == 3
    items = said["items"]
    assert items["input"] == items["accepted"] + items["rejected"] + items["ignored"]
    sources = {row["source_path"] for row in rows} | {row["transcript_path"] for row in rows}
    sources |= {r["source_path"] for r in rejections}
    named = {name.partition("!/")[2] for name in sources} | {"donation.toml", "README.txt"}
    with zipfile.ZipFile(tmp_path / "mixed.zip") as zipped:
        members = {unicodedata.normalize("NFC", name) for name in zipped.namelist()}
    assert members - named == {"Thumbs.db", "__MACOSX/srt/._x.wav", "srt/._café.srt"}
    elan = next(row for row in rows if row["text"] == "from elan")
    assert (elan["source_start_s"], elan["source_end_s"]) == (0.0, 2.0)
    assert "times_interpolated" in elan["flags"]
    ttml = next(row for row in rows if row["text"] == "from a broadcaster")
    assert ttml["source_start_s"] == pytest.approx(37 / 25)


# --- 2 unsafe members -------------------------------------------------------------------------------------


def tar_member(name: str, data: bytes = b"", **more: Any) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, io.BytesIO(data)


def test_02_unsafe_members_are_refused_and_the_run_ends_cleanly(tmp_path: Path) -> None:
    members = [
        tar_member("donation.toml", (HEAD + 'text_kind = "verbatim"\n').encode()),
        tar_member("a.wav", audio(sound(3))),
        tar_member("a.srt", srt((0, 2, "Hello."))),
        tar_member("../x.wav", b"x"),
        tar_member("/etc/x.wav", b"x"),
        tar_member("link.wav", type=tarfile.SYMTYPE, linkname="../../etc/passwd"),
        tar_member("hard.wav", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
        tar_member("null.wav", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        tar_member("pipe.wav", type=tarfile.FIFOTYPE),
    ]
    path = tmp_path / "gift.tar"
    with tarfile.open(path, "w") as tar:
        for info, data in members:
            tar.addfile(info, data)
    said, rows, rejections = run(path, tmp_path / "store")
    assert [row["text"] for row in rows] == ["hello"]
    assert [r["check"] for r in rejections] == ["unsafe_member"] * 6
    assert said["status"] == "published"
    assert not list(tmp_path.parent.glob("x.wav"))


def test_02_a_bomb_in_a_zip_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.archives.MAX_RATIO", 100)
    path = tmp_path / "gift.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("donation.toml", HEAD + 'text_kind = "verbatim"\n')
        zipped.writestr("a.wav", audio(sound(3)))
        zipped.writestr("a.srt", srt((0, 2, "Hello.")))
        zipped.writestr("bomb.wav", bytes(4 << 20))
    _, rows, rejections = run(path, tmp_path / "store")
    assert len(rows) == 1
    assert checks(rejections) == [("bomb.wav", "unsafe_member")]


# --- containers of archives -------------------------------------------------------------------------------


def _pack_tar(mode: str) -> Callable[[Path, Path], Path]:
    def pack(tree: Path, folder: Path) -> Path:
        path = folder / f"gift.tar.{mode or 'plain'}"
        with tarfile.open(path, f"w:{mode}") as tar:
            tar.add(tree, ".")
        return path

    return pack


def _pack_zst(tree: Path, folder: Path) -> Path:
    import pyarrow as pa

    plain = _pack_tar("")(tree, folder)
    path = folder / "gift.tar.zst"
    with pa.output_stream(str(path), compression="zstd") as out:
        out.write(plain.read_bytes())
    return path


def _pack_zip(tree: Path, folder: Path) -> Path:
    path = folder / "gift.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for file in sorted(tree.rglob("*")):
            if file.is_file():
                zipped.write(file, file.relative_to(tree))
    return path


def _pack_split(tree: Path, folder: Path) -> Path:
    whole = _pack_zip(tree, folder).read_bytes()
    step = len(whole) // 3 + 1
    for number in range(3):
        part = folder / f"split.zip.{number + 1:03d}"
        part.write_bytes(whole[number * step : (number + 1) * step])
    return folder / "split.zip.001"


PACKERS: dict[str, Callable[[Path, Path], Path]] = {
    "directory": lambda tree, folder: tree,
    "tar": _pack_tar(""),
    "tar.gz": _pack_tar("gz"),
    "tar.bz2": _pack_tar("bz2"),
    "tar.xz": _pack_tar("xz"),
    "tar.zst": _pack_zst,
    "zip": _pack_zip,
    "zip.001": _pack_split,
}


@pytest.mark.parametrize("packer", PACKERS)
def test_every_kind_of_archive_gives_the_same_rows(packer: str, tmp_path: Path) -> None:
    files = {"a/p.wav": audio(sound(3)), "a/p.srt": srt((0, 2, "Hello there."))}
    tree = write(tmp_path / "tree", files, 'text_kind = "verbatim"\n')
    _, rows, rejections = run(PACKERS[packer](tree, tmp_path), tmp_path / "store")
    assert [(r["utterance_id"], r["text"], r["num_samples"]) for r in rows] == [
        ("p-00000000-00002000", "hello there", 32000)
    ]
    assert not rejections


class Unmarked(zipfile.ZipInfo):
    """A member whose name is UTF-8 without the mark that says so."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode(), self.flag_bits & ~0x800


@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [(zipfile.ZipInfo, "été.wav", "été.wav"), (Unmarked, "été.wav", "été.wav")],
    ids=["marked", "unmarked"],
)
def test_names_in_zips_with_and_without_the_utf8_mark(
    kind: type[zipfile.ZipInfo], name: str, wanted: str, tmp_path: Path
) -> None:
    path = tmp_path / "gift.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("donation.toml", HEAD + 'text_kind = "verbatim"\n')
        zipped.writestr(kind(name), audio(sound(3)))
        zipped.writestr("été.srt", srt((0, 2, "Hello.")))
    _, rows, _ = run(path, tmp_path / "store")
    assert [row["source_path"].rpartition("!/")[2] for row in rows] == [wanted]


def test_names_in_zips_of_dos_are_cp437(tmp_path: Path) -> None:
    class Dos(zipfile.ZipInfo):
        def _encodeFilenameFlags(self) -> tuple[bytes, int]:
            return self.filename.encode("cp437"), self.flag_bits & ~0x800

    path = tmp_path / "gift.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("donation.toml", HEAD + 'text_kind = "verbatim"\n')
        zipped.writestr(Dos("gruß.wav"), audio(sound(3)))
        zipped.writestr("gruß.srt", srt((0, 2, "Hello.")))
    assert [row["recording_id"] for row in run(path, tmp_path / "store")[1]] == ["gruß"]


@pytest.mark.parametrize(("magic", "kind"), [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07\x00", "RAR")])
def test_other_archives_are_refused_with_a_remedy(magic: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "gift.bin").write_bytes(magic + bytes(600))
    with pytest.raises(SourceError, match=f"{kind} archive.*zip or tar"):
        run(tmp_path / "gift.bin", tmp_path / "store")


def test_a_split_zip_without_its_last_part_says_so(tmp_path: Path) -> None:
    tree = write(tmp_path / "tree", {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))})
    first = _pack_split(tree, tmp_path)
    (tmp_path / "split.zip.003").unlink()
    with pytest.raises(SourceError, match="last one missing"):
        run(first, tmp_path / "store")


# --- 3 cues that make no sense ----------------------------------------------------------------------------


def test_03_bad_cues_are_treated_by_the_policy_and_counted(tmp_path: Path) -> None:
    cues = srt(
        (0, 2, "One."), (3, 3, "Two."), (5, 4, "Three."), (6, 8, "Four."), (7, 9, "Five."), (9.5, 20, "Six.")
    )
    write(tmp_path / "src", {"p.wav": audio(sound(12)), "p.srt": cues}, 'text_kind = "verbatim"\n')
    said, rows, rejections = run(tmp_path / "src", tmp_path / "store")
    assert said["rejected"] == {"bad_times": 2, "span_past_end": 1}
    assert [(r["text"], r["source_end_s"]) for r in rows] == [("one", 2.0), ("four", 7.0), ("five", 9.0)]
    assert "overlap_trimmed" in rows[1]["flags"]
    assert [r["line"] for r in sorted(rejections, key=lambda r: r["line"])] == [6, 10, 22]
    write(tmp_path / "src", {}, 'text_kind = "verbatim"\noverlaps = "reject"\n')
    said, rows, _ = run(tmp_path / "src", tmp_path / "store")
    assert said["rejected"] == {"bad_times": 2, "overlapping_cue": 2, "span_past_end": 1}


# --- 4 time bases -----------------------------------------------------------------------------------------


def test_04_a_ten_hour_start_is_found_taken_off_and_said(tmp_path: Path) -> None:
    hours = 10 * 3600
    cues = srt((hours + 1, hours + 3, "Good evening."), (hours + 4, hours + 6, "The news."))
    write(tmp_path / "src", {"p.wav": audio(sound(8)), "p.srt": cues})
    said, rows, _ = run(tmp_path / "src", tmp_path / "store")
    assert [(r["source_start_s"], r["text"]) for r in rows] == [(1.0, "good evening"), (4.0, "the news")]
    assert all("time_base_shifted" in row["flags"] for row in rows)
    notes = json.loads((Path(said["path"]) / "manifest.json").read_text())["notes"]
    assert any("36000 s are taken off" in note and "time_offset_s" in note for note in notes)


def test_04_an_offset_said_by_the_donor_wins(tmp_path: Path) -> None:
    write(
        tmp_path / "src",
        {"p.wav": audio(sound(8)), "p.srt": srt((5, 7, "Good evening."))},
        "time_offset_s = 3\n",
    )
    _, rows, _ = run(tmp_path / "src", tmp_path / "store")
    assert [r["source_start_s"] for r in rows] == [2.0]


def drifting(stretch: float) -> tuple[bytes, bytes]:
    """Ten minutes of bursts of noise, and captions whose times run by another clock."""
    chance = np.random.default_rng(4)
    samples = np.zeros((600 * 8000, 1), dtype=np.int16)
    cues, at = [], 1.0
    while at < 590:
        length = float(chance.uniform(1.2, 4.0))
        here = slice(round(at * 8000), round((at + length) * 8000))
        samples[here, 0] = chance.normal(0, 3000, here.stop - here.start)
        cues.append((at / stretch, (at + length) / stretch, f"Line {'abcdefghij'[len(cues) % 10]}."))
        at += length + float(chance.uniform(0.6, 5.0))
    return audio(samples, "FLAC", 8000), srt(*cues)


@pytest.mark.slow
def test_04_drift_is_flagged_and_put_right_only_by_the_option(tmp_path: Path) -> None:
    sound_bytes, cues = drifting(25 / 24)
    write(tmp_path / "src", {"p.flac": sound_bytes, "p.srt": cues})
    said, rows, _ = run(tmp_path / "src", tmp_path / "store")
    manifest = json.loads((Path(said["path"]) / "manifest.json").read_text())
    assert manifest["flags"]["time_drift"] == said["utterances"]
    write(tmp_path / "src", {}, f"time_stretch = {25 / 24}\n")
    _, stretched, _ = run(tmp_path / "src", tmp_path / "store")
    assert not any("time_drift" in row["flags"] for row in stretched)
    assert all("time_stretched" in row["flags"] for row in stretched)
    assert stretched[0]["source_start_s"] == pytest.approx(rows[0]["source_start_s"] * 25 / 24, abs=0.002)


@pytest.mark.slow
def test_04_captions_that_keep_pace_are_not_flagged(tmp_path: Path) -> None:
    sound_bytes, cues = drifting(1.0)
    write(tmp_path / "src", {"p.flac": sound_bytes, "p.srt": cues})
    said, _, _ = run(tmp_path / "src", tmp_path / "store")
    assert "time_drift" not in json.loads((Path(said["path"]) / "manifest.json").read_text())["flags"]


def test_subtitles_are_joined_and_never_in_dev_or_test(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {}
    for number in range(6):
        files[f"p{number}.wav"] = audio(sound(8, number))
        files[f"p{number}.srt"] = srt((0.5, 2, "When it rains"), (2.1, 4, f"it pours {'abcdef'[number]}."))
    said, rows, _ = run(write(tmp_path / "src", files), tmp_path / "store")
    assert set(said["splits"]) == {"train"}
    assert (rows[0]["text"], rows[0]["source_end_s"]) == ("when it rains it pours a", 4.0)
    assert said["ignored"]["joined to the cue before"] == 6


# --- 5 the same sound again -------------------------------------------------------------------------------


def test_05_the_same_sound_from_another_donor_is_kept_once_and_recorded(tmp_path: Path) -> None:
    one = {"a.wav": audio(sound(3, 1)), "a.txt": "The first."}
    run(write(tmp_path / "one", one), tmp_path / "store")
    two = {
        "x.flac": audio(sound(3, 1), "FLAC"),
        "x.txt": "The first.",
        "y.wav": audio(sound(3, 2)),
        "y.txt": "New.",
    }
    source = write(tmp_path / "two", {**two, "donation.toml": HEAD.replace("gift", "other")}, None)
    said, rows, rejections = run(source, tmp_path / "store")
    assert [row["utterance_id"] for row in rows] == ["y"]
    assert said["rejected"] == {"donated_before": 1}
    assert rejections[0]["source_path"] == "x.txt"
    assert run(tmp_path / "one", tmp_path / "store")[0]["utterances"] == 1


def test_05_a_sound_that_a_test_set_holds_is_refused(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {}
    for number in range(6):
        files[f"s{number}.wav"] = audio(sound(3, number))
        files[f"s{number}.txt"] = f"Sentence {'abcdef'[number]}."
    said, rows, _ = run(write(tmp_path / "one", files), tmp_path / "store")
    held = next(row for row in rows if row["split"] == "test")["utterance_id"]
    again = {"again.wav": files[f"{held}.wav"], "again.txt": "Something else.", "new.wav": audio(sound(3, 9))}
    again |= {"new.txt": "New.", "donation.toml": HEAD.replace("gift", "other")}
    said, rows, _ = run(write(tmp_path / "two", again, None), tmp_path / "store")
    assert ([row["utterance_id"] for row in rows], said["rejected"]) == (["new"], {"in_a_test_set": 1})


# --- 6 no licence, drafts, claims -------------------------------------------------------------------------


def test_06_without_a_licence_everything_waits_in_quarantine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))}
    source, root = write(tmp_path / "Town Radio", files, None), tmp_path / "store"
    before = sorted(source.rglob("*"))
    assert main(["refresh", "donated", "--source", str(source), "--store", str(root), "--json"]) == 3
    printed = capsys.readouterr()
    said = json.loads(printed.out)
    assert (said["status"], said["published"], said["utterances"]) == ("quarantined", False, 1)
    draft = root / "quarantine" / "town_radio" / "donation.toml"
    assert str(draft) in printed.err
    assert sorted(source.rglob("*")) == before
    store = Store.open(root)
    assert (store.corpus_names(), store.quarantined_names()) == ([], ["town_radio"])
    assert main(["list", "--quarantine", "--store", str(root), "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["corpora"]) == ["town_radio"]
    assert run(source, root)[0]["status"] == "quarantined"
    filled = draft.read_text().replace('licence = ""', 'licence = "CC-BY-4.0"')
    draft.write_text(filled)
    said, rows, _ = run(source, root, donation=draft)
    assert (said["status"], rows[0]["licence"]) == ("published", "CC-BY-4.0")
    assert (store.corpus_names(), store.quarantined_names()) == (["town_radio"], [])


def test_06_neither_language_model_nor_training_sees_the_quarantine(tmp_path: Path) -> None:
    from lm.sentences import (
        __name__ as sentences_module,  # the module that reads corpora for the language model
    )
    from training import config

    source = write(tmp_path / "src", {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))}, None)
    run(source, tmp_path / "store")
    for module in (sys.modules[sentences_module], config):
        assert "quarantine" not in Path(str(module.__file__)).read_text()
    assert Store.open(tmp_path / "store").corpus_names() == []


@pytest.mark.parametrize("name", ["../x", "Big", "a" * 65, "", "-a", "a/b"])
def test_a_claimed_name_must_be_plain(name: str, tmp_path: Path) -> None:
    write(tmp_path / "src", {"p.wav": b"x", "donation.toml": f'name = "{name}"\nlicence = "CC0-1.0"\n'}, None)
    with pytest.raises(SourceError, match="name"):
        run(tmp_path / "src", tmp_path / "store")


def test_a_claimed_name_that_another_donor_has_published_is_refused(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))}
    run(write(tmp_path / "one", files), tmp_path / "store")
    files |= {"p.wav": audio(sound(3, 1)), "donation.toml": HEAD.replace("A Giver", "Somebody")}
    other = write(tmp_path / "two", files, None)
    with pytest.raises(SourceError, match="A Giver has published"):
        run(other, tmp_path / "store")
    said, _, _ = run(other, tmp_path / "store", name="other")
    assert said["corpus"] == "other"


def test_a_licence_that_widens_rights_counts_only_by_hand(tmp_path: Path) -> None:
    files = {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))}
    given = tmp_path / "given.toml"
    given.write_text(HEAD.replace("CC0-1.0", "LicenseRef-archive-only") + "may_redistribute = false\n")
    source = write(tmp_path / "src", {**files, "donation.toml": HEAD + "may_redistribute = true\n"}, None)
    said, _, _ = run(source, tmp_path / "store", donation=given)
    manifest = json.loads((Path(said["path"]) / "manifest.json").read_text())
    assert (manifest["licence"], manifest["may_redistribute"]) == ("LicenseRef-archive-only", False)
    with pytest.raises(SourceError, match="only a file given by --donation"):
        run(source, tmp_path / "store")
    given.write_text(HEAD + "may_redistribute = true\n")
    said, _, _ = run(source, tmp_path / "store", donation=given)
    assert json.loads((Path(said["path"]) / "manifest.json").read_text())["may_redistribute"] is True
    said, _, _ = run(source, tmp_path / "other")
    assert json.loads((Path(said["path"]) / "manifest.json").read_text())["may_redistribute"] is None


def test_a_row_may_narrow_its_licence_but_not_widen_it(tmp_path: Path) -> None:
    table = "path,text,licence\na.wav,one,CC-BY-NC-4.0\nb.wav,two,CC0-1.0\n"
    files: dict[str, bytes | str] = {"a.wav": audio(sound(2, 1)), "b.wav": audio(sound(2, 2)), "t.csv": table}
    files["donation.toml"] = HEAD.replace("CC0-1.0", "CC-BY-4.0")
    _, rows, _ = run(write(tmp_path / "src", files, None), tmp_path / "store")
    assert [(r["licence"], "licence_claim_dropped" in r["flags"]) for r in rows] == [
        ("CC-BY-NC-4.0", False),
        ("CC-BY-4.0", True),
    ]


def test_a_pattern_that_runs_for_ever_ends_the_run_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpora.patterns.search_all.__defaults__", (1.0,))
    rule = "[file_name]\npattern = '(?P<text>(a+)+)$'\n"
    source = write(tmp_path / "src", {"a" * 60 + ".wav": b"x"}, rule)
    with pytest.raises(SourceError, match="took more than"):
        run(source, tmp_path / "store")


# --- 7 media ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "arguments"),
    [
        ("m4a", ()),
        ("mkv", ()),
        *(
            pytest.param(suffix, (), marks=pytest.mark.slow)
            for suffix in ("mp4", "ts", "aac", "wma", "mov", "opus")
        ),
    ],
)
def test_07_sound_of_films_and_odd_containers(
    suffix: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    data = film(sound(4), tmp_path, suffix, arguments)
    write(
        tmp_path / "src",
        {f"p.{suffix}": data, "p.srt": srt((0.5, 2.5, "Hello."))},
        'text_kind = "verbatim"\n',
    )
    _, rows, rejections = run(tmp_path / "src", tmp_path / "store")
    assert [r["text"] for r in rows] == ["hello"], rejections
    assert rows[0]["duration_s"] == pytest.approx(2.0, abs=0.01)


def test_07_truncated_media_are_refused_with_both_lengths(tmp_path: Path) -> None:
    whole = film(sound(20), tmp_path, "mkv")
    files = {"p.mkv": whole[: len(whole) // 2], "p.srt": srt((0.5, 2.5, "Hello."))}
    files |= {
        "q.wav": audio(sound(9))[:9000],
        "q.srt": srt((0.0, 2.0, "Hello.")),
        "r.wav": audio(sound(3, 1)),
    }
    write(tmp_path / "src", {**files, "r.srt": srt((0.0, 2.0, "Hello."))}, 'text_kind = "verbatim"\n')
    _, rows, rejections = run(tmp_path / "src", tmp_path / "store")
    assert len(rows) == 1
    reasons = {r["source_path"]: (r["check"], r["reason"]) for r in rejections}
    assert reasons["p.mkv"][0] == reasons["q.wav"][0] == "audio_truncated"
    assert "s decoded, the container declares 20.0" in reasons["p.mkv"][1]


def test_07_several_sound_tracks_need_a_choice(tmp_path: Path) -> None:
    data = film(sound(4), tmp_path, "mkv", ("-map", "0:a", "-map", "1:a"))
    write(tmp_path / "src", {"p.mkv": data, "p.srt": srt((0.5, 2.5, "Hello."))}, 'text_kind = "verbatim"\n')
    with pytest.raises(NothingImportedError, match="audio_tracks"):
        run(tmp_path / "src", tmp_path / "store")
    write(tmp_path / "src", {}, 'text_kind = "verbatim"\naudio_track = 1\n')
    assert len(run(tmp_path / "src", tmp_path / "store")[1]) == 1


def test_07_playlists_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(audio(sound(4)))
    playlist = f"ffconcat version 1.0\nfile {tmp_path / 'secret.wav'}\n"
    write(
        tmp_path / "src", {"p.mp4": playlist, "p.srt": srt((0.5, 2.5, "Hello."))}, 'text_kind = "verbatim"\n'
    )
    with pytest.raises(NothingImportedError, match="audio_unreadable"):
        run(tmp_path / "src", tmp_path / "store")


@pytest.mark.parametrize(
    ("mode", "shape", "wanted"),
    [
        ("", "different", "channels_differ"),
        ("", "equal", 3000),
        ("", "right", 2000),
        ('channel_mode = "left"\n', "different", 3000),
        ('channel_mode = "right"\n', "different", 2000),
        ('channel_mode = "mix"\n', "different", 2500),
        ('channel_mode = "split"\n', "different", "channel_unknown"),
    ],
)
def test_channels_follow_the_policy(mode: str, shape: str, wanted: int | str, tmp_path: Path) -> None:
    left = np.full(3 * RATE_HZ, 0 if shape == "right" else 3000, dtype=np.int16)
    right = left if shape == "equal" else np.full(3 * RATE_HZ, 2000, dtype=np.int16)
    data = audio(np.stack([left, right], axis=1))
    files = {
        "p.wav": data,
        "p.srt": srt((0.5, 2.5, "Hello.")),
        "q.wav": audio(sound(3)),
        "q.stm": "q 1 x 0 2 good\n",
    }
    source = write(tmp_path / "src", files, f'text_kind = "verbatim"\n{mode}')
    _, rows, rejections = run(source, tmp_path / "store")
    if isinstance(wanted, str):
        assert [r["check"] for r in rejections] == [wanted]
        return
    row = next(r for r in rows if r["text"] == "hello")
    stored, _ = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")
    assert set(stored) == {wanted}


def test_split_channels_with_a_transcript_that_names_them(tmp_path: Path) -> None:
    left, right = np.full(4 * RATE_HZ, 3000, dtype=np.int16), np.full(4 * RATE_HZ, 2000, dtype=np.int16)
    text = "call A ann 0.0 2.0 hello there\ncall B bob 1.0 3.0 good day\n"
    files = {"call.wav": audio(np.stack([left, right], axis=1)), "call.stm": text}
    _, rows, _ = run(write(tmp_path / "src", files, 'channel_mode = "split"\n'), tmp_path / "store")
    levels = {
        r["speaker_id"]: set(soundfile.read(io.BytesIO(r["audio"]["bytes"]), dtype="int16")[0]) for r in rows
    }
    assert levels == {"ann": {3000}, "bob": {2000}}


# --- 8, 9, 10 ---------------------------------------------------------------------------------------------


def test_08_ctm_fields_are_start_and_duration(tmp_path: Path) -> None:
    files = {"talk.wav": audio(sound(12)), "talk.ctm": "talk 1 10.0 0.5 hello\ntalk 1 10.5 0.75 there\n"}
    _, rows, _ = run(write(tmp_path / "src", files), tmp_path / "store")
    assert [(r["source_start_s"], r["source_end_s"], r["text"]) for r in rows] == [
        (10.0, 11.25, "hello there")
    ]


@pytest.mark.parametrize(
    ("encoding", "declared", "flag"),
    [
        ("utf-8-sig", "", False),
        ("utf-16", "", False),
        ("latin-1", "", True),
        ("cp1252", "", True),
        ("cp1252", "cp1252", False),
    ],
)
def test_09_encodings_are_detected_or_declared(
    encoding: str, declared: str, flag: bool, tmp_path: Path
) -> None:
    text = srt((0, 2, "The café is nice.")).decode().encode(encoding)
    extra = 'text_kind = "verbatim"\n' + (f'encoding = "{declared}"\n' if declared else "")
    write(tmp_path / "src", {"p.wav": audio(sound(3)), "p.srt": text}, extra)
    _, rows, _ = run(tmp_path / "src", tmp_path / "store")
    assert [(r["text_raw"], r["text"]) for r in rows] == [("The café is nice.", "the cafe is nice")]
    assert ("encoding_guessed" in rows[0]["flags"]) is flag


def test_09_undecodable_text_is_refused_with_its_offset(tmp_path: Path) -> None:
    text = srt((0, 2, "Gut."), (3, 5, "x")).replace(b"Gut", "gut é".encode()).replace(b"x", b"bad \xff")
    write(tmp_path / "src", {"p.wav": audio(sound(6)), "p.srt": text}, 'text_kind = "verbatim"\n')
    _, rows, rejections = run(tmp_path / "src", tmp_path / "store")
    assert len(rows) == 1
    assert [(r["check"], f"offset {text.index(bytes([0xFF]))} " in r["reason"]) for r in rejections] == [
        ("encoding", True)
    ]


def test_10_pipes_entities_and_the_network_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def no_network(*_: Any) -> None:
        raise AssertionError("the importer opened a connection")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    witness = tmp_path / "executed"
    bad_entity = '<!DOCTYPE Trans [<!ENTITY a SYSTEM "file:///etc/passwd">]><Trans audio_filename="p"><x>&a;</x></Trans>'
    files: dict[str, bytes | str] = {
        "data/wav.scp": f"u1 {tmp_path.name}/p.wav\nu2 touch {witness}; cat p.wav |\nu3 q.wav\n",
        "data/text": "u2 piped\nu3 plain path\n",
        "data/utt2spk": "u3 ann\n",
        "q.wav": audio(sound(2)),
        "p.wav": audio(sound(3)),
        "p.trs": bad_entity,
        "r.wav": audio(sound(3, 1)),
        "r.trs": '<!DOCTYPE Trans SYSTEM "http://192.0.2.1/trans-14.dtd">'
        + TRS.partition("?>")[2].partition(">")[2],
    }
    _, rows, rejections = run(write(tmp_path / "src", files), tmp_path / "store")
    assert sorted(r["text"] for r in rows) == ["deja vu", "plain path"]
    assert ("data/text", "piped_audio") in checks(rejections)
    assert ("p.trs", "unsafe_xml") in checks(rejections)
    assert not witness.exists()


# --- 11, 12, 14 -------------------------------------------------------------------------------------------


def test_11_every_row_names_its_donor_and_a_withdrawal_takes_exactly_those(tmp_path: Path) -> None:
    from corpora.withdrawals import withdraw

    table = "path,text,speaker\na.wav,one,ann\nb.wav,two,bob\n"
    files = {"a.wav": audio(sound(2, 1)), "b.wav": audio(sound(2, 2)), "t.csv": table}
    source, store = write(tmp_path / "src", files), Store.open(tmp_path / "store")
    before, rows, _ = run(source, store.root)
    assert {row["donor_id"] for row in rows} == {"A Giver"}
    withdraw(store, "gift", "bob")
    after, rows, _ = run(source, store.root)
    assert [row["speaker_id"] for row in rows] == ["ann"]
    assert after["version"] != before["version"]


def test_12_a_draft_round_trips(tmp_path: Path) -> None:
    from corpora.donation_draft import draft_text, stand_in
    from corpora.sources import open_source

    source = open_source([write(tmp_path / 'Radio "Nord" é', {"p.wav": b"x"}, None)])
    wanted = stand_in(source)
    text = draft_text(wanted)
    read = parse_donation(text.encode(), "draft", UsageError)
    assert draft_text(read) == text
    for key in (
        "name",
        "donor",
        "licence",
        "language",
        "speaker_rule",
        "channel_mode",
        "encoding",
        "exclude",
    ):
        assert getattr(read, key) == getattr(wanted, key)


ALL_KEYS = HEAD + (
    'contact = "a@example.org"\nconsent = "signed 2020"\nretention_until = 2030-01-01\ndomain = "news"\n'
    'recorded_from = "1990"\nrecorded_to = "1999"\nlanguage = "en-GB"\nchannel_mode = "mix"\ntext_kind = "edited"\n'
    'timing = "utterance"\nencoding = "utf-8"\nexclude = ["*_old*"]\nmay_redistribute = false\ntiers = ["a"]\n'
    'overlaps = "keep"\nnumbers = "table"\naudio_track = 0\ntime_offset_s = 1.5\ntime_stretch = 1.001\n'
)


def test_12_every_field_of_a_donation_is_read_and_kept(tmp_path: Path) -> None:
    donation = parse_donation(ALL_KEYS.encode(), "d", UsageError)
    assert donation.about == {
        "contact": "a@example.org", "consent": "signed 2020", "retention_until": "2030-01-01", "domain": "news",
        "recorded_from": "1990", "recorded_to": "1999",
    }  # fmt: skip
    assert (donation.may_redistribute, donation.time_stretch, donation.tiers) == (False, 1.001, ("a",))
    for wrong in (
        "language = 3\n",
        'exclude = "x"\n',
        "audio_track = -1\n",
        "time_stretch = 9.0\n",
        "speaker = []\n",
    ):
        with pytest.raises(UsageError):
            parse_donation((HEAD + wrong).encode(), "d", UsageError)


def test_12_the_page_has_a_line_for_every_key(root: Path) -> None:
    page = (root / "docs" / "corpora.md").read_text(encoding="utf-8")
    assert not [key for key in KEYS if f"`{key}`" not in page and f"`[{key}]`" not in page]


def test_doctor_says_what_would_go_to_quarantine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hours = srt((36001, 36003, "Good evening."))
    source = write(tmp_path / "src", {"p.wav": audio(sound(8)), "p.srt": hours}, None)
    assert main(["doctor", str(source), "--store", str(tmp_path / "store")]) == 0
    said = capsys.readouterr().out
    assert "would put 'src' into quarantine (no licence is named)" in said
    assert "36000 s are taken off" in said
    assert not (tmp_path / "store" / "quarantine").exists()


def test_14_unpaired_sound_and_text_are_listed(tmp_path: Path) -> None:
    files = {
        "a.wav": audio(sound(2)),
        "b.srt": srt((0, 2, "One."), (3, 5, "Two.")),
        "c.wav": audio(sound(2, 1)),
    }
    _, rows, rejections = run(write(tmp_path / "src", {**files, "c.txt": "Three."}), tmp_path / "store")
    assert [row["text"] for row in rows] == ["three"]
    assert checks(rejections) == [
        ("a.wav", "transcript_missing"),
        ("b.srt", "audio_missing"),
        ("b.srt", "audio_missing"),
    ]


# --- untimed text -----------------------------------------------------------------------------------------


def test_untimed_text_of_a_long_recording_waits_to_be_aligned(tmp_path: Path) -> None:
    files = {
        "talk.wav": audio(sound(50, rate_hz=24000), rate_hz=24000),
        "talk.txt": "A long talk.\nIn two lines.",
    }
    files |= {"short.wav": audio(sound(2, 1)), "short.txt": "Short."}
    source, store = write(tmp_path / "src", files), Store.open(tmp_path / "store")
    said, rows, rejections = run(source, store.root)
    assert [row["text"] for row in rows] == ["short"]
    assert checks(rejections) == [("talk.txt", "needs_alignment")]
    waiting = store.quarantined("gift")
    assert said["needs_alignment"]["path"] == str(waiting.path)
    (entry,) = json.loads((waiting.path / "needs_alignment" / "catalog.json").read_text())
    assert (entry["tlog"], entry["aligned"], entry["donor_id"]) == (None, None, "A Giver")
    samples, rate_hz = soundfile.read(waiting.path / "needs_alignment" / entry["audio"])
    assert (rate_hz, len(samples)) == (16000, 50 * 16000)
    script = waiting.path / "needs_alignment" / entry["script"]
    assert script.read_text() == "A long talk.\nIn two lines."
    (source / "talk.srt").write_bytes(srt((0, 2, "A long talk.")))
    (source / "talk.txt").unlink()
    run(source, store.root)
    assert store.quarantined_names() == []


def test_untimed_text_alone_is_kept_and_nothing_is_published(tmp_path: Path) -> None:
    files = {"talk.wav": audio(sound(3)), "talk.txt": "A talk."}
    source = write(tmp_path / "src", files, 'timing = "none"\n')
    with pytest.raises(NothingImportedError, match="needs_alignment"):
        run(source, tmp_path / "store")
    assert Store.open(tmp_path / "store").quarantined_names() == ["gift"]
    assert Store.open(tmp_path / "store").corpus_names() == []


def test_speakers_that_nobody_names_are_one_per_file_and_train_only(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {}
    for number in range(5):
        files[f"p{number}.wav"] = audio(sound(3, number))
        files[f"p{number}.txt"] = f"Sentence {'abcde'[number]}."
    files["donation.toml"] = HEAD.replace('speaker_rule = "file"\n', "")
    said, rows, _ = run(write(tmp_path / "src", files, None), tmp_path / "store")
    assert [row["speaker_id"] for row in rows] == [f"A Giver:p{number}" for number in range(5)]
    assert set(said["splits"]) == {"train"}


# --- 13 memory --------------------------------------------------------------------------------------------

_CHILD = """
import resource, sys
from pathlib import Path
from corpora.refresh import RefreshRequest, refresh
small, big, store = map(Path, sys.argv[1:])
refresh(RefreshRequest("donated", (small,), store=store))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
said = refresh(RefreshRequest("donated", (big,), store=store))
print(said["utterances"], before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flac", "wav"])
def test_13_memory_is_bounded_for_a_recording_of_three_hours(kind: str, tmp_path: Path) -> None:
    files = {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))}
    small = write(tmp_path / "small", files, 'text_kind = "verbatim"\n')
    big = write(tmp_path / "big", {}, None)
    big.mkdir()
    block = sound(60, 3)
    with soundfile.SoundFile(big / f"q.{kind}", "w", RATE_HZ, 1, "PCM_16") as out:
        for _ in range(180):
            out.write(block)
    texts = [(at, at + 2.0, f"Sentence {'abcdefghij'[at % 10]}.") for at in range(0, 3 * 3600 - 10, 600)]
    (big / "q.srt").write_bytes(srt(*texts))
    (big / "donation.toml").write_text(HEAD.replace("gift", "long") + 'text_kind = "verbatim"\n')
    command = [sys.executable, "-c", _CHILD, str(small), str(big), str(tmp_path / "store")]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    utterances, before_kib, after_kib = (int(word) for word in done.stdout.split())
    assert utterances > 0
    assert after_kib - before_kib < 80 * 1024  # the samples alone are 345 MB
