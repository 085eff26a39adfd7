"""Tokens with which people who are logged in speak to the vault: signed here, read there, good for a minute and once."""

import logging
import secrets
import time
from pathlib import Path

import ckan.plugins.toolkit as tk
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

ISSUER, AUDIENCE = "aizu-ckan", "aizu-vault"
ALGORITHM = "Ed25519"
SECONDS = 60

log = logging.getLogger(__name__)


def mint(user_id: str) -> tuple[str, int]:
    """A new token of a user.

    Returns:
        The token, and when it ends, in seconds since 1970.

    Raises:
        ckan.plugins.toolkit.ValidationError: the portal has no key to sign with.
    """
    now = int(time.time())
    claims: dict[str, str | int] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user_id,
        "iat": now,
        "exp": now + SECONDS,
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode({"alg": ALGORITHM}, claims, _key(), algorithms=[ALGORITHM]), now + SECONDS


def _key() -> OKPKey:
    """Read anew each time: a key that is replaced needs no restart."""
    file = tk.config.get("aizu.deep.token_key")
    if not file:
        raise _not_set_up("aizu.deep.token_key is not set")
    try:
        key = OKPKey.import_key(Path(file).read_text(encoding="ascii"))
    except (OSError, ValueError, JoseError) as error:
        raise _not_set_up(f"aizu.deep.token_key cannot be read: {error}") from error
    if not key.is_private or key.curve_name != ALGORITHM:
        raise _not_set_up("aizu.deep.token_key is no private Ed25519 key")
    return key


def _not_set_up(reason: str) -> Exception:
    log.error("Deep data: no tokens can be given: %s", reason)
    return tk.ValidationError({"message": tk._("This portal is not set up for deep data")})
