"""The journey on real speech: one figure after the other, each by commands alone."""
