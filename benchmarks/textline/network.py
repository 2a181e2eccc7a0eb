"""The network: a few convolutions over 32×W pixels, then residual ones along the line; 36 classes for every fourth column.

No recurrent part: it runs in a millisecond or two on one core, and the squeeze over the whole line tells each place what the font
of the others is like. About 0.36 million weights.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

CLASSES = 36


def _conv(inputs: int, outputs: int, stride: Any = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Along(nn.Module):
    """A residual step along the line, with a gate from the mean over the line."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.depth = nn.Conv1d(channels, channels, 5, padding=2 * dilation, dilation=dilation, groups=channels, bias=False)
        self.norm = nn.BatchNorm1d(channels)
        self.point = nn.Conv1d(channels, channels, 1, bias=False)
        self.after = nn.BatchNorm1d(channels)
        self.gate = nn.Sequential(nn.Linear(channels, 24), nn.ReLU(), nn.Linear(24, channels), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.after(self.point(torch.relu(self.norm(self.depth(x)))))
        return torch.relu(x + y * self.gate(y.mean(2))[:, :, None])


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 24, 5, 2, 2, bias=False), nn.BatchNorm2d(24), nn.ReLU(),
            _conv(24, 40, 2), _conv(40, 64), _conv(64, 64), _conv(64, 96, (2, 1)), _conv(96, 96),
        )  # fmt: skip
        self.fold = nn.Sequential(nn.Conv2d(96, 128, (4, 1), bias=False), nn.BatchNorm2d(128), nn.ReLU())
        self.along = nn.Sequential(Along(128, 1), Along(128, 2), Along(128, 4), Along(128, 1))
        self.head = nn.Conv1d(128, CLASSES, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, 1, 32, W) grey values 0…255 → (batch, 36, W/4) logits."""
        middle = x.mean((1, 2, 3), keepdim=True)
        spread = (x - middle).pow(2).mean((1, 2, 3), keepdim=True).sqrt()
        seen = self.fold(self.body((x - middle) / (spread + 6.0))).squeeze(2)
        logits: torch.Tensor = self.head(self.along(seen))
        return logits
