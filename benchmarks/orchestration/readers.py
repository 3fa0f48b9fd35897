"""Readers at once: everybody looks at the pages for half a minute without a pause, and nobody may get an error."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import httpx

from benchmarks.orchestration.own_airflow import OwnAirflow, ended, refresh

_FOR_S, _TIMEOUT_S = 30.0, 60.0
PAGES = (
    "/speech/",
    "/speech/api/overview",
    "/speech/utterances/",
    "/speech/models",
    "/api/v2/dags",
    "/api/v2/dags/corpus_refresh/dagRuns",
)


def reader_figures(own: OwnAirflow, readers: int) -> dict[str, Any]:
    """Requests, errors and seconds by page, over a store with a published corpus, its page, and a run.

    A refresh works meanwhile, so that pages and tasks share the database.
    """
    with own.running() as (status, airflow):
        airflow.unpause(["corpus_refresh"])
        ended(airflow, refresh(airflow, own.tree, "first"))
        beside = refresh(airflow, own.tree, "beside")
        token = httpx.post(
            f"{status['url']}/auth/token",
            json={"username": status["user"], "password": status["password"]},
            trust_env=False,
        ).json()["access_token"]
        answers = asyncio.run(_read(status["url"], token, readers))
        state = ended(airflow, beside)["state"]
    errors = Counter(f"{page} {said}" for page, said, _ in answers if said != "200")
    wrong = [f"{what}: {count} times" for what, count in errors.items()]
    if state != "success":
        wrong.append(f"the refresh beside is {state}")
    by_page = {page: sorted(took for at, _, took in answers if at == page) for page in PAGES}
    return {
        "readers": readers,
        "requests": len(answers),
        "requests_per_s": round(len(answers) / _FOR_S, 1),
        "p50_s": {page: round(took[len(took) // 2], 2) for page, took in by_page.items() if took},
        "p95_s": {page: round(took[len(took) * 95 // 100], 2) for page, took in by_page.items() if took},
        "wrong": wrong,
    }


async def _read(url: str, token: str, readers: int) -> list[tuple[str, str, float]]:
    """(page, status or error, seconds) of every request."""
    limits = httpx.Limits(max_connections=readers)
    headers = {"Authorization": f"Bearer {token}"}
    answers: list[tuple[str, str, float]] = []
    until_s = time.monotonic() + _FOR_S
    async with httpx.AsyncClient(
        base_url=url, headers=headers, limits=limits, timeout=_TIMEOUT_S, trust_env=False
    ) as client:

        async def one(number: int) -> None:
            while time.monotonic() < until_s:
                page, begun_s = PAGES[number % len(PAGES)], time.monotonic()
                try:
                    said = str((await client.get(page)).status_code)
                except httpx.HTTPError as error:
                    said = type(error).__name__
                answers.append((page, said, time.monotonic() - begun_s))
                number += 1

        await asyncio.gather(*(one(number) for number in range(readers)))
    return answers
