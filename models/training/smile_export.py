"""The fitted network as INT8 TFLite: batch norms and temperature folded in, ranges from training pictures."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import litert_torch
import numpy as np
import torch
from ai_edge_quantizer import qtyping, quantizer, recipe, recipe_manager
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from gateway.vision.smile import CROP_PX
from models.training.folding import folded
from models.training.smile_calibrate import Scale
from models.training.smile_net import INPUTS, Net

SIGNATURE, INPUT = "serving_default", "args_0"
FLOAT_ENDS = (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT)


class _ChannelsLast(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Any:
        """(n, 64, 64, 2) to logits."""
        return self.net(x.permute(0, 3, 1, 2))


def export(net: Net, pictures: NDArray[np.float32], path: Path) -> None:
    """Writes `path`; `pictures` (n, 64, 64, 2), prepared, give the range of each layer."""
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder) / "smile.tflite"
        model = _ChannelsLast(folded(net.eval())).eval()
        litert_torch.convert(model, (torch.zeros(1, CROP_PX, CROP_PX, INPUTS),)).export(str(exact))
        small = quantizer.Quantizer(str(exact), _recipe())
        small.quantize(_ranges(small, pictures)).export_model(str(path), overwrite=True)


def _ranges(small: quantizer.Quantizer, pictures: NDArray[np.float32]) -> dict[str, Any]:
    """Least and greatest value of each tensor over all pictures: the quantizer alone would average them."""
    found: dict[str, Any] = {}
    for one in tqdm(pictures, desc="ranges", unit="pictures"):
        rows = [{INPUT: one[None]}]
        for name, seen in small.calibrate({SIGNATURE: rows}, num_threads=1).items():
            known = found.setdefault(name, dict(seen))
            for end, choose in (("min", np.minimum), ("max", np.maximum)):
                if end in seen:
                    known[end] = choose(known[end], seen[end])
    return found


def _recipe() -> Any:
    """INT8 weights (a scale a channel) and activations; the product gives and takes floats."""
    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(recipe.static_wi8_ai8())
    for end in FLOAT_ENDS:
        manager.add_quantization_config(".*", end, algorithm_key=recipe_manager.AlgorithmName.NO_QUANTIZE)
    return manager.get_quantization_recipe()


def calibrated(net: Net, scale: Scale) -> Net:
    """The smile's logit as `scale` has it; the others as they were."""
    with torch.no_grad():
        net.h.weight[0] /= scale.temperature
        net.h.bias[0] = net.h.bias[0] / scale.temperature + scale.shift
    return net
