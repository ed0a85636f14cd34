"""timm's EfficientNet-Lite0 with the weights of the model file."""

from __future__ import annotations

from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from torch import nn

ARCHITECTURE = "tf_efficientnet_lite0"


def make_network(reference: dict[str, NDArray[Any]]) -> nn.Module:
    """Make the network as timm does and give it the weights."""
    return give_weights(timm.create_model(ARCHITECTURE, pretrained=False), reference)


def give_weights(network: nn.Module, reference: dict[str, NDArray[Any]]) -> nn.Module:
    """Copy the weights in; both list the convolutions in the order in which the photograph meets them.

    The model file has its batch norms folded into the convolutions. Here they stay, as whoever uses timm has them, and
    each only adds the bias.
    """
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.inference_mode():
        for number, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
            _copy(convolution.weight, reference[f"kernel_{number}"])
            _copy(norm.bias, reference[f"bias_{number}"])
            norm.weight.fill_(1)
            _copy(norm.running_mean, np.zeros_like(reference[f"bias_{number}"]))
            _copy(norm.running_var, np.full_like(reference[f"bias_{number}"], 1 - norm.eps))
        (classifier,) = (module for module in network.modules() if isinstance(module, nn.Linear))
        _copy(classifier.weight, reference["classifier_kernel"])
        _copy(classifier.bias, reference["classifier_bias"])
    return network.eval()


def _copy(parameter: Any, values: NDArray[Any]) -> None:
    if tuple(parameter.shape) != values.shape:
        raise SystemExit(f"A weight has shape {tuple(parameter.shape)} here and {values.shape} in the model file.")
    parameter.copy_(torch.from_numpy(values))
