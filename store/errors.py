"""The store's branch of the error tree: what is asked for and not there, and what cannot be written or read.

The root of the tree, `SpeechmillError`, stands in `native.errors`, which imports nothing.
"""

from __future__ import annotations

from native.errors import SpeechmillError


class UsageError(SpeechmillError):
    """A command that asks for something which does not exist or does not fit together."""

    exit_status = 2


class NotPublishedError(SpeechmillError):
    """A name or version that the store does not hold; names what it does hold."""

    exit_status = 2


class StoreError(SpeechmillError):
    """The store cannot be written or read: disk full, no permission, damaged file."""
