"""A camera process without a lens: the real device and pipe.

python -m tests.fault.camera PORT STATE_DIR FLOOD_PER_S
"""

import os
import sys
import time
from pathlib import Path

from gateway.bus import BrokerAddress
from gateway.device import MomentDevice
from gateway.supervisor import end_with_parent

HEALTH_S = 0.2
FACE = {"track": 1, "smile": 0.5, "px": 100, "yaw": 0, "ok": True}


def main(port: int, state_dir: Path, flood_per_s: int) -> None:
    """Say that it is well, for ever; and send so many faces a second."""
    end_with_parent()
    camera = MomentDevice(BrokerAddress(port=port), "shop-1", "cam-1", state_dir, lambda command: None)
    camera.start()
    while not camera.connected:
        time.sleep(0.01)
    (state_dir / "camera.pid").write_text(str(os.getpid()))
    while True:
        began_s = time.monotonic()
        camera.send("health", {"dropped": camera.dropped}, began_s)
        for _ in range(round(flood_per_s * HEALTH_S)):
            camera.send("face", FACE, time.monotonic())
        time.sleep(max(0.0, began_s + HEALTH_S - time.monotonic()))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
