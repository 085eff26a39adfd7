"""Unit tests reach nothing but loopback, and what they start there themselves."""

import socket

import pytest


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch):
    """Every connection to another machine fails the test that tries it."""
    connect = socket.socket.connect

    def connect_here(self, address):
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1"}:
            raise AssertionError(f"a unit test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
