"""Text files of every wrapping give the same blocks; unusable ones are named in one sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lm.errors import TextSourceError
from lm.text.files import BLOCK_BYTES, TextBlock, expand_paths, read_blocks
from native import text_layout

TEXT = b"One fine day.\nThe rain came.\n"


def blocks_of(path: Path) -> list[TextBlock]:
    return [block for file in expand_paths([path]) for block in read_blocks(file)]


def joined(path: Path) -> bytes:
    """The text as it is cleaned."""
    return b"".join(text_layout(block.data, False) for block in blocks_of(path))


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
def test_every_compression_is_known_by_its_first_bytes(tmp_path: Path, wrap: object) -> None:
    path = tmp_path / "text.anything"
    path.write_bytes(wrap(TEXT))  # type: ignore[operator]
    assert joined(path) == TEXT


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, lzma.compress, zstd])
def test_archives_are_read_member_by_member(tmp_path: Path, wrap: object) -> None:
    path = tmp_path / "books"
    path.write_bytes(wrap(tar_of({"a/one.txt": b"First.\n", "a/.hidden": b"x", "b/two.txt": b"Second.\n"})))  # type: ignore[operator]
    blocks = blocks_of(path)
    assert [(block.source, block.data) for block in blocks] == [
        ("books!/a/one.txt", b"First.\n"),
        ("books!/b/two.txt", b"Second.\n"),
    ]


def _flipped(tar: bytes, at: int) -> bytes:
    return tar[:at] + bytes([tar[at] ^ 1]) + tar[at + 1 :]


def _negative(tar: bytes) -> bytes:
    """The second member says that it has a negative size, under a checksum that is right."""
    header = bytearray(tar[1024:1536])
    header[124:136] = b"\xff" * 10 + b"\xfe\x00"
    header[148:156] = b"        "
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return tar[:1024] + bytes(header) + tar[1536:]


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "damage",
    [
        lambda tar: _flipped(tar, 1024 + 5),
        lambda tar: tar[:1024] + tar[1536:],
        lambda tar: tar[:1024],
        lambda tar: tar[: 1536 + 3],
        lambda tar: tar[:1024] + bytes(len(tar) * 3),
        _negative,
    ],
)
def test_a_tar_that_does_not_end_as_a_tar_is_no_text(
    tmp_path: Path, wrap: Callable[[bytes], bytes], damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "books"
    path.write_bytes(wrap(damage(tar_of({"one.txt": b"First.\n", "two.txt": b"Second.\n"}))))
    with pytest.raises(TextSourceError, match=r"books is a damaged tar: .*copy it again"):
        blocks_of(path)


def test_what_stands_between_the_documents_of_a_tar_is_passed_over(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("n" * 300 + ".txt", "ä.txt"):
            folder = tarfile.TarInfo("folder")
            folder.type = tarfile.DIRTYPE
            link = tarfile.TarInfo("link.txt")
            link.type, link.linkname = tarfile.SYMTYPE, name
            member = tarfile.TarInfo(name)
            member.size = 700
            for entry in (folder, link, member):
                archive.addfile(entry, io.BytesIO(b"x" * 699 + b"\n"))
    (tmp_path / "books").write_bytes(buffer.getvalue())
    assert [(b.source[-5:], len(b.data)) for b in blocks_of(tmp_path / "books")] == [
        ("n.txt", 700),
        ("ä.txt", 700),
    ]


def test_a_folder_gives_its_files_in_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_bytes(name.encode() + b"\n")
    assert joined(tmp_path) == b"a.txt\nb.txt\n"


def test_a_link_that_leads_out_of_a_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("One.\n")
    (folder / "again.txt").symlink_to("a.txt")
    assert [file.name for file in expand_paths([folder])] == ["a.txt", "again.txt"]
    (tmp_path / "secret.txt").write_text("password\n")
    (folder / "deep/b.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(TextSourceError, match=r"deep/b\.txt is a link that leads out of"):
        expand_paths([folder])
    (folder / "deep/b.txt").unlink()
    (folder / "deep/b").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(TextSourceError, match="leads out of"):
        expand_paths([folder])


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf" + TEXT, TEXT.replace(b"\n", b"\r\n"), TEXT.decode().encode("utf-16")]
)
def test_marks_and_line_ends_of_other_systems_vanish(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(data)
    assert joined(path) == TEXT


def test_gutenberg_header_and_footer_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(
        b"Legal words.\n*** START OF THIS PROJECT GUTENBERG EBOOK\nA LONG TITLE ***\n\nThe story.\n\n"
        b"*** END OF THIS PROJECT GUTENBERG EBOOK A LONG TITLE ***\nMore legal words.\n"
    )
    assert joined(path).split() == [b"The", b"story."]


def test_blocks_stay_small_and_cut_no_line(tmp_path: Path) -> None:
    line = b"all work and no play makes jack a dull boy\n"
    path = tmp_path / "long.txt"
    path.write_bytes(line * (3 * BLOCK_BYTES // len(line)))
    blocks = [block.data for block in blocks_of(path)]
    assert len(blocks) >= 3
    assert max(map(len, blocks)) <= 2 * BLOCK_BYTES
    assert all(set(block.splitlines(keepends=True)) == {line} for block in blocks)


@pytest.mark.parametrize(
    ("text", "wrapped"),
    [
        (
            b"It was a dark and\nstormy night, the\nrain fell.\n\nA shot rang out\nand a maid\nscreamed.\n",
            True,
        ),
        (b"It was a dark night.\nThe rain fell.\nA shot rang out.\n", False),
        (b"it was a dark night\nthe rain fell\na shot rang out\n", False),
    ],
)
def test_wrapped_lines_are_told_from_one_sentence_a_line(tmp_path: Path, text: bytes, wrapped: bool) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(text)
    assert [block.wrapped for block in blocks_of(path)] == [wrapped]


def test_a_git_lfs_pointer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "novels.xz"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 12345\n")
    with pytest.raises(TextSourceError, match=r"novels\.xz is a Git LFS pointer .*git lfs pull"):
        joined(path)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.xz"
    whole = lzma.compress(bytes(range(1, 256)) * 4000)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TextSourceError, match=r"cut\.xz cannot be read to its end"):
        joined(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.txt"
    path.write_bytes(b"RIFF\x00\x00\x00")
    with pytest.raises(TextSourceError, match="zero bytes"):
        joined(path)


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(TextSourceError, match=r"nowhere\.txt does not exist"):
        joined(tmp_path / "nowhere.txt")
    with pytest.raises(TextSourceError, match="holds no file"):
        joined(tmp_path)


def parquet(path: Path, columns: dict[str, object]) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def test_the_text_column_of_a_parquet_file_is_read(tmp_path: Path) -> None:
    rows = {"text": ["One.", None, "Two.\nThree."], "title": ["a", "b", "c"], "id": [1, 2, 3]}
    path = parquet(tmp_path / "rows", rows)
    assert joined(path).split() == [b"One.", b"Two.", b"Three."]
    assert joined(Path(f"{path}:title")).split() == [b"a", b"b", b"c"]
    [file] = expand_paths([Path(f"{path}:title")])
    assert file.name == "rows:title"
    alone = parquet(tmp_path / "alone", {"words": ["Only."], "id": [1]})
    assert joined(alone).split() == [b"Only."]


def test_a_parquet_column_that_is_not_there_is_named_with_those_there_are(tmp_path: Path) -> None:
    path = parquet(tmp_path / "rows", {"one": ["a"], "two": ["b"]})
    with pytest.raises(TextSourceError, match=r"more or less than one text column.*rows:COLUMN.*one, two"):
        joined(path)
    with pytest.raises(TextSourceError, match="no text column 'three'"):
        joined(Path(f"{path}:three"))
    text = tmp_path / "plain.txt"
    text.write_bytes(TEXT)
    with pytest.raises(TextSourceError, match="no Parquet file"):
        joined(Path(f"{text}:one"))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TextSourceError, match="cannot be read to its end"):
        joined(path)


def test_how_far_a_file_was_read_is_known(tmp_path: Path) -> None:
    path = tmp_path / "text.xz"
    path.write_bytes(lzma.compress(b"all work and no play makes jack a dull boy.\n" * 150_000))
    done = [block.done_bytes for block in blocks_of(path)]
    assert len(done) > 2 and done == sorted(done) and done[-1] == path.stat().st_size
