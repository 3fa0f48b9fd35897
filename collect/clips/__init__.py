"""Recordings after their checks: taking them in, sharing them out to listeners, votes, withdrawal."""
