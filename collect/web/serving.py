"""uvicorn on 127.0.0.1, one process; behind nginx for everything but a try on one's own machine."""

from __future__ import annotations

import socket

from collect.errors import CollectError
from collect.settings import Settings

HOST = "127.0.0.1"


def serve(settings: Settings, port: int) -> int:
    """Run until stopped.

    Raises:
        CollectError: the port is taken.
    """
    import uvicorn

    from collect.web.app import create_app

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CollectError(
                f"port {port} of {HOST} is taken ({error.strerror}): choose another with --port"
            ) from error
    app = create_app(settings)
    uvicorn.run(
        app, host=HOST, port=port, log_level="warning", proxy_headers=True, forwarded_allow_ips=HOST, server_header=False,
        timeout_keep_alive=20, h11_max_incomplete_event_size=32_768,
    )  # fmt: skip
    return 0
