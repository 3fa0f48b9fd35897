"""The archives that anyone may download: parts, addresses, published sizes and checksums.

Two corpora are free to fetch without an agreement: LibriSpeech (with its mini edition) and TED-LIUM, both on
OpenSLR (SLR12, SLR31, SLR7, SLR19, SLR51). Sizes and MD5 sums of SLR12 are those of the publisher's lists
(older pressings had other sizes), the SHA-256 sums of TED-LIUM those that torchaudio pins. Where nothing was
published (mini LibriSpeech) the archive's own CRC is all there is to compare. This module only lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store.errors import UsageError

_OPENSLR = "https://www.openslr.org/resources"


@dataclass(frozen=True)
class FreeArchive:
    """One archive that can be fetched.

    Attributes:
        part: what `--parts` calls it.
        url: where it lies.
        digest: `md5:…` or `sha256:…` in hex, or None where the publisher states none.
        size_bytes: the published size; None = unknown.
    """

    part: str
    url: str
    digest: str | None
    size_bytes: int | None

    @property
    def file_name(self) -> str:
        """The last piece of the address."""
        return self.url.rsplit("/", 1)[1]


def _librispeech(part: str, size_bytes: int, md5: str) -> FreeArchive:
    return FreeArchive(part, f"{_OPENSLR}/12/{part}.tar.gz", f"md5:{md5}", size_bytes)


def _mini(part: str) -> FreeArchive:
    return FreeArchive(part, f"{_OPENSLR}/31/{part}.tar.gz", None, None)


def _tedlium(release: int, place: str, sha256: str) -> FreeArchive:
    return FreeArchive(f"release{release}", f"{_OPENSLR}/{place}", f"sha256:{sha256}", None)


FREE_ARCHIVES: dict[str, tuple[FreeArchive, ...]] = {
    "librispeech": (
        _librispeech("dev-clean", 337926286, "42e2234ba48799c1f50f24a7926300a1"),
        _librispeech("test-clean", 346663984, "32fa31d27d2e1cad72775fee3f4849a9"),
        _librispeech("dev-other", 314305928, "c8d0bcc9cca99d4f8b62fcc847357931"),
        _librispeech("test-other", 328757843, "fb5a50374b501bb3bac4815ee91d3135"),
        _librispeech("train-clean-100", 6387309499, "2a93770f6d5c6c964bc36631d331a522"),
        _librispeech("train-clean-360", 23049477885, "c0e676e450a7ff2f54aeade5171606fa"),
        _librispeech("train-other-500", 30593501606, "d1a0fd59409feb2c614ce4d30c387708"),
        _mini("dev-clean-2"),
        _mini("train-clean-5"),
    ),
    "tedlium": (
        _tedlium(
            1,
            "7/TEDLIUM_release1.tar.gz",
            "30301975fd8c5cac4040c261c0852f57cfa8adbbad2ce78e77e4986957445f27",
        ),
        _tedlium(
            2,
            "19/TEDLIUM_release2.tar.gz",
            "93281b5fcaaae5c88671c9d000b443cb3c7ea3499ad12010b3934ca41a7b9c58",
        ),
        _tedlium(
            3,
            "51/TEDLIUM_release-3.tgz",
            "ad1e454d14d1ad550bc2564c462d87c7a7ec83d4dc2b9210f22ab4973b9eccdb",
        ),
    ),
}


def free_archives(importer: str, parts: Sequence[str]) -> tuple[FreeArchive, ...]:
    """The archives of those parts, in the order of the table.

    Raises:
        UsageError: the corpus is not free to download, or it has no such part; says what there is.
    """
    table = FREE_ARCHIVES.get(importer)
    if table is None:
        raise UsageError(
            f"{importer} cannot be downloaded: its owner hands it over under an agreement; free to download "
            f"are {', '.join(FREE_ARCHIVES)}"
        )
    known = {archive.part for archive in table}
    unknown = [part for part in parts if part not in known]
    if unknown or not parts:
        asked = f"no part {', '.join(unknown)}" if unknown else "parts to choose from"
        raise UsageError(f"{importer} has {asked}; there are: {_offer(table)}")
    return tuple(archive for archive in table if archive.part in parts)


def _offer(table: Sequence[FreeArchive]) -> str:
    sizes = (f" ({a.size_bytes / 1e9:.1f} GB)" if a.size_bytes else "" for a in table)
    return ", ".join(f"{archive.part}{size}" for archive, size in zip(table, sizes, strict=True))
