"""Places by URL: what is one, the fsspec file system behind it, and what its library raises as one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from native.errors import SpeechmillError
from store.errors import StoreError

MARK = "shared.json"
"""The file that makes a folder the working copy of a shared store."""


def is_remote(path: Path | str) -> bool:
    """Whether a source or store is named by a URL."""
    return isinstance(path, str) and "://" in path


def as_place(text: str) -> Path | str:
    """A path, or the URL as it is: `Path` would swallow a slash of it."""
    return text.rstrip("/") if "://" in text else Path(text)


@contextmanager
def explain(url: str, error_class: type[SpeechmillError] = StoreError) -> Iterator[None]:
    """Turn what the libraries raise into one sentence: missing credentials, bucket or object, no network.

    Raises:
        StoreError, or whichever error of ours is asked for.
    """
    try:
        yield
    except SpeechmillError:
        raise
    except Exception as error:
        name, said = type(error).__name__, str(error).splitlines()[0] if str(error) else ""
        if "Credential" in name or "credential" in said.lower():
            cause = "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        elif isinstance(error, ImportError):
            cause = f"a library for such places is missing: {said}"
        elif isinstance(error, FileNotFoundError) or "NoSuchBucket" in said or "NoSuchKey" in said:
            cause = "no such bucket or object; check the name"
        elif isinstance(error, PermissionError) or "Forbidden" in said or "AccessDenied" in said:
            cause = "access denied; check the credentials and the bucket's policy"
        else:
            cause = f"{name}: {said}"
        raise error_class(f"{url} cannot be reached ({cause})") from error


def file_system(url: str, error_class: type[SpeechmillError] = StoreError) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it. Listings are never cached."""
    import fsspec

    with explain(url, error_class):
        found, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return found, str(path).rstrip("/")
