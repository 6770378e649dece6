"""The smile network: eleven plain 3x3 convolutions and a weighted mean, 249 000 weights, 14 million
multiplications a face."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn, no_grad, relu

WIDTHS = (16, 32, 64, 96)
INPUTS = 2  # as a whole, and each place by its surroundings: smile.prepared
OUTPUTS = 7  # the logit of a smile, then those of smile.OTHERS
DROPOUT = 0.2
LAST_PX = 4  # side of the last layer


def layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution and batch norm."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """x + layer(x), rectified."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.a = layer(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) to the same."""
        return relu(x + self.a(x))


class Net(nn.Module):
    """(n, 2, 64, 64) prepared grey to (n, 7) logits; where a thing is in the levelled face counts."""

    def __init__(self) -> None:
        super().__init__()
        w = WIDTHS
        self.f = nn.Sequential(
            *(layer(INPUTS, w[0], 2), nn.ReLU(), Residual(w[0])),
            *(layer(w[0], w[1], 2), nn.ReLU(), Residual(w[1])),
            *(layer(w[1], w[2], 2), nn.ReLU(), Residual(w[2]), Residual(w[2])),
            *(layer(w[2], w[3], 2), nn.ReLU(), Residual(w[3])),
        )
        self.p = nn.Conv2d(w[3], w[3], LAST_PX, groups=w[3], bias=False)
        nn.init.constant_(self.p.weight, LAST_PX**-2)
        self.drop = nn.Dropout(DROPOUT)
        self.h = nn.Linear(w[3], OUTPUTS)

    def forward(self, x: Tensor) -> Any:
        """Logits."""
        return self.h(self.drop(self.p(self.f(x)).flatten(1)))


def both_ways(net: Net, faces: Tensor) -> Tensor:
    """(n,) the logit of a smile, the mean of each face and its mirror image, as the product takes it."""
    with no_grad():
        return (net(faces)[:, 0] + net(faces.flip(3))[:, 0]) / 2
