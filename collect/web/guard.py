"""What every call passes: size of its body, calls by address, the token against forged forms, headers of the answer.

Plain ASGI, so that a body is counted while it arrives and refused before it is read whole.
"""

from __future__ import annotations

import hmac
import re
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collect.errors import CollectError, ForbiddenError, TooLargeError
from collect.people.secret import new_secret
from collect.web.services import VISITOR, Services

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_CHUNK = re.compile(r"^/api/c/[^/]+/takes/[^/]+$")
_FILES = re.compile(r"^/admin/(c/[^/]+/sentences|campaigns)$")
_SAFE = {"GET", "HEAD", "OPTIONS"}
_SECRET = re.compile(r"[A-Za-z0-9_-]{40,60}")
_COOKIE_LIFE_S = 400 * 24 * 3600


class Guard:
    """The middleware."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app, self.services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or answer it with why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        visitor = cookie_parser(headers.get("cookie", "")).get(VISITOR, "")
        fresh = "" if _SECRET.fullmatch(visitor) else new_secret()
        scope.setdefault("state", {})["visitor"] = fresh or visitor

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(scope, MutableHeaders(scope=message), fresh)
            await send(message)

        try:
            address = (scope.get("client") or ("unknown", 0))[0]
            self.services.rates.spend(
                "address", str(address), self.services.settings.limits.calls_per_address
            )
            body = await self._checked_body(scope, headers, receive, visitor)
        except CollectError as error:
            from collect.web.answers import refusal

            await refusal(scope, error)(scope, receive, answer)
            return
        await self.app(scope, body, answer)

    async def _checked_body(self, scope: Scope, headers: Headers, receive: Receive, visitor: str) -> Receive:
        if scope["method"] in _SAFE:
            return receive
        limit = self._limit(scope["path"])
        _refuse_other_origin(scope, headers)
        data = await _read(receive, headers, limit)
        given = headers.get("x-csrf-token") or _field(headers, data)
        if not visitor or not hmac.compare_digest(given.encode(), self.services.csrf(visitor).encode()):
            raise ForbiddenError("this page is too old or was opened elsewhere: load it again and repeat")
        return _replay(data, receive)

    def _limit(self, path: str) -> int:
        limits = self.services.settings.limits
        if _CHUNK.match(path):
            return limits.chunk_bytes
        return limits.text_file_bytes if _FILES.match(path) else limits.form_bytes


def _add_headers(scope: Scope, headers: MutableHeaders, fresh: str) -> None:
    for name, value in HEADERS.items():
        headers[name] = value
    if "cache-control" not in headers:
        headers["cache-control"] = "no-store"
    if fresh and scope["method"] == "GET":
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        headers.append(
            "set-cookie",
            f"{VISITOR}={fresh}; Path=/; HttpOnly; SameSite=Lax; Max-Age={_COOKIE_LIFE_S}{secure}",
        )


def _refuse_other_origin(scope: Scope, headers: Headers) -> None:
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host", ""):
        raise ForbiddenError("this call comes from a page of another site")


async def _read(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The whole body.

    Raises:
        TooLargeError: it is, or says it is, larger than the limit.
    """
    stated = headers.get("content-length", "0")
    if not stated.isdigit() or int(stated) > limit:
        raise TooLargeError("this may have {limit} bytes", limit=limit)
    data = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CollectError("the connection ended early")
        data += message.get("body", b"")
        if len(data) > limit:
            raise TooLargeError("this may have {limit} bytes", limit=limit)
        if not message.get("more_body"):
            return bytes(data)


def _field(headers: Headers, data: bytes) -> str:
    """The token of a plain form, or of a form with files (there it is the first field)."""
    kind = headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        try:
            return parse_qs(data.decode("utf-8"), max_num_fields=100).get("csrf", [""])[0]
        except (UnicodeDecodeError, ValueError):
            return ""
    if kind.startswith("multipart/form-data"):
        found = re.match(rb'--[^\r\n]{1,80}\r\n[^\r\n]*name="csrf"\r\n\r\n([0-9a-f]{64})\r\n', data)
        return found.group(1).decode() if found else ""
    return ""


def _replay(data: bytes, rest: Receive) -> Receive:
    """The body once more, then whatever else the connection says."""
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return await rest()
        sent = True
        return {"type": "http.request", "body": data, "more_body": False}

    return receive
