"""A stand-in for S3, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

moto = pytest.importorskip("moto.server", reason="needs moto[server]")
s3fs = pytest.importorskip("s3fs", reason="needs emobatch[remote]")


@dataclass(frozen=True)
class Bucket:
    """A bucket of the service.

    Attributes:
        address: ``s3://…``.
        environment: by which clients find it.
    """

    address: str
    environment: dict[str, str]

    def names(self) -> list[str]:
        return sorted(name.partition("/")[2] for name in self._system.find(self.address))

    def clear(self) -> None:
        for name in self.names():
            self._system.rm_file(f"{self.address}/{name}")

    def write(self, name: str, content: bytes) -> None:
        self._system.pipe_file(f"{self.address}/{name}", content)

    def read(self, name: str) -> bytes:
        return self._system.cat_file(f"{self.address}/{name}")

    def copy(self, folder: Path) -> Path:
        self._system.get(self.address, str(folder), recursive=True)
        return folder

    @cached_property  # to make one takes half a second
    def _system(self) -> s3fs.S3FileSystem:
        return s3fs.S3FileSystem(
            skip_instance_cache=True,
            use_listings_cache=False,
            key="key",
            secret="secret",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
        )


@contextmanager
def running() -> Iterator[Bucket]:
    """Start the service, with an empty bucket."""
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        environment = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        made = Bucket("s3://results", environment)
        made._system.mkdir("results")
        yield made
    finally:
        server.stop()
