"""An array of jobs that score a manifest's shards, as a scheduler is told of it."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

# How often a task that was interrupted is started again; AWS Batch allows no more than ten tries.
MOST_RESTARTS = 20
AWS_ATTEMPTS = 10
# Seconds that an estimate is rounded up to.
TIME_STEP = 300
# Megabytes to which memory is rounded up, and how much more than was measured a job asks for.
MEMORY_STEP = 256
SPARE_MEMORY = 1.5


@dataclass(frozen=True)
class Jobs:
    """One job for each shard.

    Attributes:
        command: `emobatch score` with its manifest and options, but for the shard and the table.
        shards: how many.
        seconds: wall time of each.
        cores: of each.
        memory: bytes that each takes, as measured.
        gpu: whether each has one.
    """

    command: Sequence[str]
    shards: int
    seconds: float
    cores: int
    memory: int
    gpu: bool

    def slurm(self) -> str:
        """Write a script for `sbatch`.

        Returns:
            The script: an array whose tasks queue again, each alone, until they are done.
        """
        return self._filled("slurm.sh", time=_clock(self.seconds), command=shlex.join(self.command))

    def kubernetes(self) -> str:
        """Write an Indexed Job for `kubectl apply -f`.

        Returns:
            YAML.
        """
        shell = json.dumps(self._shell("JOB_COMPLETION_INDEX"))
        return self._filled("kubernetes.yaml", shell=shell)

    def aws_batch(self) -> str:
        """Write what `aws batch submit-job --cli-input-json` takes.

        Returns:
            JSON: an array job, but for a single shard, of which AWS makes no array.
        """
        index = "AWS_BATCH_JOB_ARRAY_INDEX" if self.shards > 1 else None
        resources = {
            "VCPU": self.cores,
            "MEMORY": self._megabytes(),
            **({"GPU": 1} if self.gpu else {}),
        }
        job = {
            "jobName": "emobatch",
            "jobQueue": "QUEUE",
            "jobDefinition": "DEFINITION",
            **({"arrayProperties": {"size": self.shards}} if index else {}),
            "retryStrategy": {
                "attempts": AWS_ATTEMPTS,
                "evaluateOnExit": [
                    {"onExitCode": "75", "action": "RETRY"},
                    {"onStatusReason": "Host EC2*", "action": "RETRY"},
                    {"onExitCode": "*", "action": "EXIT"},
                ],
            },
            "containerOverrides": {
                "command": self._shell(index),
                "resourceRequirements": [
                    {"type": kind, "value": str(value)} for kind, value in resources.items()
                ],
            },
        }
        return json.dumps(job, indent=2) + "\n"

    def _shell(self, index: str | None) -> list[str]:
        # exec, so that signals reach the command itself.
        number = f"${index}" if index else "0"
        score = shlex.join(self.command)
        shard = f'--shard "{number}/{self.shards}" -o "scores/{number}.parquet"'
        return ["/bin/sh", "-c", f"mkdir -p scores && exec {score} {shard}"]

    def _megabytes(self) -> int:
        wanted = SPARE_MEMORY * self.memory / 2**20
        return math.ceil(wanted / MEMORY_STEP) * MEMORY_STEP

    def _filled(self, template: str, **contents: str) -> str:
        environment = Environment(
            loader=PackageLoader("emobatch.planning"),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            autoescape=False,  # no page: what comes from users is quoted for the shell, or JSON
        )
        return environment.get_template(f"{template}.j2").render(
            **contents,
            shards=self.shards,
            cores=self.cores,
            megabytes=self._megabytes(),
            gpu=self.gpu,
            restarts=MOST_RESTARTS,
        )


# By what options of `plan` are called.
SCHEDULERS: Mapping[str, Callable[[Jobs], str]] = {
    "slurm": Jobs.slurm,
    "kubernetes": Jobs.kubernetes,
    "aws-batch": Jobs.aws_batch,
}


def _clock(seconds: float) -> str:
    minutes = math.ceil(seconds / TIME_STEP) * TIME_STEP // 60
    return f"{minutes // 60}:{minutes % 60:02}:00"
