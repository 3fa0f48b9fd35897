"""Notices to people: what happened that somebody should know, sent by webhook or e-mail."""
