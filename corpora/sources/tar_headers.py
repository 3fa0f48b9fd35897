"""The headers of a tar one by one, and the proof of where it ends.

Every header's checksum and size are looked at, names longer than a header are put together, and the end must be
the two zero blocks that writers leave: an end by the file's end, by a block that is no header, or by more zeros
than a record holds is told with its place. Archives that were joined (`cat a.tar b.tar`) are read on. One block
is parsed by the standard library; nothing here is recursive, so no chain of headers and no odd size holds anybody up.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

BLOCK = tarfile.BLOCKSIZE
_MOST_EXTENSIONS = 16  # headers before one member
_MOST_EXTENSION_BYTES = 1 << 20
_MOST_ZEROS = tarfile.RECORDSIZE + 2 * BLOCK  # two end blocks, then what fills the last record
_SPARSE_MAPS = 1 << 16
_LONG_NAME, _LONG_LINK = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
_PAX = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}
_REGULAR = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE}
_WITHOUT_DATA = {
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.DIRTYPE,
    tarfile.FIFOTYPE,
}
_KINDS = {
    tarfile.DIRTYPE: "folder",
    tarfile.LNKTYPE: "hard link",
    tarfile.SYMTYPE: "link",
    tarfile.GNUTYPE_SPARSE: "sparse file",
}
_RECORD = re.compile(rb"(\d{1,20}) ([^=]+)=")


class Blocks(Protocol):
    """A tar that is read from its beginning to its end."""

    def read(self, size: int) -> bytes:
        """The next bytes; fewer at the end."""

    def skip(self, size: int, entry: Entry | None) -> int:
        """Pass over the next bytes, the data of `entry` (None: of no member); how many there were."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One member: `kind` is file, folder, link, hard link, sparse file or other; `offset` is that of its data."""

    name: str
    kind: str
    offset: int
    size: int
    link: str = ""


class TarWalk:
    """Iterate over it once for the members; then it says how the archive ended.

    Attributes:
        damage: how and where the archive ends that does not end as it should, else "".
        doubted: members that end where no writer ends, with whether they are only doubtful if they end in zeros:
            their own bytes may be the damaged ones.
        notes: what is odd and costs nothing.
        open_end: the only thing wrong is that no zero block stands at the end.
    """

    def __init__(self, stream: Blocks) -> None:
        self._stream = stream
        self._at = 0
        self._last: Entry | None = None
        self._zeros = 0
        self.damage = ""
        self.doubted: list[tuple[Entry, bool]] = []
        self.notes: list[str] = []
        self.open_end = False

    def __iter__(self) -> Iterator[Entry]:
        while (block := self._next_header()) is not None:
            entry = self._entry(block)
            if entry is None:
                return
            self._last = entry
            yield entry
            padded = -(-entry.size // BLOCK) * BLOCK
            passed = self._stream.skip(padded, entry)
            self._at += passed
            if passed < entry.size:
                self._stop(f"{entry.name} and what follows are missing: the archive was cut short", True)
                return

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._at += len(data)
        return data

    def _next_header(self) -> bytes | None:
        """The next block that is not zero; None at an end, which is judged here."""
        zeros = 0
        while len(block := self._read(BLOCK)) == BLOCK and not any(block):
            zeros += BLOCK
        if len(block) == BLOCK:
            self._zeros = zeros
            if zeros:
                self._judge_end_inside(zeros)
            return block
        self._judge_end(zeros + len(block), block)
        return None

    def _judge_end_inside(self, zeros: int) -> None:
        """Writers end with two zero blocks and most fill their record; else they may be moved zeros of the member before."""
        begins = self._at - BLOCK
        where = begins - zeros
        self.notes.append(f"{zeros} zero bytes at byte {where} end a first part; what follows is read too")
        if self._last is not None and (zeros < 2 * BLOCK or begins % tarfile.RECORDSIZE):
            self.doubted.append((self._last, zeros >= 2 * BLOCK))

    def _judge_end(self, zeros: int, rest: bytes) -> None:
        if any(rest):
            self._stop(f"{len(rest)} bytes after byte {self._at - len(rest)} are no header", False)
        elif zeros > _MOST_ZEROS:
            self._stop(
                f"{zeros} zero bytes stand at its end, more than writers leave ({_MOST_ZEROS}): a copy that broke off "
                "and was filled up, so that members may be missing",
                True,
                if_zeros=True,
            )
        elif zeros < BLOCK:
            self.open_end = True
            self._stop("it ends without the zero blocks of an end: members may be missing", False)

    def _stop(self, damage: str, doubtful: bool, if_zeros: bool = False) -> None:
        self.damage = damage
        if doubtful and self._last is not None:
            self.doubted.append((self._last, if_zeros))

    def _entry(self, block: bytes) -> Entry | None:
        """The member that begins with this header; None after noting why there is none."""
        names: dict[str, str] = {}
        for _ in range(_MOST_EXTENSIONS):
            info = self._parsed(block)
            if info is None:
                return None
            if info.type not in {_LONG_NAME, _LONG_LINK, tarfile.XGLTYPE, *_PAX}:
                return self._member(info, block, names)
            said = self._extension(info)
            if said is None:
                return None
            if info.type in _PAX:
                names.update(_pax_records(said))
            elif info.type != tarfile.XGLTYPE:
                text = said.split(b"\0")[0].decode("utf-8", "surrogateescape")
                names["path" if info.type == _LONG_NAME else "linkpath"] = text
            block = self._read(BLOCK)
            if len(block) < BLOCK:
                self._stop("it ends between a name and its member: the archive was cut short", False)
                return None
        self._stop(f"more than {_MOST_EXTENSIONS} headers of names stand before one member", False)
        return None

    def _parsed(self, block: bytes) -> tarfile.TarInfo | None:
        where = self._at - BLOCK
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (tarfile.TarError, ValueError, OverflowError):
            is_header = block[257:262] == b"ustar"
            what = "is a header whose checksum or numbers are wrong" if is_header else "is no header"
            behind = " behind an end" if self._zeros else ""
            doubtful = not is_header and not self._zeros
            self._stop(f"the block at byte {where}{behind} {what}: what follows it is not read", doubtful)
            return None
        if info.size < 0:
            self._stop(f"{info.name} has the size {info.size}: what follows it is not read", False)
            return None
        return info

    def _extension(self, info: tarfile.TarInfo) -> bytes | None:
        if info.size > _MOST_EXTENSION_BYTES:
            self._stop(
                f"a header of {info.size} bytes at byte {self._at - BLOCK} is longer than any name", False
            )
            return None
        padded = -(-info.size // BLOCK) * BLOCK
        data = self._read(padded)
        if len(data) < info.size:
            self._stop("it ends inside the name of a member: the archive was cut short", False)
            return None
        return data[: info.size]

    def _member(self, info: tarfile.TarInfo, block: bytes, names: dict[str, str]) -> Entry | None:
        kind = "file" if info.type in _REGULAR else _KINDS.get(info.type, "other")
        if kind == "sparse file" and not self._pass_sparse_maps(block):
            return None
        sparse = any(key.startswith("GNU.sparse.") for key in names)
        size_text = names.get("size", "")
        size = int(size_text) if re.fullmatch(r"\d{1,18}", size_text) else info.size
        if info.type in _WITHOUT_DATA:
            size = 0
        name = names.get("GNU.sparse.name") or names.get("path") or info.name
        link = names.get("linkpath") or info.linkname
        return Entry(name.rstrip("/"), "sparse file" if sparse else kind, self._at, size, link)

    def _pass_sparse_maps(self, block: bytes) -> bool:
        """Old GNU tars continue the map of a sparse file in blocks of their own."""
        more, count = block[482], 0
        while more:
            following = self._read(BLOCK)
            count += 1
            if len(following) < BLOCK or count > _SPARSE_MAPS:
                self._stop("it ends inside the map of a sparse file", False)
                return False
            more = following[504]
        return True


def _pax_records(data: bytes) -> dict[str, str]:
    """`path`, `linkpath`, `size` and the like; what is no record ends them."""
    found: dict[str, str] = {}
    at = 0
    while match := _RECORD.match(data, at):
        end = at + int(match[1])
        if end <= match.end() or end > len(data):
            break
        value = data[match.end() : end - 1]
        found[match[2].decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        at = end
    return found


def is_tar(head: bytes) -> bool:
    """Whether the first block is a header of a tar, or the end of an empty one."""
    if len(head) < BLOCK:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:BLOCK], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError, OverflowError):
        return not any(head[:BLOCK])
    return True
