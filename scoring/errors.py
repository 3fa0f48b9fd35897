"""The error of scoring; its root is `native.errors.SpeechmillError`."""

from __future__ import annotations

from native.errors import SpeechmillError


class ScoringError(SpeechmillError):
    """Transcripts that cannot be read or do not belong together; names file, line or utterance, and what mends it."""

    exit_status = 2
