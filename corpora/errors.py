"""The corpora branch of the error tree: each class says which exit status the command ends with."""

from __future__ import annotations

from typing import Any

from native.errors import SpeechmillError


class CorporaError(SpeechmillError):
    """A failure while archives become a corpus."""


class SourceError(CorporaError):
    """A source that is missing, unreadable, empty or not an archive; names the file."""

    exit_status = 2


class GateRefusedError(CorporaError):
    """The corpus was built but the gate refused it: nothing was published."""

    exit_status = 3


class NothingImportedError(CorporaError):
    """The source is readable but nothing in it may or can be published.

    Attributes:
        waits: the corpus whose recordings wait in quarantine for the times of their text; "" where none do.
        summary: what a refresh answers otherwise, with `path` to every reason; None where nothing was looked at.
    """

    exit_status = 3
    waits = ""
    summary: dict[str, Any] | None = None


class NeedsDonationError(NothingImportedError):
    """A donated archive whose text is not found by itself: somebody has to say where it stands.

    Attributes:
        name: what the archive would be published as. draft: a donation.toml to fill in; "" where there is one.
    """

    def __init__(self, sentence: str, name: str, draft: str) -> None:
        super().__init__(sentence)
        self.name, self.draft = name, draft


class TextRefusedError(CorporaError):
    """A listener's correction that could not be published: the normaliser or a check refuses it."""

    exit_status = 2


class BalanceError(CorporaError):
    """Input items are not the sum of accepted, rejected and ignored ones: a fault of ours."""


class AudioError(CorporaError):
    """One recording that cannot be trusted; `check` is the rejection it becomes.

    Attributes:
        check: the name of the check, for example `audio_truncated`.
    """

    def __init__(self, check: str, reason: str) -> None:
        super().__init__(reason)
        self.check = check
