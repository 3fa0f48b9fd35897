"""References and hypotheses → error rates, and how sure they are; anybody's transcripts, as NIST's sclite scores them.

    python -m scoring score --ref REF --hyp HYP [--json] [--page PAGE]

Reads TRN, STM, CTM, SegLST/JSON and plain text, aligns through `native`, writes sclite's reports, JSON and a page.
Decodes nothing, needs no store.
"""
