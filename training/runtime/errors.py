"""What can go wrong between a sound and its text."""

from __future__ import annotations

from training.errors import TrainingError


class SoundError(TrainingError):
    """A file cannot be heard: missing, damaged, cut short, or without a sound track."""


class ModelMismatchError(TrainingError):
    """A package, a language model or a network do not belong together, or are of another version."""

    exit_status = 2
