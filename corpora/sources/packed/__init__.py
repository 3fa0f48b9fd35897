"""Folders whose sound is packed into shards: Parquet files with an Audio column, and lhotse's Shar."""
