"""What recognising costs: the whole engine beside the bare network, at the widths that matter."""
