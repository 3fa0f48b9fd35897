"""The training loop: batches in, checkpoints and a state file out.

Counted in steps, seeded, deterministic on one machine; killed at any point, a second call goes on from the
last checkpoint with the very next batch. An utterance whose loss or gradient is not finite is named and set
aside for good; the others of its batch are learnt. One process on one machine; handing a run to a cluster
is `dispatch/`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoring.wer import count_errors, rate_name, unit_of
from training.decoding.acoustic import LogProbabilities, Network, greedy_texts
from training.errors import CheckpointError, DataError, DivergedError
from training.network.augment import augment
from training.network.backends import Step, start_backend, step_of
from training.network.backends.optimiser import learning_rate
from training.network.batches import PlannedBatch, PlanOptions, Position
from training.network.blame import SetAside, rows_of
from training.network.checkpoint import (
    Checkpoint,
    assign_arrays,
    means_in_place,
    newest_checkpoint,
    save_best,
)
from training.network.config import TrainingConfig, identity
from training.network.curves import Curves, write_worst
from training.network.dataset import Batch, Dataset
from training.network.features import Whitening
from training.network.feed.ahead import Ahead
from training.network.feed.sources import Fed, MemorySource, Source, Span
from training.network.model import start_output
from training.network.progress import Progress
from training.network.saving import Saver
from training.network.transfer import freeze, start_from, whitening_of_start
from training.network.workers.cluster import ALONE, Cluster
from training.run_state import RunState

if TYPE_CHECKING:
    from native import Alphabet

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from and is measured on.

    `whitening` defaults to that of `start`, the network to start from, else to that of the training set.
    """

    train: Dataset | Source
    dev: Dataset
    alphabet: Alphabet
    whitening: Whitening | None = None
    start: Checkpoint | None = None

    @property
    def source(self) -> Source:
        """What gives the batches."""
        return MemorySource(self.train) if isinstance(self.train, Dataset) else self.train


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended: dev error rates are fractions, None when there is no dev utterance."""

    run: str
    path: Path
    steps: int
    dev_wer: float | None
    best_dev_wer: float | None


def train(
    config: TrainingConfig,
    data: TrainingData,
    run_dir: Path,
    state: RunState | None = None,
    cluster: Cluster = ALONE,
) -> TrainingResult:
    """Train, or go on training, in `run_dir`; `state` is the open state file, made here when not given.

    With a cluster every one of its processes calls this; the chief writes.

    Raises:
        DataError: there is nothing to learn from.
        DivergedError: more than `max_bad_batches` batches in a row could not be learnt, or none at all.
        CheckpointError: the directory holds checkpoints of another configuration.
    """
    if len(data.train) == 0:
        left_out = "; ".join(data.source.left_out.lines()) or "none"
        raise DataError(f"no utterance to learn from is left; left out: {left_out}")
    (run_dir / "checkpoints").mkdir(parents=True, exist_ok=True)
    if state is None:
        with RunState(run_dir, run_dir.name) as own:
            return train(config, data, run_dir, own, cluster)
    start_backend(config.loop.backend, config.loop.threads, needed=True)
    if cluster.world > 1:
        with cluster.scope():
            trainer = _Trainer(config, data, run_dir, state, cluster)
    else:
        trainer = _Trainer(config, data, run_dir, state, cluster)
    return trainer.run()


class _Trainer:
    """One run in progress."""

    def __init__(
        self, config: TrainingConfig, data: TrainingData, run_dir: Path, state: RunState, cluster: Cluster
    ) -> None:
        self.config, self.data, self.run_dir, self.state = config, data, run_dir, state
        self.cluster = cluster
        self.checkpoints = run_dir / "checkpoints"
        self.saver = Saver(self.checkpoints, config.loop.keep_checkpoints)
        self.source = data.source
        loop = config.loop
        options = PlanOptions(
            loop.batch_size, loop.batch_frames, loop.bucket_batches, loop.sorted_first_epoch
        )
        found = self._resumable()
        self.plan = self.source.plan(config.seed, options)
        self.steps = int(found.meta["steps"]) if found else loop.steps or self.plan.total_steps(loop.epochs)
        self.network = self._network(found)
        self.step_function = self._step_function()
        self.probabilities = LogProbabilities(self.network)
        self.position = Position()
        self.dev_wer: float | None = None
        self.best: float | None = None
        self.best_step: int | None = None
        self.bad_batches: list[dict[str, Any]] = []
        self.bad_in_a_row = self.learnt = 0
        self.set_aside = SetAside(run_dir, cluster.rank)
        if found:
            self._restore(found)
        state.update(steps=self.steps)

    def _network(self, found: Checkpoint | None) -> Network:
        """The network of this run before its first step, or with room for the weights that were found."""
        start, transfer = self.data.start, self.config.transfer
        if found:
            whitening = Whitening.of_json(found.meta["whitening"])
        elif start:
            whitening = whitening_of_start(start, self.config)
        else:
            whitening = self.data.whitening or self.source.whitening()
        labels = tuple(self.data.alphabet.labels)
        network = Network.create(self.config, whitening, labels, blank=found is not None)
        if not found:
            start_output(network.model, self.source.label_counts(len(labels)))
        if start and not found:
            start_from(network, start, transfer)
        freeze(network, transfer)
        return network

    def _step_function(self) -> Step:
        if self.cluster.world == 1:
            return step_of(self.network, self.config.optimiser, self.steps)
        from training.network.workers.step import WorkersStep

        return WorkersStep(self.network, self.config.optimiser, self.steps, self.cluster)

    @property
    def step(self) -> int:
        """Steps done."""
        return self.position.step

    def _resumable(self) -> Checkpoint | None:
        checkpoint = newest_checkpoint(self.checkpoints)
        if checkpoint is not None and checkpoint.meta["identity"] != identity(self.config):
            raise CheckpointError(
                f"{self.checkpoints}: made with another configuration; train elsewhere or remove it"
            )
        if checkpoint is not None and "next_epoch" not in checkpoint.meta:
            raise CheckpointError(
                f"{self.checkpoints}: written by an earlier version, which kept no exact position; remove the folder to "
                "train anew"
            )
        return checkpoint

    def _restore(self, checkpoint: Checkpoint) -> None:
        assign_arrays("model", self.network.model.variables, checkpoint)
        assign_arrays("optimiser", self.step_function.variables, checkpoint)
        meta = checkpoint.meta
        self.position = Position(checkpoint.step, int(meta["next_epoch"]), int(meta["epoch_start"]))
        self.dev_wer, self.best, self.best_step = meta["dev_wer"], meta["best_dev_wer"], meta["best_step"]
        if (
            self.best_step == checkpoint.step and self.cluster.is_chief
        ):  # killed between the two names of the best checkpoint
            save_best(self.checkpoints, checkpoint)
        self.bad_batches, self.bad_in_a_row = list(meta["bad_batches"]), int(meta["bad_in_a_row"])
        self.learnt = int(meta["learnt"])
        self.set_aside.restore(meta["set_aside"], checkpoint.step)
        epoch = self.position.epoch
        self.state.update(step=self.step, epoch=epoch, dev_wer=self.dev_wer, best_dev_wer=self.best)
        log.info("going on from the checkpoint of step %d of %d", self.step, self.steps)

    def run(self) -> TrainingResult:
        """All steps from the current one to the last."""
        self._announce()
        with closing(self._batches()) as batches, self.saver:  # they are read while the step is traced
            self.step_function.try_size(*self.plan.longest_batch())
            self._go(batches)
        if not self.learnt:
            raise DivergedError(f"none of {self.steps} batches could be learnt: no loss was finite")
        return TrainingResult(self.run_dir.name, self.run_dir, self.step, self.dev_wer, self.best)

    def _go(self, batches: Iterator[Fed]) -> None:
        progress = Progress(self.step, self.steps, self.config.features.hop_s)
        self.curves = Curves(self.run_dir, self.step) if self.cluster.is_chief else None
        saved_at = time.monotonic()
        for planned, batch in progress.waits(batches):
            self.epoch = planned.epoch
            progress.add(self._learn(planned, batch), batch)
            ended = planned.last_of_epoch
            after = (planned.epoch + 1, planned.step + 1) if ended else (planned.epoch, planned.epoch_start)
            self.position = Position(planned.step + 1, *after)
            last_of_epoch = ended or self.step == self.steps
            self.state.update(step=self.step, epoch=self.epoch, eta_s=progress.eta_s(self.step))
            logged = progress.log_now_and_then(self.step, self.epoch, force=last_of_epoch)
            improved = last_of_epoch and self._end_epoch()
            if logged:
                self._note_curve(progress, measured=last_of_epoch)
            stopping = self.state.stop_requested.is_set()
            if last_of_epoch or stopping or time.monotonic() - saved_at > self.config.loop.checkpoint_every_s:
                self._save(improved)
                saved_at = time.monotonic()
            if stopping and self.step < self.steps:
                self.saver.finish()
                raise KeyboardInterrupt(f"asked to stop after step {self.step}")

    def _batches(self) -> Ahead[Fed]:
        """Batches cut, whitened and augmented by a thread, a few ahead of the network."""
        span = Span(self.position, self.steps)
        fed = self.source.feed(self.plan, span, self.network.whitening, self.cluster.share)

        def changed(one: Fed) -> Fed:
            planned, batch = one
            if batch is None:
                return one
            seed = self.config.seed + 7919 * self.cluster.rank
            return planned, augment(batch, self.config.augment, seed, planned.step)

        return Ahead(fed, changed)

    def _announce(self) -> None:
        dev = self.data.dev
        log.info(
            "train: %d utterances, %.2f hours; dev: %d utterances; %d weights; %d steps",
            len(self.source), self.source.hours, len(dev), self.network.model.count_params(), self.steps,
        )  # fmt: skip
        for line in self.source.left_out.lines():
            log.info("left out of training: %s", line)

    def _learn(self, planned: PlannedBatch, batch: Batch | None) -> float:
        """One step; NaN when nothing of the batch could be learnt."""
        if batch is not None and self.set_aside:
            batch = rows_of(batch, self.set_aside.others(batch.utterances))
        found = self.step_function.learn(batch)
        if found.gradients is not None:
            self.saver.before_change()
            self.step_function.apply(found.gradients, planned.step)
            self.learnt, self.bad_in_a_row = self.learnt + 1, 0
        elif batch is not None and len(batch.lengths):
            self._note_bad_batch(planned, batch)
        if (
            batch is not None
            and len(found.bad)
            and (found.gradients is not None or self._was_bad_before(batch))
        ):
            self._put_aside(planned.step, batch.utterances[found.bad])
        return found.loss

    def _put_aside(self, step: int, utterances: Any) -> None:
        """These utterances are not learnt from again; a file beside the run names them."""
        names = self.source.names(utterances)
        log.warning("step %d: loss or gradient not finite; set aside for good: %s", step, ", ".join(names))
        self.set_aside.add(step, utterances, names)

    def _was_bad_before(self, batch: Batch) -> bool:
        """Whether the very same utterances made a whole batch bad earlier: then it is they, not the network."""
        names = self.source.names(batch.utterances)
        return [one["utterance_ids"] for one in self.bad_batches].count(names) > 1

    def _note_bad_batch(self, planned: PlannedBatch, batch: Batch) -> None:
        ids = self.source.names(batch.utterances)
        self.bad_batches.append({"step": planned.step, "utterance_ids": ids})
        self.bad_in_a_row += 1
        log.warning("step %d: no loss is finite; batch passed over: %s", planned.step, ", ".join(ids))
        if self.bad_in_a_row > self.config.loop.max_bad_batches:
            raise DivergedError(
                f"{self.bad_in_a_row} batches in a row with a non-finite loss by step {planned.step}; the last: "
                f"{', '.join(ids[:5])} …; lower optimiser.learning_rate or set optimiser.clip_norm"
            )

    def _note_curve(self, progress: Progress, measured: bool) -> None:
        if self.curves is None:
            return
        rate = learning_rate(self.config.optimiser, self.step - 1, self.steps)
        figures = {**progress.figures(), "learning_rate": rate, "dev_wer": self.dev_wer if measured else None}
        self.curves.add(self.step, self.epoch, figures)

    def _save(self, is_best: bool) -> None:
        if not self.cluster.is_chief:
            return
        self.saver.start(self._checkpoint(), is_best)

    def _end_epoch(self) -> bool:
        """Measure dev where it is due; answers whether it is the best so far."""
        every = self.config.loop.dev_every_epochs
        last = self.step == self.steps
        if (
            not self.cluster.is_chief
            or len(self.data.dev) == 0
            or not (last or (every and (self.epoch + 1) % every == 0))
        ):
            return False
        texts = self._texts_of_dev()
        self.dev_wer, unit = count_errors(self.data.dev.texts, texts).wer, unit_of(self.data.dev.texts)
        write_worst(self.run_dir, self.data.dev.utterance_ids, self.data.dev.texts, texts)
        place = (self.epoch + 1, self.step, rate_name(unit), 100 * self.dev_wer)
        log.info("epoch %d, step %d: dev greedy %s %.2f %%", *place)
        self.state.update(dev_wer=self.dev_wer, dev_unit=unit)
        if self.best is not None and self.dev_wer >= self.best:
            return False
        self.best, self.best_step = self.dev_wer, self.step
        self.state.update(best_dev_wer=self.best)
        return True

    def _texts_of_dev(self) -> list[str]:
        weights, state = self.network.model.trainable_variables, self.step_function.variables
        if self.config.optimiser.average:
            self.saver.before_change()
        with means_in_place(weights, state):
            return greedy_texts(self.probabilities, self.data.dev, self.data.alphabet)

    def _checkpoint(self) -> Any:
        meta = {
            "identity": identity(self.config),
            "step": self.step,
            "steps": self.steps,
            "next_epoch": self.position.epoch,
            "epoch_start": self.position.epoch_start,
            "dev_wer": self.dev_wer,
            "best_dev_wer": self.best,
            "best_step": self.best_step,
            "bad_batches": self.bad_batches,
            "bad_in_a_row": self.bad_in_a_row,
            "learnt": self.learnt,
            "set_aside": self.set_aside.entries(),
        }
        return self.network.checkpoint(meta, self.step_function.variables)
