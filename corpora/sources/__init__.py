"""Folders, tar and zip archives and S3 prefixes as one read-only view with safe names; start in opening.py."""
