"""What can go wrong with released models, beside the errors of training itself."""

from __future__ import annotations

from training.errors import TrainingError


class ReleaseError(TrainingError):
    """A model cannot be made, found, trusted or put in force; says which and what to do."""

    exit_status = 2


class ModelNotFoundError(ReleaseError):
    """No such model in the store, or none released."""


class ExportError(TrainingError):
    """A form of a network does not compute what the network computes, or cannot be written."""
