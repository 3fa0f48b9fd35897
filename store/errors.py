"""The store's branch of the error tree: what is asked for and not there, and what cannot be written or read."""

from __future__ import annotations

from corpora.errors import CorporaError


class UsageError(CorporaError):
    """A command that asks for something which does not exist or does not fit together."""

    exit_status = 2


class NotPublishedError(CorporaError):
    """A name or version that the store does not hold; names what it does hold."""

    exit_status = 2


class StoreError(CorporaError):
    """The store cannot be written or read: disk full, no permission, damaged file."""
