"""Regular expressions of donors, run in a child process with a time limit: a pattern may run for ever.

Python's `re` cannot be stopped in a thread; a child can. One child answers for all names of an archive.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence

from corpora.errors import SourceError

LIMIT_S = 20.0
MAX_PATTERN = 1000
_CHILD = """
import json, re, sys
pattern, texts = json.load(sys.stdin)
found = (re.compile(pattern).search(text) for text in texts)
json.dump([None if match is None else match.groupdict() for match in found], sys.stdout)
"""


def compile_error(pattern: str) -> str:
    """Why a pattern is no regular expression (or too long), or ""."""
    if len(pattern) > MAX_PATTERN:
        return f"{len(pattern)} characters, at most {MAX_PATTERN}"
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return ""


def search_all(
    pattern: str, texts: Sequence[str], limit_s: float = LIMIT_S
) -> list[dict[str, str | None] | None]:
    """The named groups of the first match in every text, None where there is none.

    Raises:
        SourceError: it took longer than the limit.
    """
    if not texts:
        return []
    command = [sys.executable, "-I", "-S", "-c", _CHILD]
    request = json.dumps([pattern, list(texts)])
    try:
        done = subprocess.run(
            command,
            input=request,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=True,
            encoding="utf-8",
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            f"the pattern {pattern!r} took more than {limit_s:.0f} s over {len(texts)} names: write it without "
            "nested repetition"
        ) from error
    except subprocess.CalledProcessError as error:
        raise SourceError(f"the pattern {pattern!r} failed: {error.stderr.strip()[-200:]}") from error
    answer: list[dict[str, str | None] | None] = json.loads(done.stdout)
    return answer
