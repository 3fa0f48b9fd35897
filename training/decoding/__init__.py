"""A trained network in use: log-probabilities, texts by each decoder, the decoder's weights."""
