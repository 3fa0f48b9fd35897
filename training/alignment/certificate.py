"""The certificate of a recording as a page: what was kept and how surely, what is not spoken, what is not written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from store.writing import write_bytes_atomic
from training.pages.environment import environment

_SHOWN = 2000  # segments on a page; the JSON holds all


def write_certificate(answer: dict[str, Any], path: Path) -> Path:
    """Render a page beside the certificate's JSON; players play the recording itself, by a relative path.

    Sound and text are called by their names there; where they lie stands in the JSON.
    """
    template = environment().get_template("certificate.html")
    sound = os.path.relpath(Path(answer["sound"]).absolute(), path.parent.absolute())
    segments = answer["segments"]
    text = template.render(
        answer={**answer, **_by_name(answer)},
        sound=sound.replace("\\", "/"),
        segments=segments[:_SHOWN],
        more=max(0, len(segments) - _SHOWN),
        unsure=sorted(segments, key=lambda one: float(one["score"]))[:20],
        kept_s=sum(one["end_s"] - one["start_s"] for one in segments),
        clock=_clock,
    )
    write_bytes_atomic(path, text.encode())
    return path


def _by_name(answer: dict[str, Any]) -> dict[str, str]:
    """Sound, text and problem as readers of a page know them: without the folders of the machine that made it."""
    paths = [Path(answer[key]) for key in ("sound", "text")]
    said = {"sound": paths[0].name, "text": paths[1].name}
    if "problem" in answer:
        said["problem"] = answer["problem"]
        for path in paths:
            said["problem"] = said["problem"].replace(str(path), path.name)
    return said


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0.0, seconds), 60)
    return f"{int(minutes):02d}:{rest:04.1f}"
