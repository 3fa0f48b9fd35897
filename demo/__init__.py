"""The demonstration: speech spoken by a synthesiser, packed in true corpus layouts, run through the chain.

Does not hold any stage of the chain itself: it only makes input and shows what the chain answers.
"""
