"""The connection to the portal's Redis: where it is, and what is said when it does not answer."""

import os
import socket
from functools import cache
from urllib.parse import urlsplit

from redis import Redis, RedisError

from harvesters.errors import ConfigurationError, QueueUnreachableError
from harvesters.settings import Settings

ANSWER_S = 5.0


def open_redis(settings: Settings) -> Redis:
    """A connection that does not wait for ever.

    Raises:
        ConfigurationError: the settings do not say where Redis is.
    """
    if not settings.redis_url:
        raise ConfigurationError(
            f"設定 AIZU_REDIS_URL が、環境変数にも {settings.file} にもありません。"
            "ポータルを scripts/serve で起動すると書かれます。",
            f"the setting AIZU_REDIS_URL is neither in the environment nor in {settings.file}; "
            "scripts/serve writes it",
        )
    try:
        return _client(settings.redis_url)
    except ValueError as error:
        raise ConfigurationError(
            "AIZU_REDIS_URL は redis://ホスト:ポート/番号 の形で書いてください。",
            "AIZU_REDIS_URL: expected redis://host:port/number",
        ) from error


@cache
def _client(url: str) -> Redis:
    """One for all runs of a process: making one costs more than what most of them ask of it."""
    return Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)


def unreachable(settings: Settings, error: RedisError) -> QueueUnreachableError:
    """What is said where Redis does not answer; never with the password in its address."""
    address = urlsplit(settings.redis_url)
    place = f"{address.hostname}:{address.port or 6379}"
    kind = type(error).__name__
    return QueueUnreachableError(
        f"ポータルの Redis {place} を使えません（{kind}）。起動しているか、AIZU_REDIS_URL を確かめてください。",
        f"the portal's Redis {place} cannot be used ({kind}); check that it runs, and AIZU_REDIS_URL",
    )


def server_time(connection: Redis) -> float:
    """Seconds since 1970 by the clock of Redis, which all machines share."""
    seconds, microseconds = connection.time()
    return float(seconds + microseconds / 1_000_000)


def worker_name() -> str:
    """Machine and process."""
    return f"{socket.gethostname()}-{os.getpid()}"
