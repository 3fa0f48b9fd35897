"""The certificate of a recording as a page: what was kept and how surely, what is not spoken, what is not written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from store.writing import write_bytes_atomic
from training.pages.environment import environment

_SHOWN = 2000  # segments on a page; the JSON holds all


def write_certificate(answer: dict[str, Any], path: Path) -> Path:
    """Render a page beside the certificate's JSON; players play the recording itself, by a relative path."""
    template = environment().get_template("certificate.html")
    sound = os.path.relpath(Path(answer["sound"]).absolute(), path.parent.absolute())
    segments = answer["segments"]
    text = template.render(
        answer=answer,
        sound=sound.replace("\\", "/"),
        segments=segments[:_SHOWN],
        more=max(0, len(segments) - _SHOWN),
        unsure=sorted(segments, key=lambda one: float(one["score"]))[:20],
        kept_s=sum(one["end_s"] - one["start_s"] for one in segments),
        clock=_clock,
    )
    write_bytes_atomic(path, text.encode())
    return path


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0.0, seconds), 60)
    return f"{int(minutes):02d}:{rest:04.1f}"
