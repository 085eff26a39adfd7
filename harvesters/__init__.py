"""The `aizu` command: fetches what the city has, normalises, validates and publishes it."""
