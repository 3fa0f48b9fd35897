"""The stage of one corpus: plan.py → groups.py (by workers.py or dask_workers.py) → seal.py; stage.py is all of it."""
