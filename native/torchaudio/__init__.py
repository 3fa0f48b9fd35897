"""torchaudio's `ctc_decoder` on this library: the same call, numpy arrays (or whatever has their interface) for tensors.

    from speechmill.torchaudio import ctc_decoder            # in a checkout: from native.torchaudio import …

    decoder = ctc_decoder("lexicon.txt", "tokens.txt", "lm.bin", nbest=3, lm_weight=3.23, word_score=-0.26)
    words = decoder(emissions)[0][0].words                   # [utterances, frames, tokens], logits or log-probabilities

Needs neither torch nor flashlight-text. Differences from the original are listed in docs/decoder.md.
"""

from __future__ import annotations

from .decoder import CTCDecoder, CTCHypothesis, ctc_decoder

__all__ = ["CTCDecoder", "CTCHypothesis", "ctc_decoder"]
