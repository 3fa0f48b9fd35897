"""Side-by-side runs against other programs: one command each, each printing ratios. Nothing imports this."""
