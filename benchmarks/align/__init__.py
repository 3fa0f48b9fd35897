"""How right alignment is: recordings joined from utterances whose text is known, with faults planted in both."""
