"""Reads the tokens by which the portal says who speaks: signed by it, for the vault, good for a minute and once."""

from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from psycopg import Connection

from aizu_vault.log.query import one_row

ISSUER: Final = "aizu-ckan"
AUDIENCE: Final = "aizu-vault"
ALGORITHM: Final = "Ed25519"
LONGEST: Final = 60
"""Seconds from `iat` to `exp`, at most."""
SKEW: Final = 5
"""Seconds by which the portal's clock and the database's may differ."""
_LONGEST_WORD: Final = 100


class TokenError(Exception):
    """A token does not count; the message says nothing of what is in it."""


def user_of(connection: Connection[Any], key: OKPKey, token: str) -> str:
    """Who speaks, by a token that is used up by this.

    Args:
        connection: to the database, whose clock counts and which remembers the tokens that were used.
        key: the public half of the portal's.
        token: as it was sent.

    Raises:
        TokenError: it is not the portal's, not for the vault, not yet or no longer good, or was used before.
    """
    claims = _claims(key, token)
    (now,) = one_row(connection, "SELECT extract(epoch FROM clock_timestamp())::bigint")
    _check(claims, now)
    query = "SELECT ident.use_token(%s, to_timestamp(%s))"
    (is_new,) = one_row(connection, query, (claims["jti"], claims["exp"] + SKEW))
    if not is_new:
        raise TokenError("it was used before")
    user: str = claims["sub"]
    return user


def _claims(key: OKPKey, token: str) -> dict[str, Any]:
    """What it claims, once its signature holds; which algorithm that is by is not for the token to say."""
    try:
        return jwt.decode(token, key, algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, LookupError, RecursionError):
        raise TokenError("it is not signed by the portal") from None


def _check(claims: dict[str, Any], now: int) -> None:
    registry = jwt.JWTClaimsRegistry(
        now=now,
        leeway=SKEW,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        sub={"essential": True},
        jti={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
    )
    try:
        registry.validate(claims)
    except JoseError:
        raise TokenError("it is not for the vault, or not now") from None
    if not _are_whole(claims["iat"], claims["exp"]) or claims["exp"] - claims["iat"] > LONGEST:
        raise TokenError(f"it is good for longer than {LONGEST} seconds")
    if not _are_words(claims["sub"], claims["jti"]):
        raise TokenError("it names nobody")


def _are_whole(*times: object) -> bool:
    return all(isinstance(time, int) for time in times)


def _are_words(*texts: str) -> bool:
    """Whether the database can take them."""
    return all(one.isascii() and one.isprintable() and len(one) <= _LONGEST_WORD for one in texts)
