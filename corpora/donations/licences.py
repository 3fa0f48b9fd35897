"""Which licences let a copy be passed on, and which of two gives more rights.

What the store may hold and what may leave it are two questions. Only names are judged (SPDX identifiers), and only
the best known; what is not on the lists is taken as forbidden. What an archive says of itself is a claim: it may
narrow rights, never widen them. This is a guard against mistakes, not legal advice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Free to pass on, changed or not, some with attribution or under the same licence. ND and "agreement" ones are not.
_MAY_PASS_ON = re.compile(
    r"(CC0|CC-BY|CC-BY-SA|PDDL|ODC-By|ODbL|MIT|Apache|BSD-[23]-Clause|0BSD|CC-PDDC|CC-BY-NC|CC-BY-NC-SA)(-[\d.]+)?"
    r"|LicenseRef-(public-domain|PublicDomain|AN4)"
)
# How far licences go: the first pattern that fits decides, 0 where none does.
_RIGHTS = (
    (r"CC0|CC-PDDC|PDDL|0BSD|Unlicense|LicenseRef-public-?domain", 5),
    (r"CC-BY(-\d|$)|ODC-By|MIT|Apache|BSD", 4),
    (r"CC-BY-SA|ODbL|GPL|LGPL|MPL", 3),
    (r"CC-BY-ND", 2),
    (r"CC-BY-NC", 1),
)


def may_pass_on(licence: str) -> bool:
    """Whether works under that licence may be passed on in another form."""
    return _MAY_PASS_ON.fullmatch(licence.strip()) is not None


def kept_back(manifest: Mapping[str, Any]) -> list[str]:
    """Licences in a corpus (its manifest) under which it may not be passed on; "the donor" where the donor forbids it."""
    found = [licence for licence in sorted(manifest.get("licences", {})) if not may_pass_on(licence)]
    return (
        [*found, "the donor (may_redistribute = false)"]
        if manifest.get("may_redistribute") is False
        else found
    )


def rights(licence: str) -> int:
    """0 (unknown or none) to 5 (public domain)."""
    return next((rank for pattern, rank in _RIGHTS if re.match(pattern, licence.strip(), re.IGNORECASE)), 0)


def widens(claimed: str, known: str) -> bool:
    """Whether `claimed` would give rights that `known` does not give."""
    return claimed.strip() != known.strip() and rights(claimed) > rights(known)
