"""Airflow measured, and an Airflow of its own for whoever measures or kills it."""
