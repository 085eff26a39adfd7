"""The tokens that the catalogue gives for the vault."""

import time

import ckan.plugins.toolkit as tk
import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey

from ckanext.aizu_deep import tokens

USER = "3b241101-e2bb-4255-8caf-4136c566a962"


@pytest.fixture
def key(monkeypatch, tmp_path):
    """A portal that can sign."""
    made = OKPKey.generate_key("Ed25519")
    file = tmp_path / "deep-token.pem"
    file.write_bytes(made.as_pem(private=True))
    monkeypatch.setitem(tk.config, "aizu.deep.token_key", str(file))
    return made


def read(token, key):
    return jwt.decode(token, key, algorithms=["Ed25519"])


def test_a_token_says_who_asks_for_a_minute(key):
    """Nothing else is in it, each is another one, and no other key has signed it."""
    (first, ends), (second, _) = tokens.mint(USER), tokens.mint(USER)
    read_first, claims = read(first, key), read(first, key).claims
    assert read_first.header == {"alg": "Ed25519", "typ": "JWT"}
    assert claims.keys() == {"iss", "aud", "sub", "iat", "exp", "jti"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("aizu-ckan", "aizu-vault", USER)
    assert claims["exp"] == ends == claims["iat"] + 60
    assert abs(claims["iat"] - time.time()) < 5
    assert claims["jti"] != read(second, key).claims["jti"]
    with pytest.raises(BadSignatureError):
        read(first, OKPKey.generate_key("Ed25519"))


def test_without_a_key_of_its_own_a_portal_gives_none(key, monkeypatch, tmp_path):
    """Whatever is wrong with the file, people learn no more than that there are no tokens."""
    public, other, broken = (tmp_path / name for name in ("public", "other", "broken"))
    public.write_bytes(key.as_pem(private=False))
    other.write_bytes(OKPKey.generate_key("X25519").as_pem(private=True))
    broken.write_text("鍵", encoding="utf-8")
    for file in (None, "", tmp_path / "missing", tmp_path, public, other, broken):
        monkeypatch.setitem(tk.config, "aizu.deep.token_key", file and str(file))
        with pytest.raises(tk.ValidationError) as refused:
            tokens.mint(USER)
        assert refused.value.error_dict == {"message": "This portal is not set up for deep data"}
