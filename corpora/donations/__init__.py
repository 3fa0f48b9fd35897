"""Donated archives: their description (donation.toml), pairing sound with text, and what waits until somebody decides."""
