"""What can go wrong between shards and a measured network.

    SpeechmillError
      TrainingError          exit 1   something inside the stage failed
        ConfigError          exit 2   the TOML names an unknown key or an impossible value
        DataError            exit 2   a corpus, a split or a feature folder cannot be trained or evaluated on
        RunNotFoundError     exit 2   no such run, or it holds no checkpoint
        CheckpointError      exit 1   a checkpoint is broken or belongs to another network
        DivergedError        exit 1   the loss stayed non-finite
        DispatchError        exit 1   a job could not be handed over, found or stopped
        OpError              exit 1   the TensorFlow op is missing or of another TensorFlow

Does not define decoder or corpus errors: those are raised by `native` and `corpora`.
"""

from __future__ import annotations

from native.errors import SpeechmillError


class TrainingError(SpeechmillError):
    """Root of this package's errors."""


class ConfigError(TrainingError):
    """A configuration file is unreadable, names an unknown key or holds an impossible value."""

    exit_status = 2


class DataError(TrainingError):
    """The utterances asked for do not exist or cannot be used."""

    exit_status = 2


class RunNotFoundError(TrainingError):
    """The run does not exist in the store, or has no checkpoint yet."""

    exit_status = 2


class CheckpointError(TrainingError):
    """A checkpoint cannot be read or does not fit the network."""


class DivergedError(TrainingError):
    """Too many batches in a row gave a non-finite loss."""


class DispatchError(TrainingError):
    """A job could not be submitted, polled or cancelled."""


class OpError(TrainingError):
    """The TensorFlow op cannot be loaded; names the versions and what mends it."""
