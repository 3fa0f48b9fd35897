"""What can go wrong between text and a language model, each as one sentence for the person who runs it.

Every error says the value, the place and the likely mistake. Exit statuses follow the command line's table:
2 means "your input or command cannot be used", 1 means "a step failed although the input looked usable".
"""

from __future__ import annotations

from native.errors import SpeechmillError


class LanguageModelError(SpeechmillError):
    """The root of everything that this package raises."""

    exit_status = 1


class LanguageModelUsageError(LanguageModelError):
    """The command or the settings ask for what cannot be (unknown corpus, bad order, no text)."""

    exit_status = 2


class TextSourceError(LanguageModelError):
    """A text file is missing, damaged, a Git LFS pointer, or not text."""

    exit_status = 2


class EmptyTextError(LanguageModelError):
    """After cleaning nothing is left that a model could be estimated from."""

    exit_status = 2


class ToolMissingError(LanguageModelError):
    """One of KenLM's programs is not where it should be."""

    exit_status = 2


class ToolFailedError(LanguageModelError):
    """One of KenLM's programs stopped; the sentence holds its own last words."""


class ResourceError(LanguageModelError):
    """Too little disk or memory for the sort."""


class VerificationError(LanguageModelError):
    """A published model is incomplete, damaged, or its parts do not belong together."""
