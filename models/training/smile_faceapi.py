"""face-api's expression network in torch: a teacher. Its weights are in an npm package (MIT), not shipped.

npm pack @vladmandic/face-api@1.7.15 && tar xzf vladmandic-face-api-1.7.15.tgz     # makes package/model
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

NAME = "face_expression_model"
SIDE_PX = 112
MEAN_RGB = (122.782, 117.001, 104.298)
FEATURES, LOGITS = 256, 7

Floats = NDArray[np.float32]


class FaceApi:
    """Dense blocks of separable convolutions, as face-api's TypeScript has them."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self._weights = weights

    def read(self, greys: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """(n, 256) features and (n, 7) logits of (n, 112, 112)."""
        with torch.inference_mode():
            rgb = torch.from_numpy(greys).float()[:, None].expand(-1, 3, -1, -1)
            x = (rgb - torch.tensor(MEAN_RGB).view(1, 3, 1, 1)) / 255
            for number in range(4):
                x = self._block(x, f"dense{number}")
            features = x.mean((2, 3))
            logits = features @ self._weights["fc/weights"] + self._weights["fc/bias"]
        return features.numpy(), logits.numpy()

    def _block(self, x: Tensor, name: str) -> Tensor:
        first = torch.relu(self._conv(x, f"{name}/conv0", 2))
        second = self._conv(first, f"{name}/conv1")
        third = self._conv(torch.relu(first + second), f"{name}/conv2")
        fourth = self._conv(torch.relu(first + second + third), f"{name}/conv3")
        return torch.relu(first + second + third + fourth)

    def _conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        """Full in the first layer, separable in all others."""
        x, bias = _padded(x, stride), self._weights[f"{name}/bias"]
        if f"{name}/filters" in self._weights:
            return nn.functional.conv2d(x, self._kernel(f"{name}/filters"), bias, stride)
        deep = self._weights[f"{name}/depthwise_filter"].permute(2, 3, 0, 1)
        x = nn.functional.conv2d(x, deep, None, stride, groups=len(deep))
        return nn.functional.conv2d(x, self._kernel(f"{name}/pointwise_filter"), bias)

    def _kernel(self, name: str) -> Tensor:
        return self._weights[name].permute(3, 2, 0, 1)


def _padded(x: Tensor, stride: int) -> Tensor:
    """TensorFlow's `same` for a 3x3 kernel."""
    return nn.functional.pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))


def load_face_api(folder: Path) -> FaceApi:
    """The network whose weights lie in `folder`."""
    manifest = json.loads((folder / f"{NAME}-weights_manifest.json").read_text("utf-8"))[0]["weights"]
    data, at, weights = (folder / f"{NAME}.bin").read_bytes(), 0, {}
    for entry in manifest:
        count, packed = int(np.prod(entry["shape"])), entry.get("quantization")
        kind = np.dtype(np.uint8 if packed else np.float32)
        values = np.frombuffer(data, kind, count, at).astype(np.float32)
        values = values * packed["scale"] + packed["min"] if packed else values
        weights[entry["name"]] = torch.tensor(values.astype(np.float32).reshape(entry["shape"]))
        at += count * kind.itemsize
    return FaceApi(weights)
