"""Networks of any width with random weights, as ONNX files: their speed is that of trained ones.

What they say is noise, which would make the search slower than it is; `Costly` therefore pays for the wide network and
answers with what a trained one says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.network.features import Float
from training.network.model import NetworkShape
from training.release.graph import NetworkWeights, network_graph
from training.runtime.network import BatchNetwork, ForwardNetwork, open_network
from training.runtime.package import Package


def random_network(shape: NetworkShape, package: Package, int8: bool) -> bytes:
    """The ONNX file of an untrained network that takes the package's front end."""
    generator = np.random.default_rng(1)
    n, wide = shape.n_hidden, shape.widest
    both = 2 if shape.bidirectional else 1

    def values(*size: int) -> Float:
        limit = (6.0 / sum(size)) ** 0.5
        return generator.uniform(-limit, limit, size).astype(np.float32)

    arrays: dict[str, Float] = {}
    for name, rows, columns in (
        ("dense1", shape.inputs, n),
        ("dense2", n, n),
        ("dense3", n, wide),
        ("dense5", both * n, n),
        ("output", n, shape.labels),
    ):
        arrays |= {f"{name}/kernel": values(rows, columns), f"{name}/bias": np.zeros(columns, np.float32)}
    for name in ("lstm4_forward", "lstm4_backward")[:both]:
        arrays |= {
            f"{name}/lstm_cell/kernel": values(wide, 4 * n),
            f"{name}/lstm_cell/recurrent_kernel": values(n, 4 * n),
            f"{name}/lstm_cell/bias": np.zeros(4 * n, np.float32),
        }
    mean = np.zeros(shape.coefficients, np.float32)
    facts = {
        "labels": list(package.labels),
        "front_end": vars(package.features),
        "lookahead": shape.lookahead,
        "mean": mean.tolist(),
    }
    weights = NetworkWeights(
        arrays, mean, np.full_like(mean, 3.0), 20.0, shape.context, shape.lookahead, facts
    )
    return network_graph(weights, int8, streaming=not shape.bidirectional)


class Costly(BatchNetwork):
    """Runs a network for its cost and a trained one for its answer."""

    def __init__(self, wide: Path, trained: Path) -> None:
        super().__init__(trained)
        self._wide: BatchNetwork | ForwardNetwork = open_network(wide)

    def log_probs(self, stretches: Sequence[Float]) -> list[Float]:
        """Of the trained one."""
        self._wide.log_probs(stretches)
        return super().log_probs(stretches)
