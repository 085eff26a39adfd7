"""A Redis of the tests' own, which can be killed and started again."""

import shutil
import socket
import subprocess
import time

import pytest
from redis import Redis, RedisError


class Server:
    """A redis-server on a port of its own; it may keep its data when it is started again."""

    def __init__(self, folder, *, keeps=False):
        if not shutil.which("redis-server"):
            pytest.skip("needs redis-server (scripts/serve --install-only everything)")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder, self.keeps = folder, keeps
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.redis = Redis.from_url(self.url)
        self.start()

    def start(self):
        """Starts and waits until it answers."""
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder]
        keeping = ["--appendonly", "yes", "--appendfsync", "everysec"] if self.keeps else []
        self.process = subprocess.Popen(
            ["redis-server", *words, "--save", "", *keeping],
            stdout=subprocess.DEVNULL,
        )
        for _ in range(200):
            try:
                self.redis.ping()
            except RedisError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("redis-server does not answer")

    def kill(self):
        """Like a power cut."""
        self.process.kill()
        self.process.wait()

    def close(self):
        """Ends it and the connections to it."""
        self.redis.close()
        self.process.terminate()
        self.process.wait()
