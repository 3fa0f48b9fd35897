"""Names of members: which ones are unsafe, which are litter, which are archives."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f]")


def unsafe_name(name: str) -> str | None:
    """Why a member's name must not be used, or None."""
    if not name or name.startswith(("/", "\\")) or re.match(r"^[A-Za-z]:", name):
        return "absolute name"
    if ".." in name.replace("\\", "/").split("/"):
        return "name climbs out of the archive with '..'"
    if _CONTROL.search(name):
        return "control character in the name"
    return None


def is_litter(name: str) -> bool:
    """Files that operating systems and unpackers leave behind."""
    return LITTER.search(name) is not None


LITTER = re.compile(
    r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\.complete(d)?$|\.git/)", re.IGNORECASE
)


ARCHIVE = re.compile(r"\.(?:tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst)|zip|zip\.001)$", re.IGNORECASE)


_LATER_PART = re.compile(r"\.zip\.(?!001)\d{3}$", re.IGNORECASE)


_SUMS = re.compile(r"(?:\.(?:md5|sha1|sha256)|(?:md5|sha1|sha256)sums?(?:\.txt)?)$", re.IGNORECASE)


SOUND = re.compile(
    r"\.(?:wav|wave|bwf|rf64|w64|flac|mp[1-3]|mpa|ogg|og[avx]|opus|spx|sph|nist|aif[fc]?|au|snd|m4[abrv]|aac|wm[av]|asf|amr"
    r"|awb|e?ac3|dts|caf|mka|mp4|mkv|mov|web[ma]|m?2?ts|m2t|mts|mpe?g|vob|mxf|avi|3g[p2a]|f[l4]v|tta|wv|ape|voc|ra|rm)$",
    re.IGNORECASE,
)
