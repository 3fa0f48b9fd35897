"""The service behind a real nginx with TLS, by the configuration of the docs: secure cookies, the caller's address."""

from __future__ import annotations

import contextlib
import re
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from postgresql_server import free_port

from demo.collecting.service import Service, running

CONFIGURATION = Path(__file__).resolve().parents[2] / "docs" / "nginx-collect.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (package nginx-light)"),
]


def configured(folder: Path, service: Service, plain: int, secure: int) -> Path:
    """The file of the docs with this test's ports and certificate, inside the frame that Debian puts round it."""
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=voices.example.org",
            "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"),
        ],
        capture_output=True, check=True,
    )  # fmt: skip
    text = CONFIGURATION.read_text("utf-8")
    for before, after in (
        ("127.0.0.1:8090", f"127.0.0.1:{service.port}"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{secure} ssl;"),
        ("/etc/ssl/voices.example.org/fullchain.pem", str(folder / "cert.pem")),
        ("/etc/ssl/voices.example.org/privkey.pem", str(folder / "key.pem")),
    ):
        assert before in text
        text = text.replace(before, after)
    version = subprocess.run([str(NGINX), "-v"], capture_output=True, text=True, check=True).stderr
    number = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    if number < (1, 25, 1):  # the directive came then; before, it was a word of `listen`
        text = text.replace("    http2 on;\n", "").replace(" ssl;\n", " ssl http2;\n", 1)
    temporary = "".join(
        f"{kind}_temp_path {folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    frame = f"pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{text}}}\n"
    path = folder / "nginx.conf"
    path.write_text(frame)
    return path


def test_the_configuration_of_the_docs_serves_people(tmp_path: Path) -> None:
    text = tmp_path / "s.txt"
    text.write_text("The sailor sold ten boats.\n")
    service = Service(tmp_path / "collect", tmp_path / "store")
    service.command("campaign", "harbour", "--open", "--text", str(text), "--source", "our own")
    plain, secure = free_port(), free_port()
    with running(service):
        path = configured(tmp_path, service, plain, secure)
        process = subprocess.Popen([str(NGINX), "-c", str(path), "-g", "daemon off;"])
        try:
            client = httpx.Client(
                base_url=f"https://127.0.0.1:{secure}", verify=ssl._create_unverified_context(), trust_env=False,
                headers={"host": "voices.example.org"},
            )  # fmt: skip
            for _ in range(100):
                with contextlib.suppress(httpx.TransportError):
                    client.get("/health")
                    break
                time.sleep(0.1)
            moved = httpx.get(
                f"http://127.0.0.1:{plain}/c/harbour", headers={"host": "voices.example.org"}, trust_env=False
            )
            assert (
                moved.status_code == 301
                and moved.headers["location"] == "https://voices.example.org/c/harbour"
            )
            page = client.get("/c/harbour")
            assert page.status_code == 200 and "max-age" in page.headers["strict-transport-security"]
            assert all("Secure" in one for one in page.headers.get_list("set-cookie"))
            found = [re.search(rf'name="{name}" value="(\w+)"', page.text) for name in ("csrf", "text_id")]
            form = {"csrf": found[0].group(1), "text_id": found[1].group(1), "agree": "yes"}  # type: ignore[union-attr]
            origin = {"origin": "https://voices.example.org"}
            client.cookies.set("visitor", client.cookies["visitor"], domain="127.0.0.1")
            joined = client.post("/c/harbour/join", data=form, headers=origin)
            assert joined.status_code == 303 and "Secure" in joined.headers["set-cookie"], joined.text
            assert (
                client.post(
                    "/c/harbour/join", data=form, headers={"origin": "https://evil.example"}
                ).status_code
                == 403
            )
            assert client.post("/c/harbour/join", content=b"x" * (10 << 20)).status_code == 413
        finally:
            process.terminate()
            process.wait()
