"""Tokens: HMAC-SHA-256 of a value's UTF-8 text under a share's key, as SQL that DuckDB computes for whole columns.

A token is ``<key id>_<first 16 bytes of the HMAC as 32 hexadecimal digits>``. With the key anybody can recompute it
(the test does so with Python's ``hmac``); without the key a list of every possible value does not help. RFC 2104.
"""

import duckdb

from warehouse.ddl import literal
from warehouse.shares.keys import ShareKeys
from warehouse.shares.treatments import TOKEN_FUNCTION

TOKEN_BYTES = 16
_BLOCK = 64  # bytes in a block of SHA-256


def define_tokens(con: duckdb.DuckDBPyConnection, keys: ShareKeys) -> None:
    """Define the macro that the treatments call, for this connection only: the key is in no file it writes."""
    block = keys.token_key.ljust(_BLOCK, b"\0")
    inner = bytes(byte ^ 0x36 for byte in block).hex()
    outer = bytes(byte ^ 0x5C for byte in block).hex()
    inside = f"unhex(sha256(unhex('{inner}') || encode(value)))"
    con.execute(
        f"create or replace temp macro {TOKEN_FUNCTION}(value) as "
        f"{literal(keys.key_id + '_')} || left(sha256(unhex('{outer}') || {inside}), {2 * TOKEN_BYTES})"
    )
