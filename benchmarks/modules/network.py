"""The network: 6×6 pixels of each module become 48 numbers, and a few residual steps let every module look at its neighbours.

Beside the picture it is given what is known before: the modules that are the same in every code of a version, and what the linear
equaliser made of the rest. A gate from the mean over the whole code tells each place what the blur, the ink and the light of this
code are like. Fully convolutional: any version. About 0.16 million weights.
"""

from __future__ import annotations

import torch
from torch import nn

CHANNELS, GIVEN = 48, 3


def _conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, pad: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, pad, bias=False), nn.BatchNorm2d(outputs))


class Step(nn.Module):
    """A residual step with a gate from the mean over the code."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _conv(channels, channels), _conv(channels, channels)
        self.gate = nn.Sequential(nn.Conv2d(channels, 12, 1), nn.ReLU(), nn.Conv2d(12, channels, 1), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.second(torch.relu(self.first(x)))
        return torch.relu(x + y * self.gate(nn.functional.adaptive_avg_pool2d(y, 1)))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.eye = nn.Sequential(_conv(1, 16, 5, 2, 2), nn.ReLU(), _conv(16, CHANNELS, 5, 3, 1), nn.ReLU())
        self.join = nn.Sequential(_conv(CHANNELS + GIVEN, CHANNELS), nn.ReLU())
        self.steps = nn.Sequential(Step(CHANNELS), Step(CHANNELS), Step(CHANNELS))
        self.head = nn.Conv2d(CHANNELS, 1, 1)

    def forward(self, picture: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        """(batch, 1, 6m, 6m) and (batch, 3, m, m) → (batch, 1, m, m) logits: positive is dark."""
        logits: torch.Tensor = self.head(self.steps(self.join(torch.cat([self.eye(picture), given], 1))))
        return logits
