"""Unit tests reach nothing but loopback, and what they start there themselves."""

import socket

import pytest


def pytest_configure(config):
    """CKAN, which ckanapi loads where it is installed, still uses a module that Python will drop."""
    config.addinivalue_line("filterwarnings", "ignore:'crypt' is deprecated:DeprecationWarning")


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch):
    """Every connection to another machine fails the test that tries it."""
    connect = socket.socket.connect

    def connect_here(self, address):
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1"}:
            raise AssertionError(f"a unit test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
