"""AES-256-GCM: the only importer of `cryptography`, itself imported only where something is sealed."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class SealError(Exception):
    """It was changed, cut off, or sealed with another key."""


def seal(key: bytes, plain: bytes, beside: bytes) -> bytes:
    """A fresh nonce and the ciphertext of `plain`; `beside` stays readable but cannot be changed unseen."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, beside)


def unseal(key: bytes, sealed: bytes, beside: bytes) -> bytes:
    """What was sealed. SealError."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], beside)
    except (InvalidTag, ValueError):
        raise SealError from None
