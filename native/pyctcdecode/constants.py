"""Defaults of the search, by the names that programs import."""

from __future__ import annotations

import math

DEFAULT_ALPHA = 0.5
DEFAULT_BETA = 1.5
DEFAULT_UNK_LOGP_OFFSET = -10.0
DEFAULT_BEAM_WIDTH = 100
DEFAULT_HOTWORD_WEIGHT = 10.0
DEFAULT_PRUNE_LOGP = -10.0
DEFAULT_PRUNE_BEAMS = False
DEFAULT_MIN_TOKEN_LOGP = -5.0
DEFAULT_SCORE_LM_BOUNDARY = True

AVG_TOKEN_LEN = 6
"""Letters of a usual word; an unknown beginning that is longer costs more."""

MIN_TOKEN_CLIP_P = 1e-15
"""No label is less probable than this."""

LOG_BASE_CHANGE_FACTOR = 1.0 / math.log10(math.e)
"""KenLM speaks log10, the search natural logarithms."""
