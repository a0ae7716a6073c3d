"""Deliberate mistakes, and whether a test sees them: `python tests/mutation.py [AREA …]`.

Each line of `mutants/*.jsonl` is a mistake: the file, the text that stands there once, what it is
changed to, and the tests that are nearest: files, or tests in them (`test_x.py::test_y`). A copy of
the package gets one mistake at a time, and its tests are run; what they don't see is printed. Not
part of the suite: it takes minutes.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from queue import SimpleQueue
from time import monotonic

import click

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
# A mistake may make a test wait for ever.
SECONDS = 120
WANTED = 0.95
# Imported once, and not by each process that runs tests: seconds each time. Nothing of the package.
PRELOADED = (
    *("pytest", "hypothesis", "numpy", "polars", "scipy.stats", "sklearn.linear_model"),
    *("torch", "torch._dynamo", "faster_whisper", "ctranslate2.converters", "av", "soundfile"),
    *("transformers.models.auto", "transformers.models.auto.modeling_auto"),
    *("transformers.models.auto.feature_extraction_auto", "safetensors.torch", "sentencepiece"),
    *("transformers.models.auto.tokenization_auto", "transformers.convert_slow_tokenizer"),
    *("transformers.models.wav2vec2.modeling_wav2vec2", "transformers.models.bert.modeling_bert"),
    *("transformers.models.xlm_roberta.modeling_xlm_roberta", "transformers.models.gte"),
    *("transformers.models.wav2vec2.feature_extraction_wav2vec2", "torch.utils.serialization"),
    *("transformers.models.whisper.modeling_whisper", "transformers.models.hubert.modeling_hubert"),
    *("transformers.models.wavlm.modeling_wavlm", "transformers.feature_extraction_utils"),
    *("huggingface_hub", "simplemma", "contractions", "jiwer", "sqlglot", "matplotlib.pyplot"),
    *("click.testing", "rich.progress", "jinja2", "soxr"),
)
PASSED, FAILED, INTERRUPTED = 0, 1, 2


@dataclass(frozen=True)
class Mutant:
    """A mistake.

    Attributes:
        area: what it is a mistake in.
        file: below the repository.
        before: what stands there, once.
        after: what is put in its place.
        tests: files of tests that are run, or single tests.
    """

    area: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    def made(self, text: str) -> str:
        """A file's text with the mistake."""
        if text.count(self.before) != 1:
            raise SystemExit(
                f"{self.file}: stands there {text.count(self.before)} times: {self.before!r}"
            )
        changed = text.replace(self.before, self.after)
        if self.file.endswith(".py"):
            compile(changed, self.file, "exec")  # what isn't Python at all would count as seen
        return changed


def read(areas: tuple[str, ...]) -> list[Mutant]:
    """The mistakes of some areas, or of all; each stands where it is to be made."""
    files = [*sorted((HERE / "mutants").glob("*.jsonl")), *HERE.glob("mutants.jsonl")]
    lines = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    mutants = [
        Mutant(line["area"], line["file"], line["from"], line["to"], tuple(line["tests"]))
        for line in lines
    ]
    chosen = [mutant for mutant in mutants if not areas or mutant.area in areas]
    for mutant in chosen:
        mutant.made((REPOSITORY / mutant.file).read_text(encoding="utf-8"))
    return chosen


def copy(folder: Path) -> Path:
    """The package and its tests, as they are in the working tree."""
    for name in ("emobatch", "tests", "thresholds", "manifests", "docs"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("*.pyc"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


def run_tests(repository: Path, tests: Sequence[str], log: Path, *options: str) -> None:
    """Run tests in this process, and end it with pytest's status."""
    os.setsid()  # so that what the tests have started ends with them
    with log.open("wb") as handle:
        for stream in (1, 2):
            os.dup2(handle.fileno(), stream)
    os.chdir(repository)
    os.environ |= {"PYTHONPATH": str(repository), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(repository))
    import pytest

    quiet = ("-q", "-p", "no:cacheprovider")
    status = pytest.main([*quiet, *options, *(f"tests/{name}" for name in tests)])
    sys.stdout.flush()
    os._exit(status)  # whatever threads a mistake has left behind


@dataclass(frozen=True)
class Bench:
    """Runs tests in fresh processes, with what is slow to import imported before."""

    context: ForkServerContext

    def status(self, repository: Path, tests: Sequence[str], *options: str) -> int | None:
        """Pytest's exit status, None where the tests took too long."""
        log = repository / "tests.log"
        arguments = (repository, tests, log, *options)
        process = self.context.Process(target=run_tests, args=arguments)
        process.start()
        process.join(SECONDS if options else None)
        if process.is_alive():
            os.killpg(process.pid or 0, signal.SIGKILL)
            process.join()
            return None
        if process.exitcode not in (PASSED, FAILED, INTERRUPTED):
            raise SystemExit(f"{tests}: {process.exitcode}\n{log.read_text('utf-8', 'replace')}")
        return process.exitcode

    def check(self, repository: Path, mutants: Sequence[Mutant]) -> None:
        """See that all tests pass as long as there is no mistake."""
        names = {name for mutant in mutants for name in mutant.tests}
        whole = sorted(name for name in names if name.partition("::")[0] not in names - {name})
        if self.status(repository, whole) != PASSED:
            said = (repository / "tests.log").read_text("utf-8", "replace")
            raise SystemExit(f"tests fail without any mistake:\n{said[-4000:]}")

    def sees(self, mutant: Mutant, repository: Path) -> tuple[bool, str]:
        """Whether a test fails in a copy with the mistake, and how long that took."""
        file = repository / mutant.file
        text = file.read_text(encoding="utf-8")
        file.write_text(mutant.made(text), encoding="utf-8")
        began = monotonic()
        try:
            status = self.status(repository, mutant.tests, "-x")
        finally:
            file.write_text(text, encoding="utf-8")
        return status != PASSED, "too long" if status is None else f"{monotonic() - began:.0f} s"


def show(mutants: Sequence[Mutant], seen: Counter[str]) -> float:
    """Print the table by area; gives the share that is seen."""
    made = Counter(mutant.area for mutant in mutants)
    width = max(map(len, made))
    click.echo(f"{'area':{width}}  made  seen")
    for area, count in sorted(made.items()):
        click.echo(f"{area:{width}}  {count:4}  {seen[area]:4}")
    share = seen.total() / made.total()
    click.echo(f"{'all':{width}}  {made.total():4}  {seen.total():4}  {100 * share:.1f} %")
    return share


@click.command()
@click.argument("areas", nargs=-1)
@click.option("--workers", default=2, show_default=True)
@click.option("--check/--no-check", default=True, help="First run the tests without a mistake.")
@click.option("--times", is_flag=True, help="Print how long each mistake takes.")
def main(areas: tuple[str, ...], workers: int, check: bool, times: bool) -> None:
    """Make the mistakes of some AREAS, or of all, and print what no test sees."""
    mutants = read(areas)
    if not mutants:
        raise click.UsageError(f"no such area; there are {', '.join({m.area for m in read(())})}")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED])
    os.environ["OMP_NUM_THREADS"] = "1"  # as in the tests, which set it too late for this
    bench = Bench(context)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(workers) as pool:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(workers):
            (Path(name) / str(number)).mkdir()
            copies.put(copy(Path(name) / str(number)))

        def look(mutant: Mutant) -> tuple[bool, str]:
            repository = copies.get()
            try:
                return bench.sees(mutant, repository)
            finally:
                copies.put(repository)

        if check:
            bench.check(Path(name) / "0", mutants)
        seen: Counter[str] = Counter()
        for mutant, (found, how_long) in zip(mutants, pool.map(look, mutants), strict=True):
            seen[mutant.area] += found
            if times or not found or how_long == "too long":
                said = "seen" if found else "NOT SEEN"
                click.echo(f"{said} ({how_long}): {mutant.area}: {mutant.file}: "
                           f"{mutant.before!r} -> {mutant.after!r}")  # fmt: skip
    raise SystemExit(show(mutants, seen) < WANTED)


if __name__ == "__main__":
    main()
