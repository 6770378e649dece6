"""What a chip does when power comes: boot.py, then main.py, in one interpreter."""

import boot  # noqa: F401 - runs
import main

main.main()
