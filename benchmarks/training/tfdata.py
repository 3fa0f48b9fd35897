"""A tf.data pipeline as one would write it: TFRecord files of samples and labels to padded batches of features.

    python -m benchmarks.training.tfdata STORE RECORDS

The sounds of the store's shards are written once as TFRecord (16-bit samples as bytes: TensorFlow decodes no FLAC),
then read in parallel, shuffled, turned into MFCC by tf.signal, and cut into padded batches of like length. Prints
seconds of speech per CPU second of the whole process, of the second pass.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from store.store import Store
from training.network.config import TrainingConfig
from training.network.features import hop_length, window_length

_BATCH = 32
_BOUNDS = (4.0, 6.0, 8.0, 10.0, 12.0, 14.0)  # seconds, of the length buckets


def write_records(store: Store, folder: Path) -> float:
    """One TFRecord file per shard; answers the hours."""
    import pyarrow.parquet as pq
    import tensorflow as tf

    from corpora.text.normaliser import default_alphabet
    from native.flac import decode

    folder.mkdir(parents=True, exist_ok=True)
    alphabet, seconds = default_alphabet(), 0.0
    for number, path in enumerate(store.corpus("bench").shard_paths("train")):
        rows = pq.read_table(path, columns=["audio", "text"]).to_pylist()
        with tf.io.TFRecordWriter(str(folder / f"{number:05d}.tfrecord")) as writer:
            for row in rows:
                samples = decode(row["audio"]["bytes"]).samples[:, 0]
                seconds += len(samples) / 16000
                labels = np.asarray(alphabet.encode(row["text"]), np.int64)
                writer.write(_example(samples, labels))
    return seconds / 3600


def _example(samples: Any, labels: Any) -> bytes:
    import tensorflow as tf

    train = tf.train
    feature = {
        "samples": train.Feature(bytes_list=train.BytesList(value=[samples.astype("<i2").tobytes()])),
        "labels": train.Feature(int64_list=train.Int64List(value=labels)),
    }
    content: bytes = train.Example(features=train.Features(feature=feature)).SerializeToString()
    return content


def pipeline(folder: Path) -> Any:
    """Batches of (features, labels)."""
    import tensorflow as tf

    config = TrainingConfig().features
    window, hop = window_length(config), hop_length(config)
    mel = tf.signal.linear_to_mel_weight_matrix(
        config.mel_filters, window // 2 + 1, config.sample_rate_hz, config.low_hz, config.sample_rate_hz / 2
    )

    def parsed(record: Any) -> Any:
        form = {"samples": tf.io.FixedLenFeature([], tf.string), "labels": tf.io.VarLenFeature(tf.int64)}
        found = tf.io.parse_single_example(record, form)
        samples = tf.cast(tf.io.decode_raw(found["samples"], tf.int16), tf.float32) / 32768.0
        spectrum = tf.abs(tf.signal.stft(samples, window, hop, window))
        logs = tf.math.log(tf.matmul(spectrum, mel) + 1e-6)
        mfcc = tf.signal.mfccs_from_log_mel_spectrograms(logs)[:, : config.coefficients]
        return mfcc, tf.sparse.to_dense(found["labels"])

    files = tf.data.Dataset.list_files(str(folder / "*.tfrecord"), shuffle=True, seed=1)
    records = files.interleave(tf.data.TFRecordDataset, num_parallel_calls=tf.data.AUTOTUNE)
    utterances = records.shuffle(1024, seed=1).map(parsed, num_parallel_calls=tf.data.AUTOTUNE)
    return utterances.bucket_by_sequence_length(
        lambda mfcc, labels: tf.shape(mfcc)[0],
        [int(one / config.hop_s) for one in _BOUNDS],
        [_BATCH] * (len(_BOUNDS) + 1),
    ).prefetch(tf.data.AUTOTUNE)


def main() -> int:
    """Write the records, pass over them twice, print what the second pass took."""
    from training.network.backends.tensorflow_step import start_tensorflow

    start_tensorflow()
    folder = Path(sys.argv[2])
    hours = write_records(Store(Path(sys.argv[1])), folder)
    batches = pipeline(folder)
    for _ in range(2):
        cpu, wall = time.process_time(), time.monotonic()
        frames = padded = 0
        for mfcc, _labels in batches:
            frames += int(np.count_nonzero(mfcc.numpy()[:, :, 0]))
            padded += mfcc.shape[0] * mfcc.shape[1]
    answer = {
        "pipeline": "tf.data", "fed_hours": round(hours, 2),
        "real_time_per_cpu_s": round(hours * 3600 / (time.process_time() - cpu), 1),
        "real_time_by_the_clock": round(hours * 3600 / (time.monotonic() - wall), 1),
        "padding": round(1 - frames / padded, 4),
    }  # fmt: skip
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
