"""Every utterance and every refusal of a published version: found, heard, seen and decided about."""
