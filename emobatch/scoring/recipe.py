"""How rows are scored, wherever that happens: in this process, another one, or another machine."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Self

import polars as pl

from emobatch.manifests.clip import Clip
from emobatch.manifests.clips import clips
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.fetching import Fetcher
from emobatch.models.cores import available_cores
from emobatch.scorers.plan import Plan
from emobatch.scoring.gate import Gate
from emobatch.scoring.progress import Progress, Silent, Tally
from emobatch.scoring.rows import to_frame
from emobatch.scoring.utterances import Utterance
from emobatch.storage.access import NO_ACCESS, Access
from emobatch.storage.address import Place

if TYPE_CHECKING:
    from emobatch.manifests.blocks import Sound
    from emobatch.models.devices import Device
    from emobatch.scorers.loaded import Loaded

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """How rows are scored. Holds no model and no open file, so that it can be pickled.

    Attributes:
        plan: the scorers.
        device: where their models run.
        gate: says of which rows the text could matter, None for all.
        root: folder that paths are relative to.
        confine: let rows fail whose files are outside of it.
        access: what of rows' files may be fetched.
    """

    plan: Plan
    device: Device
    gate: Gate | None
    root: Place
    confine: bool = False
    access: Access = NO_ACCESS

    def open(self, decoders: Decoders | None = None) -> RowScorer:
        """Load the models, here.

        Args:
            decoders: processes that decode files, None for new ones; closed with what is
                returned.

        Returns:
            What scores rows.

        Raises:
            EmobatchError: if a model can't be used.
        """
        # Not before: what can fail fast doesn't wait for what this imports.
        from emobatch.scorers.loaded import load

        began = monotonic()
        if decoders is None:
            # On the CPU their cores are those of the models.
            on_cpu = self.device.name == "cpu"
            decoders = Decoders(self.device.workers if on_cpu else available_cores())
        decoders.get_ready()  # meanwhile
        try:
            loaded = load(self.plan, self.device)
        except BaseException:
            decoders.close()
            raise
        log.debug("models loaded in %.1f s", monotonic() - began)
        return RowScorer(self, loaded, decoders)


class RowScorer:
    """Scores rows with models that are loaded; may be used from several threads."""

    def __init__(self, recipe: Recipe, loaded: Loaded, decoders: Decoders) -> None:
        """Begin.

        Args:
            recipe: how rows are scored.
            loaded: its models.
            decoders: processes that decode files.
        """
        from emobatch.scoring.cascade import Cascade

        self.recipe = recipe
        self.loaded = loaded
        pool = ThreadPoolExecutor(recipe.device.workers)
        self._decoders = decoders
        self._fetcher = Fetcher(recipe.access)
        self._cascade = Cascade(loaded, recipe.gate, pool, decoders, self._fetcher)

    def __enter__(self) -> Self:
        """Keep the models."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Let the models go."""
        self.close()

    def close(self) -> None:
        """Let the models go; nobody waits for what is still running."""
        self._cascade.pool.shutdown(wait=False, cancel_futures=True)
        self._decoders.close()
        self._fetcher.close()

    def score(
        self,
        rows: pl.DataFrame,
        progress: Progress | None = None,
        sounds: Sequence[Sound] | None = None,
    ) -> pl.DataFrame:
        """Score some rows.

        Args:
            rows: of a manifest, with ``path`` and ``id``.
            progress: told how far it is.
            sounds: what is heard in each row, where that is in memory and not in files.

        Returns:
            The same rows of the score table, in order. They depend on no other rows than these:
            no batch has others in it.
        """
        recipe = self.recipe
        walked: Iterable[Clip] = clips(rows, recipe.root, confine=recipe.confine)
        if sounds is not None:
            heard = zip(walked, sounds, strict=True)
            walked = [replace(clip, sound=sound) for clip, sound in heard]
        utterances = [Utterance(clip, name) for clip, name in zip(walked, rows["id"], strict=True)]
        tally = Tally(progress or Silent())
        self._cascade.score(utterances, tally)
        tally.finished(utterances)
        carried = rows.drop(*recipe.plan.columns, strict=False)
        return pl.concat([carried, to_frame(utterances, recipe.plan)], how="horizontal")
