"""How long a Kaldi directory of a million segments takes to become CSV, and in how much memory.

`python tests/benchmarks/kaldi.py --rows 1000000`; the limits are 20 s and 1 GB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click


def write(folder: Path, rows: int) -> None:
    """A tenth as many recordings as segments, with speakers, texts and durations."""
    files = {name: (folder / name).open("w") for name in ("wav.scp", "segments", "text")}
    files |= {name: (folder / name).open("w") for name in ("utt2spk", "utt2dur")}
    for number in range(rows):
        recording, utterance = f"rec{number // 10:07}", f"spk{number % 997:03}-utt{number:08}"
        if number % 10 == 0:
            files["wav.scp"].write(f"{recording} /corpus/audio/{recording}.wav\n")
        start = number % 10 * 6.5
        files["segments"].write(f"{utterance} {recording} {start:.2f} {start + 5.25:.2f}\n")
        files["text"].write(f"{utterance} these are the words of utterance number {number}\n")
        files["utt2spk"].write(f"{utterance} spk{number % 997:03}\n")
        files["utt2dur"].write(f"{utterance} 5.25\n")
    for file in files.values():
        file.close()


@click.command()
@click.option("--rows", default=1_000_000, show_default=True)
def main(rows: int) -> None:
    """Print seconds, of the wall and of the processor, and the most memory held."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        folder.mkdir()
        write(folder, rows)
        command = [sys.executable, "-m", "emobatch", "manifest", folder]
        began = time.monotonic()
        subprocess.run([*map(str, command), "-o", f"{scratch}/manifest.csv"], check=True)
        wall = time.monotonic() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        written = sum(1 for _ in (Path(scratch) / "manifest.csv").open()) - 1
    click.echo(
        f"{written} of {rows} rows: {wall:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of "
        f"processor, {used.ru_maxrss / 1e6:.2f} GB at most"
    )


if __name__ == "__main__":
    main()
