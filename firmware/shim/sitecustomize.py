"""CPython imports this by itself when shim/ is on PYTHONPATH."""

import cpython

cpython.install()
