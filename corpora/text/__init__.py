"""Raw transcripts → text in the alphabet of their language, or the reason why not; start in normaliser.py."""
