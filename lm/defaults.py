"""What a language model is made of where nobody says otherwise; command, settings, form and demo take it from here.

Order 3 without pruning: what a first model should be on text of any size. `python -m lm sweep` measures whether
another order or pruning pays for a text at hand.
"""

DEFAULT_NAME = "default"
"""The model that is built where no settings file names another."""

DEFAULT_ORDER = 3
"""The longest n-gram."""

DEFAULT_PRUNE: tuple[int, ...] = ()
"""Counts up to these are dropped, per order; () keeps everything."""

SWEEP_ORDERS = (2, 3, 4, 5)
SWEEP_PRUNINGS: tuple[tuple[int, ...], ...] = ((), (0, 0, 1), (0, 1, 1))
"""What a sweep tries."""
