"""Donated archives from end to end: mixed ones, unsafe members, every kind of container."""

from __future__ import annotations

import io
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import SourceError
from tests.corpora.donated import HEAD, TRS, audio, checks, run, sound, srt, write

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


TTML = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="25" '
    'xml:lang="en"><body><div><p begin="00:00:01:12" end="00:00:03:00">From a broadcaster.</p></div></body></tt>'
)


VTT = "WEBVTT\n\n00:00.500 --> 00:02.000\n<v Ann>Tom &amp; I.\n\n00:03.000 --> 00:05.000\n<v Bob>Yes.\n"


def mixed(folder: Path) -> Path:
    """A zip with every kind of transcript and sound that is read, and litter."""
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
    monkeypatch.setattr("corpora.sources.zips.MAX_RATIO", 100)
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
