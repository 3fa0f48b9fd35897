"""Searching the settings of a training: what is searched (`space`), how (`samplers`), trials as runs (`study`)."""
