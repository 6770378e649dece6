"""TLS towards the broker."""

import ssl


def make_context(ca_file):
    """Trust only the shop's own certificate authority, a DER file on the flash; else OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    with open(ca_file, "rb") as file:
        context.load_verify_locations(cadata=file.read())
    return context
