"""Visitors and volunteers who use the service as a browser does: cookies of their own, the token of the page."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any

from collect_sounds import voice, wav
from fastapi.testclient import TestClient

PASSWORD = "a long password"


class Browser:
    """A visitor with cookies of its own and the token of the page it opened last."""

    def __init__(self, app: Any) -> None:
        self.client = TestClient(app, follow_redirects=False)
        self.csrf = ""

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        found = re.search(r'(?:name="csrf" value="|"csrf": ")([0-9a-f]{64})"', answer.text)
        self.csrf = found.group(1) if found else self.csrf
        return answer

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.client.post(path, data={"csrf": self.csrf, **(data or {})}, **more)

    def call(self, method: str, path: str, body: Any = None, content: bytes | None = None) -> Any:
        headers = {"x-csrf-token": self.csrf}
        if content is not None:
            headers["content-type"] = "application/octet-stream"
            return self.client.request(method, path, content=content, headers=headers)
        return self.client.request(method, path, json=body, headers=headers)


class Volunteer(Browser):
    """A browser that has joined the campaign `harbour`."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        page = self.get("/c/harbour")
        text = re.search(r'name="text_id" value="(\d+)"', page.text)
        assert text is not None, page.text
        answer = self.post("/c/harbour/join", {"text_id": text.group(1), "agree": "yes", "secret": ""})
        assert answer.status_code == 303, answer.text
        self.get("/c/harbour/speak")

    def tasks(self, count: int = 5) -> list[dict[str, Any]]:
        answer = self.call("POST", f"/api/c/harbour/tasks?count={count}")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["sentences"]
        return found

    def send(self, sentence: int, data: bytes, take: str | None = None) -> Any:
        """Upload and finish; answers the last response."""
        take = take or str(uuid.uuid4())
        for at in range(0, len(data), 65_536):
            piece = data[at : at + 65_536]
            answer = self.call("PATCH", f"/api/c/harbour/takes/{take}?offset={at}", content=piece)
            if answer.status_code != 200:
                return answer
        said = {"sentence": sentence, "sha256": hashlib.sha256(data).hexdigest()}
        return self.call("POST", f"/api/c/harbour/takes/{take}/finish", said)

    def speak(self, seed: int, take: str | None = None) -> str:
        """Record the next sentence well; answers the clip's id."""
        take = take or str(uuid.uuid4())
        answer = self.send(self.tasks(1)[0]["id"], wav(voice(seed)), take)
        assert answer.json()["state"] == "waiting", answer.text
        return take

    def vote(self, clip: str, yes: bool, reason: str = "", words: tuple[int, ...] = ()) -> Any:
        body: dict[str, Any] = {"yes": yes, "reason": reason, "words": list(words)}
        return self.call("POST", f"/api/c/harbour/clips/{clip}/votes", body)
