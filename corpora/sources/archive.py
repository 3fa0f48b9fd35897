"""What readers of archives share: safe names, refusals, the limits against bombs, the archive's own mark."""

from __future__ import annotations

from pathlib import Path

from corpora.errors import SourceError
from corpora.sources.encodings_of_names import readable_names
from corpora.sources.folder import file_stamp
from corpora.sources.names import is_litter, unsafe_name
from corpora.utterance import Rejection
from store.writing import sha256_file

MAX_RATIO = 1000  # unpacked bytes per packed byte: above it is a bomb, not speech
MAX_MEMBERS = 5_000_000  # of one archive
MAX_UNPACKED_BYTES = 4 << 40  # of one archive: more than any corpus there is


class ArchiveReader:
    """What tar and zip share.

    Attributes:
        light: no sound will be read, so none needs to be unpacked; set before the first listing.
    """

    light = False

    def __init__(self, archive: Path, label: str) -> None:
        self.archive, self.label, self.prefix = archive, label, f"{label}!/"
        self.damage: list[Rejection] = []
        self.notes: list[str] = []
        self.litter = 0
        self._stamp = file_stamp(archive.stat())
        self._sha256 = ""

    def stamp(self) -> str:
        return self._stamp

    def identity(self) -> dict[str, str | int]:
        self._sha256 = self._sha256 or sha256_file(self.archive)
        return {"name": self.label, "bytes": self.archive.stat().st_size, "sha256": self._sha256}

    def path(self, name: str) -> Path | None:
        return None

    def _refuse(self, name: str, reason: str) -> None:
        shown = readable_names([name]).get(name, name)
        self.damage.append(Rejection(f"{self.prefix}{shown}", "unsafe_member", reason))

    def _whole(self, reason: str) -> None:
        said = readable_names([reason]).get(reason, reason)
        self.damage.append(Rejection(self.label, "archive_truncated", said))

    def _tell_twin(self, name: str, kind: str) -> None:
        shown = readable_names([name]).get(name, name)
        reason = f"stands twice in the {kind} with other bytes: the later one is read, this is the earlier"
        self.damage.append(Rejection(f"{self.prefix}{shown}", "name_twice", reason))

    def _keeps(self, name: str) -> bool:
        """Check one name; refuse or count it when it must not be listed."""
        reason = unsafe_name(name)
        if reason is not None:
            self._refuse(name, reason)
        elif is_litter(name):
            self.litter += 1
        return reason is None and not is_litter(name)

    def _count(self, members: int, unpacked_bytes: int) -> None:
        """Check an archive's size as its members are listed.

        Raises:
            SourceError: it holds too many members, or they are too big together.
        """
        if members > MAX_MEMBERS:
            raise SourceError(
                f"{self.archive} holds more than {MAX_MEMBERS} members: refused, import it in parts"
            )
        if unpacked_bytes > MAX_UNPACKED_BYTES:
            raise SourceError(
                f"{self.archive} holds more than {MAX_UNPACKED_BYTES >> 30} GiB unpacked: refused, "
                "import it in parts"
            )
