"""Runs inside the environment of ctc-forced-aligner: log-probabilities and labels to their path, .npy files.

python ctc_path.py LOG_PROBS.npy LABELS.npy BLANK PATH.npy
"""

import sys
import time

import numpy as np
from ctc_forced_aligner.ctc_aligner import align_sequences

log_probs, labels = np.load(sys.argv[1]), np.load(sys.argv[2])
began_s = time.process_time()
path, _ = align_sequences(log_probs[None], labels[None], int(sys.argv[3]))
np.save(sys.argv[4], path[0])
print(time.process_time() - began_s)
