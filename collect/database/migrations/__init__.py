"""Migrations by Alembic, one file each."""
