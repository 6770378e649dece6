"""Camera: frames in memory become `face` readings; no frame is stored or leaves the process."""
