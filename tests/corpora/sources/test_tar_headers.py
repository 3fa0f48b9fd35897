"""A tar proves its end: whatever stands behind a damaged header, an early end or a cut is told."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from corpora.errors import SourceError
from corpora.sources.opening import open_source
from corpora.sources.source import Source
from tests.corpora.sources.test_sources import inner

SIZES = (5_000, 700, 12_000, 3_000)
FILES = {f"talk/{number}.wav": random.Random(number).randbytes(size) for number, size in enumerate(SIZES)}


def packed(files: dict[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=form) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return plain.getvalue()


def header_of(number: int) -> int:
    """Where the header of a member stands."""
    return sum(512 + -(-size // 512) * 512 for size in SIZES[:number])


def opened(folder: Path, data: bytes, name: str = "a.tar") -> Source:
    (folder / name).write_bytes(data)
    return open_source([folder / name], folder / "spill")


def told(source: Source) -> str:
    return "\n".join(f"{r.check} {r.source_path}: {r.reason}" for r in source.rejections)


def contents(source: Source) -> dict[str, bytes]:
    return {m.name.rpartition("!/")[2]: source.read_bytes(m.name) for m in source.members()}


PLAIN = packed(FILES)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def at_two(data: bytes, lost: int = 0, put: bytes = b"") -> bytes:
    """Bytes lost or put in inside the data of the third member."""
    middle = header_of(2) + 512 + 2048
    return data[:middle] + put + data[middle + lost :]


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], int, str]] = {
    "a bit of a header": (lambda d: flipped(d, header_of(2) + 10), 2, "checksum or numbers are wrong"),
    "a bit of a size": (lambda d: flipped(d, header_of(2) + 130), 2, "checksum or numbers are wrong"),
    "cut between members": (lambda d: d[: header_of(2)], 2, "without the zero blocks"),
    "cut in a member": (lambda d: d[: header_of(2) + 5000], 2, "what follows are missing"),
    "cut in a header": (lambda d: d[: header_of(2) + 100], 2, "are no header"),
    "zeros to the old length": (
        lambda d: d[: header_of(2)] + bytes(len(d) - header_of(2)), 2, "more than writers leave",
    ),
    "zeros from inside a member": (
        lambda d: d[: header_of(2) + 5120] + bytes(len(d) - header_of(2)), 2, "more than writers leave",
    ),
    "512 bytes lost": (lambda d: at_two(d, lost=512), 2, "is no header"),
    "512 bytes put in": (lambda d: at_two(d, put=b"x" * 512), 2, "is no header"),
    "some bytes lost": (lambda d: at_two(d, lost=37), 2, "is no header"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGES)
@pytest.mark.parametrize("form", ["plain", "gz"])
def test_damage_is_told_and_what_stands_before_it_is_kept(tmp_path: Path, what: str, form: str) -> None:
    hurt, whole, words = DAMAGES[what]
    data = hurt(PLAIN)
    source = opened(tmp_path, gzip.compress(data) if form == "gz" else data)
    assert inner(source) == [*FILES][:whole]
    for name in [*FILES][:whole]:
        assert source.read_bytes(f"a.tar!/{name}") == FILES[name]
    assert {r.check for r in source.rejections} == {"archive_truncated"}
    assert words in told(source)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_whole_tar_of_any_form_is_read_without_a_word(tmp_path: Path, form: int) -> None:
    long = {**FILES, "f/" * 60 + "ü.txt" if form != tarfile.USTAR_FORMAT else "u.txt": b"long"}
    source = opened(tmp_path, packed(long, form))
    assert sorted(inner(source)) == sorted(long)
    assert (source.rejections, source.notes) == ((), ())


def test_joined_tars_are_read_to_the_end_and_it_is_noted(tmp_path: Path) -> None:
    source = opened(tmp_path, PLAIN + packed({"more/x.txt": b"x"}))
    assert inner(source) == ["more/x.txt", *FILES]
    assert source.rejections == ()
    assert "end a first part; what follows is read too" in source.notes[0]


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_blocks_put_into_a_member_that_ends_in_zeros_are_no_end(tmp_path: Path, blocks: int) -> None:
    """Its last blocks, moved to where the next header belongs, look like the end of a first part."""
    files = {**FILES, "talk/1.wav": FILES["talk/1.wav"] + bytes(2560)}
    inside = header_of(1) + 1024
    noise = random.Random(blocks).randbytes(512 * blocks)
    plain = packed(files)
    source = opened(tmp_path, plain[:inside] + noise + plain[inside:])
    left = {name: data for name, data in files.items() if name != "talk/1.wav"}
    assert contents(source) == left
    assert "talk/1.wav stands before the damage" in told(source)


def test_a_first_part_that_does_not_fill_its_record_is_read_whole(tmp_path: Path) -> None:
    """Some writers leave two zero blocks and no more."""
    ends = max(i for i, byte in enumerate(PLAIN) if byte) // 512 * 512 + 512
    source = opened(tmp_path, PLAIN[:ends] + bytes(1024) + packed({"other.txt": b"more"}))
    assert contents(source) == {**FILES, "other.txt": b"more"}
    assert not source.rejections


def test_a_gzip_whose_second_member_is_missing_is_told(tmp_path: Path) -> None:
    source = opened(tmp_path, gzip.compress(PLAIN[: header_of(2)]), "a.tar.gz")
    assert inner(source) == [*FILES][:2]
    assert "without the zero blocks of an end" in told(source)


@pytest.mark.parametrize("behind", [b"hello world", PLAIN[:700]])
def test_bytes_behind_a_gzip_cost_none_of_its_members(tmp_path: Path, behind: bytes) -> None:
    source = opened(tmp_path, gzip.compress(PLAIN) + behind, "a.tar.gz")
    assert contents(source) == FILES
    assert "what stands behind it is no gzip" in told(source)


def test_a_second_gzip_whose_beginning_is_damaged_costs_what_is_in_it(tmp_path: Path) -> None:
    second = gzip.compress(PLAIN[header_of(2) :])
    source = opened(tmp_path, gzip.compress(PLAIN[: header_of(2)]) + b"?" + second[1:], "a.tar.gz")
    assert sorted(contents(source)) == ["talk/0.wav", "talk/1.wav"]
    assert "what stands behind it is no gzip" in told(source)


def test_bytes_behind_the_end_are_told(tmp_path: Path) -> None:
    source = opened(tmp_path, PLAIN + b"a server's note" * 60)
    assert inner(source) == [*FILES]
    assert "is no header" in told(source)


def with_size(field: bytes) -> bytes:
    """The third member's header with another size and the checksum that fits."""
    head = bytearray(PLAIN[header_of(2) : header_of(2) + 512])
    head[124:136] = field
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return PLAIN[: header_of(2)] + bytes(head) + PLAIN[header_of(2) + 512 :]


@pytest.mark.parametrize("size", [-512, -1, -(1 << 40)])
def test_a_negative_size_ends_the_walk(tmp_path: Path, size: int) -> None:
    source = opened(tmp_path, with_size(b"\xff" + (size & ((1 << 88) - 1)).to_bytes(11, "big")))
    assert inner(source) == [*FILES][:2]
    assert f"has the size {size}" in told(source)


def test_a_size_beyond_the_file_is_a_cut(tmp_path: Path) -> None:
    source = opened(tmp_path, with_size(b"\x80" + (1 << 60).to_bytes(11, "big")))
    assert inner(source) == [*FILES][:2]
    assert "cut short" in told(source)


@pytest.mark.parametrize("kind", [b"L", b"x"])
def test_a_flood_of_headers_before_one_member_is_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = kind, 20
    block = info.tobuf(tarfile.GNU_FORMAT) + b"20 path=abcdefghijk\n".ljust(512, b"\0")
    source = opened(tmp_path, PLAIN[: header_of(2)] + block * 1200 + PLAIN[header_of(2) :])
    assert inner(source) == [*FILES][:2]
    assert "more than 16 headers" in told(source)


def test_of_two_members_of_one_name_the_earlier_is_told(tmp_path: Path) -> None:
    twice = PLAIN[: header_of(4)] + packed({"talk/0.wav": b"other"})
    source = opened(tmp_path, twice)
    assert source.read_bytes("a.tar!/talk/0.wav") == b"other"
    assert [(r.check, r.source_path) for r in source.rejections] == [("name_twice", "a.tar!/talk/0.wav")]
    same = opened(tmp_path, PLAIN[: header_of(4)] + packed({"talk/0.wav": FILES["talk/0.wav"]}), "b.tar")
    assert same.rejections == ()


def test_two_names_that_are_one_letter_for_letter_are_told(tmp_path: Path) -> None:
    source = opened(tmp_path, packed({"caf\u00e9.wav": b"one", "cafe\u0301.wav": b"two"}))
    assert inner(source) == ["caf\u00e9.wav"]
    assert [(r.check, r.source_path) for r in source.rejections] == [("name_twice", "a.tar!/caf\u00e9.wav")]


def test_what_is_no_tar_at_all_is_no_source(tmp_path: Path) -> None:
    for data in (bytes(50_000), flipped(PLAIN, 3), b"x" * 600):
        with pytest.raises(SourceError, match=r"no readable tar|no archive"):
            opened(tmp_path, data)
