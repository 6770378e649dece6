"""Starts the device. The folder it runs in is the flash: on a board that is /."""

import asyncio
import gc
import sys
import time

from hw import safe
from hw.board import reset
from store.config import ConfigError, load

RESTART_S = 5
# Compiling takes several times what a module keeps, so the largest come first, while the heap is whole.
LARGEST = ("store.outbox", "wire", "net.mqtt")


def main():
    """Run the application; a failure is printed, and the chip starts anew."""
    if safe.state["on"]:
        return
    try:
        config = load("config.json")
    except ConfigError as error:
        print("config:", error)
        return  # to the prompt, where a technician's mpremote finds it
    run(config)


def run(config):
    """Run until something breaks, then reset."""
    for name in LARGEST:
        __import__(name)
        gc.collect()
    from app import App

    try:
        asyncio.run(App(config).run())
    except Exception as error:  # noqa: BLE001 - the last line of defence: say what it was, then start anew
        show(error)
        time.sleep(RESTART_S)
        reset()


def show(error):
    """Print the error with its lines, in either Python."""
    if hasattr(sys, "print_exception"):
        sys.print_exception(error)
    else:
        sys.excepthook(type(error), error, error.__traceback__)


if __name__ == "__main__":
    main()
