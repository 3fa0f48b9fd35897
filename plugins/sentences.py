"""What a task says to a person: one sentence in the words of the form, kept where the run's page finds it.

A task wrapped in `told` that fails by an error of ours writes the sentence into its log without a traceback, and
leaves it as the XCom *sentence*; the reason of a skip as *skipped*. The pages and the notes of runs read those.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from typing import Any, TypeVar

log = logging.getLogger(__name__)
SENTENCE, SKIPPED = "sentence", "skipped"
Function = TypeVar("Function", bound=Callable[..., Any])
# What the errors say to a shell → what stands in the form; the more particular first.
_FORM_WORDS = (
    (r"`?python -m corpora refresh (\w+)[^;.`]*(--source \S+)?`?", r"choose \1 as *Importer*"),
    (r"with --source\b", "in the field *Sources*"),
    (r"--source\b", "the field *Sources*"),
    (r"--as\b", "the field *Name*"),
    (r"--donation\b", "the field *Donation file*"),
    (r"--parts\b", "parts (the field *Parts to download first*)"),
    (r"--workers\b", "the field *Workers*"),
    (r"--([a-z]+(?:-[a-z]+)*)", r"\1 (in *Options of the importer*)"),
)  # fmt: skip


def form_words(sentence: str) -> str:
    """The sentence with the names of form fields where it names flags of the command line."""
    for flag, field in _FORM_WORDS:
        sentence = re.sub(flag, field, sentence)
    return sentence


def told(function: Function) -> Function:
    """The function of a task, its failures and skips said in a sentence."""

    @functools.wraps(function)
    def task(*arguments: Any, **named: Any) -> Any:
        from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

        from native.errors import SpeechmillError

        try:
            return function(*arguments, **named)
        except AirflowSkipException as skip:
            log.info("nothing to do: %s", skip)
            _keep(SKIPPED, str(skip))
            raise
        except (AirflowFailException, SpeechmillError) as error:
            sentence = form_words(str(error))
        raise _failed(sentence)

    return task  # type: ignore[return-value]


def _failed(sentence: str) -> BaseException:
    """What ends the task in red: without a traceback, but for a mapped one, whose name only an exception keeps."""
    from airflow.sdk import get_current_context
    from airflow.sdk.exceptions import AirflowException

    log.error("%s", sentence)
    _keep(SENTENCE, sentence)
    mapped = getattr(get_current_context()["ti"], "map_index", -1) >= 0
    return AirflowException(sentence) if mapped else SystemExit(1)


def _keep(key: str, text: str) -> None:
    from airflow.sdk import get_current_context

    get_current_context()["ti"].xcom_push(key=key, value=text)
