"""Puts the *Speech* pages into the Airflow UI: an entry in the navigation and a tab on every DAG run.

Every Airflow process, each task too, loads this file: it must stay light. The pages themselves are made only in
the api-server, when it asks for them (speech_pages.py).
"""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class SpeechPlugin(AirflowPlugin):  # type: ignore[misc]
    """Mounts the pages and shows them."""

    name = "speechmill_speech"
    external_views = [  # noqa: RUF012
        {
            "name": "Speech",
            "href": "/speech/",
            "destination": "nav",
            "url_route": "speech",
            "nav_top_level": True,
        },
        {
            "name": "Report",
            "href": "/speech/run?dag_id={DAG_ID}&run_id={RUN_ID}",
            "destination": "dag_run",
            "url_route": "speech-report",
        },
    ]

    @property
    def listeners(self) -> list[Any]:
        """Whoever must hear how runs end: the other DAGs, the list of runs, a person; and that a part begins."""
        import diary
        import failed_refreshes
        import sturdy

        return [failed_refreshes, diary, sturdy]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """The application under /speech."""
        from speech_pages import app

        return [{"app": app, "url_prefix": "/speech", "name": "speech"}]
