"""Deliberate mistakes, and whether a test sees them: `python tests/mutation.py [AREA …]`.

Each line of `mutants.jsonl` is a mistake: the file, the text that stands there once, what it is
changed to, and the tests that are nearest. A copy of the package gets one mistake at a time, and
its tests are run; what they don't see is printed. Not part of the suite: it takes minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import click

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
LIST = HERE / "mutants.jsonl"
# A mistake may make a test wait for ever.
SECONDS = 300
WANTED = 0.95


@dataclass(frozen=True)
class Mutant:
    """A mistake.

    Attributes:
        area: what it is a mistake in.
        file: below the repository.
        before: what stands there, once.
        after: what is put in its place.
        tests: files of tests that are run.
    """

    area: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]

    def make(self, repository: Path) -> str:
        """Make the mistake in a copy; gives the text as it was."""
        file = repository / self.file
        text = file.read_text(encoding="utf-8")
        if text.count(self.before) != 1:
            raise SystemExit(
                f"{self.file}: stands there {text.count(self.before)} times: {self.before!r}"
            )
        file.write_text(text.replace(self.before, self.after), encoding="utf-8")
        return text


def read(areas: tuple[str, ...]) -> list[Mutant]:
    lines = map(json.loads, LIST.read_text(encoding="utf-8").splitlines())
    mutants = [
        Mutant(line["area"], line["file"], line["from"], line["to"], tuple(line["tests"]))
        for line in lines
    ]
    return [mutant for mutant in mutants if not areas or mutant.area in areas]


def copy(folder: Path) -> Path:
    """The package and its tests, as they are in the working tree."""
    for name in ("emobatch", "tests", "thresholds", "manifests", "docs"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("*.pyc"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


def caught(mutant: Mutant, repository: Path) -> bool:
    """Whether a test fails in a copy with the mistake."""
    text = mutant.make(repository)
    environment = {**os.environ, "PYTHONPATH": str(repository), "PYTHONDONTWRITEBYTECODE": "1"}
    options = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    command = [
        sys.executable,
        "-m",
        "pytest",
        *options,
        *(f"tests/{name}" for name in mutant.tests),
    ]
    try:
        done = subprocess.run(
            command, cwd=repository, env=environment, capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        (repository / mutant.file).write_text(text, encoding="utf-8")
    if done.returncode not in (0, 1, 2):
        raise SystemExit(done.stdout.decode() + done.stderr.decode())
    return done.returncode != 0


@click.command()
@click.argument("areas", nargs=-1)
@click.option("--workers", default=2, show_default=True)
def main(areas: tuple[str, ...], workers: int) -> None:
    """Make the mistakes of some AREAS, or of all, and print what no test sees."""
    mutants = read(areas)
    if not mutants:
        raise click.UsageError(f"no such area; there are {', '.join({m.area for m in read(())})}")
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(workers) as pool:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(workers):
            (Path(name) / str(number)).mkdir()
            copies.put(copy(Path(name) / str(number)))

        def look(mutant: Mutant) -> bool:
            repository = copies.get()
            try:
                return caught(mutant, repository)
            finally:
                copies.put(repository)

        seen: Counter[str] = Counter()
        for mutant, found in zip(mutants, pool.map(look, mutants), strict=True):
            seen[mutant.area] += found
            if not found:
                click.echo(f"not seen: {mutant.file}: {mutant.before!r} -> {mutant.after!r}")
    made = Counter(mutant.area for mutant in mutants)
    for area, count in made.items():
        click.echo(f"{area}: {seen[area]} of {count}")
    share = seen.total() / made.total()
    click.echo(f"all: {seen.total()} of {made.total()}, {100 * share:.1f} %")
    raise SystemExit(share < WANTED)


if __name__ == "__main__":
    main()
