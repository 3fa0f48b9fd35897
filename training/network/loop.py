"""The training loop: batches in, checkpoints and a state file out.

Counted in steps, seeded, deterministic on one machine; killed at any point, a second call goes on from the
last checkpoint with the very next batch. A batch whose loss or gradient is not finite is named, set aside
and passed over. One process on one machine; handing a run to a cluster is `dispatch/`.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoring.wer import count_errors
from training.decoding.acoustic import LogProbabilities, Network, greedy_texts
from training.errors import CheckpointError, DataError, DivergedError
from training.network.augment import augment
from training.network.batches import Plan, PlannedBatch, PlanOptions
from training.network.checkpoint import assign_arrays, newest_checkpoint, save_best, save_checkpoint
from training.network.config import TrainingConfig, identity
from training.network.dataset import Batch, Dataset
from training.network.features import Whitening, whitening_of
from training.network.step import StepFunction
from training.run_state import RunState

if TYPE_CHECKING:
    from native import Alphabet

log = logging.getLogger(__name__)
_LOG_EVERY_S = 5.0
_AHEAD = 4  # batches prepared while the network computes


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from and is measured on; `whitening` defaults to that of the training set."""

    train: Dataset
    dev: Dataset
    alphabet: Alphabet
    whitening: Whitening | None = None


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended: dev error rates are fractions, None when there is no dev utterance."""

    run: str
    path: Path
    steps: int
    dev_wer: float | None
    best_dev_wer: float | None


def train(
    config: TrainingConfig, data: TrainingData, run_dir: Path, state: RunState | None = None
) -> TrainingResult:
    """Train, or go on training, in `run_dir`; `state` is the open state file, made here when not given.

    Raises:
        DataError: there is nothing to learn from.
        DivergedError: more than `max_bad_batches` batches gave a non-finite loss.
        CheckpointError: the directory holds checkpoints of another configuration.
    """
    if len(data.train) == 0:
        raise DataError(f"no utterance to learn from is left; left out: {data.train.left_out or 'none'}")
    (run_dir / "checkpoints").mkdir(parents=True, exist_ok=True)
    if state is None:
        with RunState(run_dir, run_dir.name) as own:
            return train(config, data, run_dir, own)
    trainer = _Trainer(config, data, run_dir, state)
    trainer.restore()
    return trainer.run()


class _Trainer:
    """One run in progress."""

    def __init__(self, config: TrainingConfig, data: TrainingData, run_dir: Path, state: RunState) -> None:
        self.config, self.data, self.run_dir, self.state = config, data, run_dir, state
        self.checkpoints = run_dir / "checkpoints"
        loop = config.loop
        options = PlanOptions(
            loop.batch_size, loop.batch_frames, loop.bucket_batches, loop.sorted_first_epoch
        )
        self.plan = Plan(data.train.frames, config.seed, options)
        self.steps = loop.steps or self.plan.total_steps(loop.epochs)
        whitening = data.whitening or whitening_of(data.train.values)
        self.network = Network.create(config, whitening, tuple(data.alphabet.labels))
        self.step_function = StepFunction(self.network, config.optimiser, self.steps)
        self.probabilities = LogProbabilities(self.network)
        self.step, self.epoch = 0, 0
        self.dev_wer: float | None = None
        self.best: float | None = None
        self.bad_batches: list[dict[str, Any]] = []
        state.update(steps=self.steps)

    def restore(self) -> None:
        """Continue from the newest readable checkpoint, if there is one."""
        checkpoint = newest_checkpoint(self.checkpoints)
        if checkpoint is None:
            return
        if checkpoint.meta["identity"] != identity(self.config):
            raise CheckpointError(
                f"{self.checkpoints}: made with another configuration; train elsewhere or remove it"
            )
        assign_arrays("model", self.network.model.variables, checkpoint)
        assign_arrays("optimiser", self.step_function.variables, checkpoint)
        meta = checkpoint.meta
        self.step, self.epoch = checkpoint.step, int(meta["epoch"])
        self.dev_wer, self.best = meta["dev_wer"], meta["best_dev_wer"]
        self.bad_batches = list(meta["bad_batches"])
        self.state.update(step=self.step, epoch=self.epoch, dev_wer=self.dev_wer, best_dev_wer=self.best)
        log.info("going on from the checkpoint of step %d of %d", self.step, self.steps)

    def run(self) -> TrainingResult:
        """All steps from the current one to the last."""
        self._announce()
        progress = _Progress(self.step, self.steps)
        saved_at = time.monotonic()
        for planned, batch in progress.waits(_prepared(self.plan.batches(self.step), self)):
            if self.step >= self.steps:
                break
            self.epoch = planned.epoch
            progress.add(self._learn(planned, batch), batch)
            self.step = planned.step + 1
            last_of_epoch = planned.last_of_epoch or self.step == self.steps
            self.state.update(step=self.step, epoch=self.epoch, eta_s=progress.eta_s(self.step))
            progress.log_now_and_then(self.step, self.epoch, force=last_of_epoch)
            if last_of_epoch:
                self._end_epoch()
            stopping = self.state.stop_requested.is_set()
            if last_of_epoch or stopping or time.monotonic() - saved_at > self.config.loop.checkpoint_every_s:
                save_checkpoint(self.checkpoints, self._checkpoint(), self.config.loop.keep_checkpoints)
                saved_at = time.monotonic()
            if stopping and self.step < self.steps:
                raise KeyboardInterrupt(f"asked to stop after step {self.step}")
        return TrainingResult(self.run_dir.name, self.run_dir, self.step, self.dev_wer, self.best)

    def _announce(self) -> None:
        train, dev = self.data.train, self.data.dev
        log.info(
            "train: %d utterances, %.2f hours; dev: %d utterances; %d weights; %d steps",
            len(train), train.hours, len(dev), self.network.model.count_params(), self.steps,
        )  # fmt: skip
        for reason, count in train.left_out.items():
            log.info("left out of training: %d x %s", count, reason)

    def _learn(self, planned: PlannedBatch, batch: Batch) -> float:
        """One step; NaN when the batch was set aside."""
        loss, norm, gradients = self.step_function.gradients(batch)
        if math.isfinite(loss) and math.isfinite(norm):
            self.step_function.apply(gradients, planned.step)
            return loss
        ids = [self.data.train.utterance_ids[int(index)] for index in planned.utterances]
        self.bad_batches.append({"step": planned.step, "utterance_ids": ids})
        log.warning("step %d: the loss is not finite; batch set aside: %s", planned.step, ", ".join(ids))
        if len(self.bad_batches) > self.config.loop.max_bad_batches:
            raise DivergedError(
                f"{len(self.bad_batches)} batches with a non-finite loss by step {planned.step}; the last: "
                f"{', '.join(ids[:5])} …; lower optimiser.learning_rate or set optimiser.clip_norm"
            )
        return math.nan

    def _end_epoch(self) -> None:
        every = self.config.loop.dev_every_epochs
        last = self.step == self.steps
        if len(self.data.dev) == 0 or not (last or (every and (self.epoch + 1) % every == 0)):
            return
        texts = greedy_texts(self.probabilities, self.data.dev, self.data.alphabet)
        self.dev_wer = count_errors(self.data.dev.texts, texts).wer
        log.info("epoch %d, step %d: dev greedy WER %.2f %%", self.epoch + 1, self.step, 100 * self.dev_wer)
        self.state.update(dev_wer=self.dev_wer)
        if self.best is None or self.dev_wer < self.best:
            self.best = self.dev_wer
            self.state.update(best_dev_wer=self.best)
            save_best(self.checkpoints, self._checkpoint())

    def _checkpoint(self) -> Any:
        meta = {
            "identity": identity(self.config),
            "step": self.step,
            "epoch": self.epoch,
            "dev_wer": self.dev_wer,
            "best_dev_wer": self.best,
            "bad_batches": self.bad_batches,
        }
        return self.network.checkpoint(meta, self.step_function.variables)


def _prepared(planned: Iterator[PlannedBatch], trainer: _Trainer) -> Iterator[tuple[PlannedBatch, Batch]]:
    """Batches cut, whitened and augmented by a thread, a few ahead of the network."""
    ready: queue.Queue[Any] = queue.Queue(_AHEAD)
    stop = threading.Event()
    config, data, whitening = trainer.config, trainer.data.train, trainer.network.whitening

    def put(item: Any) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for one in planned:
                batch = augment(data.batch(one.rows, whitening), config.augment, config.seed, one.step)
                if not put((one, batch)):
                    return
        except BaseException as error:  # handed to the consumer, raised there
            put(error)

    threading.Thread(target=work, name="batches", daemon=True).start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()


class _Progress:
    """Speed, smoothed loss, time spent waiting for batches and time left, logged now and then."""

    def __init__(self, first_step: int, steps: int) -> None:
        self._first, self._steps = first_step, steps
        self._started = self._logged = time.monotonic()
        self._losses: list[float] = []
        self._frames = 0
        self._waited_s = 0.0
        self._after_first = 0.0  # the first step traces the functions and says nothing about speed

    def waits(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The same batches; counts how long each is waited for."""
        while True:
            begun = time.monotonic()
            batch = next(batches)
            self._waited_s += time.monotonic() - begun
            yield batch

    def add(self, loss: float, batch: Batch) -> None:
        """A step was done."""
        self._after_first = self._after_first or time.monotonic()
        if math.isfinite(loss):
            self._losses.append(loss)
        self._frames += int(batch.lengths.sum())

    def eta_s(self, step: int) -> float | None:
        """Seconds left at the speed so far, None while it is unknown."""
        done = step - self._first - 1
        if done < 1:
            return None
        return round((time.monotonic() - self._after_first) / done * (self._steps - step), 1)

    def log_now_and_then(self, step: int, epoch: int, force: bool) -> None:
        """One line, at most every few seconds unless forced."""
        now = time.monotonic()
        if not force and now - self._logged < _LOG_EVERY_S:
            return
        loss = sum(self._losses) / len(self._losses) if self._losses else math.nan
        elapsed = max(1e-9, now - self._started)
        log.info(
            "epoch %d, step %d/%d, loss %.3f, %.0f frames/s, input-bound %.1f %%, %s left",
            epoch + 1, step, self._steps, loss, self._frames / elapsed, 100 * self._waited_s / elapsed,
            "?" if self.eta_s(step) is None else f"{self.eta_s(step):.0f} s",
        )  # fmt: skip
        self._logged = now
        self._losses.clear()
