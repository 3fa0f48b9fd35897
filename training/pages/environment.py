"""What all pages of this package share: the templates' folder, escaping, how figures are written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2

from scoring.wer import rate_name
from store.pages.environment import page_environment

DECODER_NAMES = {"greedy": "greedy", "corrected": "spell-corrected", "lm": "with language model"}
SHORT_NAMES = {"greedy": "greedy", "corrected": "corrected", "lm": "with LM"}


def environment() -> jinja2.Environment:
    """Escapes every value; an unknown name is an error."""
    made = page_environment(Path(__file__).parent / "templates")
    made.globals["decoder_names"] = DECODER_NAMES
    made.filters["rate_name"] = rate_name
    made.filters["one_of"] = one_of
    made.filters["points"] = lambda value: f"{100 * value:+.2f}".replace("-", "−")
    made.filters["figure"] = lambda value: "–" if value is None else f"{value:,.4g}"
    made.filters["chance"] = _chance
    made.filters["when"] = _when
    made.filters["width"] = lambda value: f"{min(100.0, 100 * value):.2f}"
    return made


def one_of(unit: str | None) -> str:
    """The singular of what an error rate counts: "character" or "word"."""
    return "character" if unit == "characters" else "word"


def _chance(value: float | None) -> Any:
    """A p value; its smallness is said rather than spelled out."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _when(time_s: float | None) -> str:
    """A moment in seconds since 1970 as pages write it, UTC: `2026-11-29 19:38`."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M") if time_s else "–"
