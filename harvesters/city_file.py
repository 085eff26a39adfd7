"""A city file that is read again when somebody has changed it; of a broken one, the last good state counts."""

from harvesters.city import City, load_city
from harvesters.configuration import changed_at
from harvesters.errors import ConfigurationError
from harvesters.words import Words


class CityFile:
    """The file of one city, for programs that run for months."""

    def __init__(self, name: str, *servers: str) -> None:
        """Reads it.

        Raises:
            ConfigurationError: it is not there, or broken.
        """
        self._name, self._servers = name, servers
        self._seen = self._stamp()
        self.city: City = load_city(name, *servers)

    def look(self) -> Words | None:
        """Reads it again if it has changed; what is to be said of that."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        try:
            self.city = load_city(self._name, *self._servers)
        except ConfigurationError as error:
            return Words(
                f"市のファイルを読み直せないので、前の内容で続けます。{error.words.ja}",
                f"the city file is broken; what it said before stays in force. {error.words.en}",
            )
        return Words(
            f"市のファイル {self._name}.yaml を読み直しました。",
            f"the city file {self._name}.yaml has changed and was read again",
        )

    def _stamp(self) -> tuple[int, int]:
        return changed_at("cities", f"{self._name}.yaml")
