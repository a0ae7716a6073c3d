"""A scorer: frames, paths or arrays in, a score table out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

import polars as pl

from emobatch.api.options import Options, choice_of, refuse_unknown
from emobatch.errors import EmobatchError
from emobatch.fusion.gate import read_gate
from emobatch.manifests.columns import ManifestColumns
from emobatch.manifests.frames import given
from emobatch.models.choice import Choice
from emobatch.scorers.plan import Plan
from emobatch.scoring import gate as gates
from emobatch.scoring.gate import Gate
from emobatch.scoring.made_with import models
from emobatch.scoring.recipe import Recipe, RowScorer
from emobatch.scoring.rows import written
from emobatch.scoring.runners.threads import in_order
from emobatch.storage.access import CACHE_BYTES, Access
from emobatch.storage.address import Address, Place, at

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Rows = pl.DataFrame | Iterable[str | os.PathLike[str]] | Iterable[tuple[ArrayLike, int]]

# Polars and other libraries have threads, which a forked process lacks: it would wait for ever.
PROCESS = os.getpid()


class State(TypedDict):
    """What is pickled of a scorer: how it scores, and no model."""

    choice: Choice
    gate: Gate | None
    root: Place
    confine: bool
    access: Access
    columns: ManifestColumns


class Scorer:
    """Scores rows, as ``emobatch score`` does, in this process.

    Models are loaded when they are first needed, and kept. A scorer can be used from several
    threads, and pickled: the copy loads models of its own. On the CPU, batches run side by side,
    and PyTorch is set to one thread for each.
    """

    _plan: Plan | None
    _scorer: RowScorer | None

    def __init__(self, **options: Unpack[Options]) -> None:
        """Choose models and options, and look for the models.

        Args:
            options: as on the command line, with ``_`` for ``-``: ``models="demo"``,
                ``gate="thresholds.toml"``, ``label_map=["fru=none"]``.

        Raises:
            EmobatchError: if an option makes no sense, or a model can't be had.

        Examples:
            >>> with Scorer(models="demo", device="cpu") as scorer:  # doctest: +SKIP
            ...     scores = scorer.score(["a.wav", "b.wav"])
        """
        refuse_unknown(options)
        gate, root = options.get("gate"), options.get("root")
        names = ("path", "transcript", "speaker", "label")
        columns: dict[str, Any] = {name: options.get(f"{name}_column") for name in names}
        state: State = {
            "choice": choice_of(options),
            "gate": None if gate is None else read_gate(Path(gate)),
            "root": _folder(root),
            "confine": options.get("confine", False),
            "access": _access(options),
            "columns": ManifestColumns(**columns),
        }
        self._begin(state)
        self._planned()

    def score(self, rows: Rows) -> pl.DataFrame:
        """Score rows.

        Args:
            rows: a frame with the columns of a manifest (``path``, and maybe ``id``, ``start``,
                ``end``, ``transcript`` …); paths; or (samples, rate) pairs, the samples
                (samples,) or (samples, channels) of full scale ±1, the rate in Hz.

        Returns:
            The score table: one row for each, in order. Those of arrays have no ``path``, and
            their numbers as ``id``. A row that fails says why in ``error``.

        Raises:
            EmobatchError: if the rows make no sense, or models can't be loaded.
        """
        _refuse_fork()
        plan = self._planned()
        asked = given(rows, self._state["columns"], written(plan))
        scorer = self._opened()
        size, count = scorer.recipe.device.chunk_rows, len(asked.frame)

        def part(first: int) -> pl.DataFrame:
            sounds = None if asked.sounds is None else asked.sounds[first : first + size]
            return scorer.score(asked.frame.slice(first, size), sounds=sounds)

        ahead = 2 + scorer.recipe.device.workers // 4
        # The first chunk even of no rows: it has the columns.
        parts = in_order(part, range(0, max(count, 1), size), ahead, ahead - 1)
        scores = pl.concat(parts)
        return scores if asked.sounds is None else scores.drop("path")

    def close(self) -> None:
        """Let the models go; they are loaded again should more be scored."""
        with self._lock:
            if self._scorer is not None:
                self._scorer.close()
            self._scorer = None

    def __enter__(self) -> Self:
        """Begin; models are loaded when they are first needed."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Let the models go."""
        self.close()

    def __getstate__(self) -> State:
        """What is pickled: how rows are scored, and no model."""
        return self._state

    def __setstate__(self, state: State) -> None:
        """Begin without models, as a copy that was pickled does."""
        self._begin(state)

    def _begin(self, state: State) -> None:
        self._state = state
        self._lock = Lock()
        self._plan = None
        self._scorer = None

    def _planned(self) -> Plan:
        # Looked for where it is used: another machine has its models elsewhere.
        if self._plan is None:
            choice, gate = self._state["choice"], self._state["gate"]
            plan = Plan.of(choice, choice.find_checkpoints())
            if gate is not None:
                gates.check(gate, plan.task, models(plan), choice.sides_left_out)
            self._plan = plan
        return self._plan

    def _opened(self) -> RowScorer:
        from emobatch.models import devices  # torch, which takes seconds

        with self._lock:
            if self._scorer is None:
                plan, state = self._planned(), self._state
                device = devices.choose(state["choice"].device, state["choice"].precision)
                where = state["root"], state["confine"], state["access"]
                recipe = Recipe(plan, device, state["gate"], *where)
                self._scorer = recipe.open()
            return self._scorer


def _folder(root: str | os.PathLike[str] | None) -> Place:
    if root is None:
        return Path.cwd()
    return at(Path.cwd(), os.fspath(root))


def _access(options: Options) -> Access:
    cache, root = options.get("cache"), _folder(options.get("root"))
    return Access(
        options.get("allow_remote", False),
        root if isinstance(root, Address) else None,
        None if cache is None else Path(cache).absolute(),
        options.get("cache_size", CACHE_BYTES),
    )


def _refuse_fork() -> None:
    if os.getpid() != PROCESS:
        raise EmobatchError(
            "this process was forked from one that had loaded emobatch, and lacks its threads; "
            "let workers be started anew: multiprocessing.get_context('spawn'), or "
            "DataLoader(…, multiprocessing_context='spawn')"
        )
