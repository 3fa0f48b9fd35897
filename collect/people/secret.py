"""Secrets and the time, in one place: what is kept of a secret is its hash."""

from __future__ import annotations

import hashlib
import secrets
import time

DAY_S = 86_400.0


def now_s() -> float:
    """Unix time in seconds."""
    return time.time()


def new_secret() -> str:
    """256 random bits, fit for a URL or a cookie."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is kept of a secret or a text: SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()
