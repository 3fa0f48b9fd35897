"""The collecting branch of the error tree: what a volunteer or an admin asked for and cannot have."""

from __future__ import annotations

from typing import Any

from native.errors import SpeechmillError


class CollectError(SpeechmillError):
    """A failure of the service or of one of its commands.

    Args:
        template: the sentence in English, with {places}; the files of texts/ translate it by this very sentence.
        values: what fills the places.

    Attributes:
        status: the HTTP status that the web answers with.
    """

    exit_status = 2
    status = 400

    def __init__(self, template: str, **values: Any) -> None:
        super().__init__(template.format(**values) if values else template)
        self.template, self.values = template, values


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

    def __init__(self, template: str, retry_after_s: int = 60, **values: Any) -> None:
        super().__init__(template, **values)
        self.retry_after_s = retry_after_s


class UnusableSentenceError(CollectError):
    """A sentence that cannot be read aloud here; `check` is the name that is counted (`unusable_…` in the texts)."""

    def __init__(self, check: str, reason: str) -> None:
        super().__init__(reason)
        self.check = check


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
