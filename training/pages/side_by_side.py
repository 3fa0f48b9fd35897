"""The page of two models, utterance by utterance: figures and tests by test set, then what differs, with sound."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from native.errors import SpeechmillError
from scoring.wer import aligned
from store.store import Store
from store.writing import write_bytes_atomic
from training.evaluation.side_by_side import Difference, Filter, side_by_side, sound_of
from training.pages.environment import environment

MOST_SHOWN = 60
_LARGEST_SOUND = 1_500_000


def shown(
    found: dict[str, Any], most: int, sound: Callable[[Difference], str | None] | None = None
) -> dict[str, Any]:
    """What `side_by_side` found, with `html`: the part of a page that shows it. Sound is linked, or as `sound` says."""
    address = sound or _linked
    rows = [_row(one, address(one)) for one in found["rows"][:most]]
    part = {**found, "rows": rows, "differing": len(found["rows"])}
    html = environment().get_template("side_by_side_rows.html").render(found=part)
    return {**part, "html": Markup(html)}  # every value in it was escaped


def _linked(one: Difference) -> str:
    return f"/speech/sound/{quote(one.evaluation, safe='')}/{quote(one.utterance_id, safe='')}"


def _row(one: Difference, sound: str | None) -> dict[str, Any]:
    return {
        **vars(one),
        "change": one.change,
        "sound": sound,
        "words_before": aligned(one.reference, one.before),
        "words_after": aligned(one.reference, one.after),
    }


def write_side_by_side(before: str, after: str, store: Store, wanted: Filter) -> Path:
    """Write a page that needs nothing but itself to `<store>/reports/compare/<before>-<after>.html`; answers the path.

    Raises:
        DataError: they share no test set.
    """

    def inside(one: Difference) -> str | None:
        try:
            content = sound_of(store, one.evaluation, one.utterance_id)
        except SpeechmillError:
            return None
        if content is None or len(content) > _LARGEST_SOUND:
            return None
        return "data:audio/flac;base64," + base64.b64encode(content).decode()

    found = shown(side_by_side(before, after, store, wanted), MOST_SHOWN, inside)
    html = environment().get_template("side_by_side.html").render(before=before, after=after, found=found)
    path = store.reports_dir / "compare" / f"{before}-{after}.html"
    write_bytes_atomic(path, html.encode())
    return path
