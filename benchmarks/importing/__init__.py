"""Imports side by side: ours beside the flows people use today, on the same archives, CPU time."""
