"""Sound files → verified int16 samples: one module per idea, `last.open_recording` on top.

recording.py  what decoding gives      decoding.py, films.py, long.py  who decodes      containers.py  what a header promises
clip.py       a stretch of it          measures.py, fingerprint.py     what it measures
"""
