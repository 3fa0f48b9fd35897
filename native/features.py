"""The front end in C++: samples -> mel cepstra, the frames a network hears.

    frames of `window` samples every `hop`, periodic Hann window, zeros up to a power of two -> magnitude spectrum
    -> triangular mel filters from `low_hz` to half the rate -> natural log (+1e-6) -> DCT-II scaled by
    1/sqrt(2 * filters) -> the first `coefficients`

A frame's numbers depend on its own samples alone: one call or many, pieces or the whole, any thread, any processor
give the same bits. Samples are read in place and the GIL is released. Does not resample, add context or whiten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from . import _core

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Samples = npt.NDArray[np.int16] | npt.NDArray[np.float32]
    Cepstra = npt.NDArray[np.float32]

__all__ = ["FrontEnd", "FrontEndOptions", "FrontEndStream"]


@dataclass(frozen=True)
class FrontEndOptions:
    """What makes frames of samples.

    Attributes:
        sample_rate_hz: 1 to 768,000.
        window: samples of a frame, 4 to 65,536.
        hop: samples from one frame to the next, from 1 on.
        filters: 1 to 512.
        low_hz: lower edge of the lowest filter, from 0 to less than half the rate.
        coefficients: 1 to `filters`.
    """

    sample_rate_hz: int
    window: int
    hop: int
    filters: int
    low_hz: float
    coefficients: int


class FrontEnd:
    """The tables of one set of options; any number of threads may use it at once.

    Args:
        portable: do without vector instructions, for tests: it changes no bit.

    Raises:
        ValueError: an option outside its range, by name.
    """

    def __init__(self, options: FrontEndOptions, *, portable: bool = False) -> None:
        self.options = options
        self._core = _core.FrontEnd(**asdict(options), portable=portable)

    def frames(self, samples: int) -> int:
        """Whole windows in so many samples (0 or more)."""
        return self._core.frames(samples)

    def cepstra(self, samples: Samples) -> Cepstra:
        """Float32 `[frames, coefficients]` of mono samples `[n]`, int16 (1/32768 each) or float32.

        What is not finite in the samples makes its frames not finite.

        Raises:
            TypeError: another type, or a strided view. ValueError: not mono.
        """
        return self._core.cepstra([samples])[0]

    def cepstra_many(self, sounds: Sequence[Samples]) -> list[Cepstra]:
        """`cepstra` of each sound, in one call."""
        return self._core.cepstra(sounds)

    def stream(self) -> FrontEndStream:
        """One for a sound that comes in pieces."""
        return FrontEndStream(_core.FrontEndStream(self._core))


class FrontEndStream:
    """The frames of a sound that comes in pieces: the same as of the whole. Made by `FrontEnd.stream`."""

    def __init__(self, core: _core.FrontEndStream) -> None:
        self._core = core

    def feed(self, samples: npt.NDArray[np.float32]) -> Cepstra:
        """Float32 `[frames, coefficients]`: the frames that these samples, float32 `[n]`, complete."""
        return self._core.feed(samples)
