"""Which licences let a copy be passed on; what the store may hold and what may leave it are two questions.

Only names are judged (SPDX identifiers), and only the best known; what is not on the list is taken as
forbidden. This is a guard against mistakes, not legal advice.
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
