"""Grafana dashboards as code; their JSON lies in `generated/` and must equal what the code makes."""

from __future__ import annotations

from pathlib import Path

from dashboards.grafana import text
from dashboards.today import Shop, kiosk_path, today

HERE = Path(__file__).parent
GENERATED = HERE / "generated"
PROVISIONING = HERE / "provisioning"


def files(shop: Shop) -> dict[str, str]:
    """File name and content of each dashboard."""
    return {"today.json": text(today(shop))}


def write(folder: Path = GENERATED, shop: Shop | None = None) -> list[Path]:
    """Writes every dashboard into folder; the paths written. OSError when it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in files(shop or Shop()).items():
        (folder / name).write_text(content, encoding="utf-8")
        paths.append(folder / name)
    return paths


def check(folder: Path = GENERATED, shop: Shop | None = None) -> list[str]:
    """What is out of date in folder, one plain line a file; empty when nothing is."""
    return [
        f"{folder / name} is not what the code makes; run: emobox dashboards --out {folder}"
        for name, content in files(shop or Shop()).items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != content
    ]


__all__ = ["GENERATED", "PROVISIONING", "Shop", "check", "files", "kiosk_path", "today", "write"]
