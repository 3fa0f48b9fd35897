"""Stores on S3-compatible storage: places, the working copy, the lock between machines, push and pull."""
