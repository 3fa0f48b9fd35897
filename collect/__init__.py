"""The recording and listening service: volunteers read sentences aloud, listen to each other and vote.

What is accepted is written as a snapshot that the importer `campaign` reads. This package imports neither Airflow
nor TensorFlow; only `checks/doubt_worker.py`, a process of its own, asks a trained network.
"""
