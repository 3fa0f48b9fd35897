"""The collecting branch of the error tree: what a volunteer or an admin asked for and cannot have."""

from __future__ import annotations

from native.errors import SpeechmillError


class CollectError(SpeechmillError):
    """A failure of the service or of one of its commands.

    Attributes:
        status: the HTTP status that the web answers with.
    """

    exit_status = 2
    status = 400


class SettingsError(CollectError):
    """A setting that cannot be used; names the setting and its value."""


class NotFoundError(CollectError):
    """A campaign, sentence, clip, invite or admin that does not exist."""

    status = 404


class ForbiddenError(CollectError):
    """Something that this voice or admin may not do, such as judging one's own clip."""

    status = 403


class ConflictError(CollectError):
    """Something that was done already, or that contradicts what was done."""

    status = 409


class TooLargeError(CollectError):
    """An upload, a form or a text beyond its limit; names the limit."""

    status = 413


class TooManyError(CollectError):
    """More calls than the limit for a voice or an address allows; `retry_after_s` says when to come back."""

    status = 429

    def __init__(self, message: str, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageError(CollectError):
    """The disk is full or cannot be written: nothing was acknowledged; try again later."""

    exit_status = 1
    status = 507


class RefusedSoundError(CollectError):
    """An upload that is not a recording a browser makes; `check` is the name that is counted.

    Attributes:
        check: `undecodable`, `wrong_type` or `too_long`.
    """

    status = 422

    def __init__(self, check: str, message: str) -> None:
        super().__init__(message)
        self.check = check
