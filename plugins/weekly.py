"""A weekly time that is never made up for.

Airflow's own cron timetable starts the missed run at once when a DAG is unpaused. This one looks forward
only: a time that passed while the DAG was paused or Airflow was stopped is gone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable

# A run that is due is made by the scheduler within seconds; the DAG files may be read in between.
TOLERANCE = timedelta(minutes=2)


class ForwardCronTimetable(CronTriggerTimetable):
    """Runs at the times of a cron expression, none of them in the past."""

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next run; see the base class."""
        import pendulum

        info = super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
        now: Any = pendulum.now("UTC")
        if info is None or info.run_after is None or info.run_after >= now - TOLERANCE:
            return info
        upcoming = self._align_to_next(now)
        return DagRunInfo.interval(upcoming - self._interval, upcoming)


class WeeklyPlugin(AirflowPlugin):  # type: ignore[misc]
    """Makes the timetable known to Airflow."""

    name = "speechmill_weekly"
    timetables = [ForwardCronTimetable]  # noqa: RUF012
