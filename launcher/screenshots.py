"""Pictures of the running Airflow for README and docs: python -m launcher.screenshots [--out docs/images].

A headless Chromium, driven through chromedriver's own HTTP interface, logs in with the form and looks at the pages.
Airflow must be up (make airflow-start) and should have run the chain; nothing is changed by looking.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from launcher.home import Api, Home
from launcher.lifecycle import look
from store.writing import write_bytes_atomic

WIDTH, HEIGHT = 1500, 950
LIMIT_S = 30.0
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window of a headless Chromium."""

    def __init__(self, driver_url: str, base_url: str, more: tuple[str, ...] = ()) -> None:
        self._client = httpx.Client(base_url=driver_url, trust_env=False, timeout=120)
        self._base_url = base_url
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *more]
        options: dict[str, Any] = {"args": [*arguments, f"--window-size={WIDTH},{HEIGHT}"]}
        binary = shutil.which("chromium") or shutil.which("google-chrome")
        if binary:
            options["binary"] = binary
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        answer = self._client.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
        if "sessionId" not in answer:
            raise SystemExit(f"the browser does not start: {answer.get('message')}")
        self._session = f"/session/{answer['sessionId']}"

    def close(self) -> None:
        """End the browser."""
        self._client.delete(self._session)

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call of the WebDriver interface."""
        url = self._session + path
        response = self._client.get(url) if body is None else self._client.post(url, json=body)
        value = response.json()["value"]
        if response.is_error:
            raise SystemExit(f"the browser cannot do {path}: {value.get('message')}")
        return value

    def visit(self, path: str) -> None:
        """Open a page of Airflow."""
        self.call("/url", {"url": self._base_url + path})

    def run(self, script: str) -> Any:
        """The value of a script in the page."""
        return self.call("/execute/sync", {"script": script, "args": []})

    def wait_for(self, text: str, settle_s: float = 1.5) -> None:
        """Wait until the page (or a frame in it) shows a text, then a little for pictures and lines."""
        script = """
            const texts = [document.body.innerText];
            for (const frame of document.querySelectorAll('iframe')) {
              try {
                texts.push(frame.contentDocument.body.innerText);
                for (const inner of frame.contentDocument.querySelectorAll('iframe'))
                  texts.push(inner.contentDocument.body.innerText);
              } catch (error) {}
            }
            return texts.join('\\n');"""
        deadline_s = time.monotonic() + LIMIT_S
        while text.lower() not in str(self.run(script)).lower():
            if time.monotonic() > deadline_s:
                raise SystemExit(f"{self.call('/url')} does not show {text!r} after {LIMIT_S:.0f} s")
            time.sleep(0.3)
        time.sleep(settle_s)

    def type_into(self, selector: str, text: str) -> None:
        """Type into the first element that fits."""
        found = self.call("/element", {"using": "css selector", "value": selector})
        self.call(f"/element/{found[ELEMENT]}/value", {"text": text})

    def press(self, selector: str) -> None:
        """Click the first element that fits."""
        found = self.call("/element", {"using": "css selector", "value": selector})
        self.call(f"/element/{found[ELEMENT]}/click", {})

    def save(self, path: Path) -> None:
        """The window as a PNG file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("/screenshot")))


@contextlib.contextmanager
def browser(base_url: str, more: tuple[str, ...] = ()) -> Iterator[Browser]:
    """A browser with a driver of its own on a free port; `more` are switches of Chromium."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    driver = shutil.which("chromedriver")
    if driver is None:
        raise SystemExit("chromedriver is missing: apt-get install chromium-driver")
    process = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(100):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}/status", trust_env=False)
                break
            time.sleep(0.1)
        window = Browser(url, base_url, more)
        try:
            yield window
        finally:
            window.close()
    finally:
        process.terminate()
        process.wait()


def log_in(window: Browser, user: str, password: str) -> None:
    """Through the form, like a person."""
    window.visit("/")
    window.wait_for("Sign")
    window.type_into("input[name=username]", user)
    window.type_into("input[name=password]", password)
    window.press("button[type=submit]")
    window.wait_for("Dags")


@dataclass(frozen=True)
class Picture:
    """A page, a text that shows that it is complete, and a button with the text it leads to, where one is to be pressed."""

    name: str
    path: str
    shows: str
    button: str = ""
    then: str = ""


def pictures(api: Api) -> Iterator[Picture]:
    """What is pictured, of what there is."""
    yield Picture("dags", "/dags", "data_quality")
    assets = {asset["name"]: asset["id"] for asset in api.get("/api/v2/assets")["assets"]}
    yield Picture("assets", f"/assets/{assets['corpora']}", "evaluation")
    yield Picture("form", "/dags/corpus_refresh", "Trigger", "Trigger", "allowed roots")
    for dag_id, task in (("corpus_refresh", "settle"), ("retrain", "evaluate")):
        query = "?state=success&order_by=-start_date&limit=20"
        runs = api.get(f"/api/v2/dags/{dag_id}/dagRuns{query}")["dag_runs"]
        trained = [run for run in runs if task_state(api, dag_id, run["dag_run_id"], task) == "success"]
        if not trained:
            raise SystemExit(
                f"no run of {dag_id} has gone through {task} yet; run the chain first (make demo)"
            )
        run_page = f"/dags/{dag_id}/runs/{quote(trained[0]['dag_run_id'])}"
        yield Picture(f"{dag_id}_graph", run_page, task)
        yield Picture(f"{dag_id}_report", f"{run_page}/plugin/speech-report", "utterances")
    yield from speech_pictures(api)


def speech_pictures(api: Api) -> Iterator[Picture]:
    """The pages of *Speech*."""
    yield Picture("speech", "/plugin/speech", "Evaluations")
    corpora = [one for one in api.get("/speech/api/corpora") if "error" not in one]
    if corpora:
        largest = max(corpora, key=lambda one: (one["utterances"], one["name"]))
        yield Picture("corpus", f"/speech/report?name={quote(largest['report'])}", "Refused, and why")
        yield Picture("utterances", f"/speech/utterances/#corpus={quote(largest['name'])}", "as CSV")
    measured = [one for one in api.get("/speech/api/evaluations") if one.get("lm_wer") is not None]
    if measured:
        chosen = max(measured, key=lambda one: (one["utterances"], one["id"]))
        yield Picture("evaluation", f"/speech/report?name={quote(chosen['report'])}", "Worst")
        yield Picture("training", f"/speech/training/{chosen['run']}", "dev")
        yield Picture("lineage", f"/speech/lineage?of={quote('evaluation:' + chosen['id'])}", "Made of")
    yield Picture("models", "/speech/models", "Decisions")
    yield Picture("try", "/speech/try/", "model")
    asked = api.get("/api/v2/dags/promote/dagRuns/~/hitlDetails?limit=50")["hitl_details"]
    for one in [one for one in asked if not one.get("response_received")][:1]:
        task = one["task_instance"]
        page = f"/dags/promote/runs/{quote(task['dag_run_id'])}/tasks/ask/required_actions"
        yield Picture("promote", page, "test set")


def press_button(window: Browser, text: str) -> None:
    """Click the first button that shows a text."""
    said = json.dumps(text)
    window.run(
        f"[...document.querySelectorAll('button')].find((one) => one.innerText.includes({said})).click()"
    )


def task_state(api: Api, dag_id: str, run_id: str, task_id: str) -> str:
    """State of a task (of its last square when it is mapped) in a run."""
    path = f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances"
    states = {one["task_id"]: one["state"] for one in api.get(path)["task_instances"]}
    return str(states.get(task_id))


def shrink(path: Path) -> None:
    """Write a picture anew with 256 colours of its own: a third of the bytes, and no eye sees it on a page."""
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    written = io.BytesIO()
    small.save(written, "PNG", optimize=True)
    write_bytes_atomic(path, written.getvalue())


def main() -> int:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description="pictures of the running Airflow")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    status = look(Home.of(os.environ))
    if not status["running"]:
        raise SystemExit("Airflow is not running: make airflow-start")
    api = Api(status["port"])
    api.log_in(status["user"], status["password"])
    with browser(status["url"]) as window:
        log_in(window, status["user"], status["password"])
        for one in pictures(api):
            view = "graph" if one.name.endswith("_graph") else "grid"
            window.run(f"localStorage.setItem('default_dag_view', JSON.stringify('{view}'))")
            window.visit(one.path)
            window.wait_for(one.shows, settle_s=3.0)
            if one.button:
                press_button(window, one.button)
                window.wait_for(one.then, settle_s=2.0)
            window.save(options.out / f"{one.name}.png")
            shrink(options.out / f"{one.name}.png")
            print(options.out / f"{one.name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
