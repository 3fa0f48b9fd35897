"""Airflow of this checkout, started, watched and stopped: `python -m launcher start | stop | status | logs`."""
