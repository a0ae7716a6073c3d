"""Chunks on this machine: in threads of this process, or in processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from emobatch.errors import OptionError
from emobatch.processes import can_start, free_memory
from emobatch.scoring.recipe import Recipe
from emobatch.scoring.runners.runner import Runner
from emobatch.scoring.runners.threads import scored
from emobatch.scoring.work import Chunk, Work

# Memory that a process takes beside its weights, and how often it has these: they are converted as
# they are loaded.
WORKER_BYTES, COPIES = 800 << 20, 1.5
# To start one takes as long as to score so many chunks, or longer.
CHUNKS_EACH = 4


class LocalRunner(Runner):
    """Scores chunks on this machine: while one is with the models, the next are decoded.

    On a GPU that is done in this process, and on the CPU in several where the manifest is long
    enough and there is memory for it.
    """

    takes = frozenset({"workers"})

    def run(self, work: Work, firsts: Iterable[int]) -> Iterator[Chunk]:
        """Load the models here and score.

        Args:
            work: what is to be scored, and how.
            firsts: number of each chunk's first row.

        Yields:
            The chunks in order.
        """
        todo = list(firsts)
        count = self._processes(work.recipe, len(todo))
        if count > 1:
            from emobatch.scoring.runners.processes import scored_in_processes

            work.decoders.close()  # each process has its own
            yield from scored_in_processes(work, todo, count)
            return
        with work.recipe.open(work.decoders) as scorer:
            work.progress.begin()
            yield from scored(work, scorer, todo)

    def _processes(self, recipe: Recipe, chunks: int) -> int:
        wanted, device = self.workers.workers, recipe.device
        if wanted is not None and wanted > 1 and not (device.name == "cpu" and can_start()):
            raise OptionError(
                f"--workers {wanted}: several processes score on the CPU alone, and models run on "
                f"{device.name} here; leave it out"
            )
        if wanted is not None:
            return min(wanted, chunks)
        if device.name != "cpu" or not can_start():
            return 1
        return min(device.workers, chunks // CHUNKS_EACH, _that_fit(recipe))


def _that_fit(recipe: Recipe) -> int:
    free = free_memory()
    if free is None:
        return 1
    weights = sum(found.size() for found in recipe.plan.setup.found.values())
    return int(free / (WORKER_BYTES + COPIES * weights))
