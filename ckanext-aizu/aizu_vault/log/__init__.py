"""The log of every access to deep data: a Merkle tree as in RFC 9162, kept in PostgreSQL."""
