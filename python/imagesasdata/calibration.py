"""Temperature scaling: probabilities that keep what they promise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from .errors import choose

Floats = npt.NDArray[np.float64]
TASKS = ("single", "multi", "score")
LEAST, MOST = 0.05, 20.0  # temperatures


def fit_temperature(logits: Floats, values: Floats, task: str, weights: Floats | None = None) -> float:
    """Return the temperature that makes probabilities fit best (Guo et al. 2017, section 4.2).

    Divided by it, the logits give the least log loss. It changes no label: all logits of all classes are divided by the
    same number. Fit it on photographs that the model has not seen.

    Parameters
    ----------
    logits : numpy.ndarray
        ``[n, k]``: the network's output before its activation. Rows with NaN are left out.
    values : numpy.ndarray
        ``[n, k]``: for ``"single"`` shares that sum to 1, for ``"multi"`` 0, 1 or NaN.
    task : {"single", "multi", "score"}
        Softmax, sigmoid, or none.
    weights : numpy.ndarray, optional
        ``[n]``: how often each photograph counts.

    Returns
    -------
    float
        Up to 20; above 1 where the model is too sure, below where it is not sure enough. It is 1 for scores, where
        nothing is known, and where the loss falls all the way to 0.05: with no photograph wrong, nothing says how sure
        is too sure.

    Examples
    --------
    A model that is 98 percent sure, and right in three cases of four: the odds are 3, its logit is 4.

    >>> logits = np.array([[4.0, 0.0]] * 4)
    >>> truth = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]])
    >>> round(fit_temperature(logits, truth, "single"), 3), round(float(4 / np.log(3)), 3)
    (3.641, 3.641)
    """
    choose("task", task, TASKS)
    if task == "score":
        return 1.0
    logits, values = np.asarray(logits, float), np.asarray(values, float)
    w = np.ones(len(logits)) if weights is None else np.asarray(weights, float)
    if task == "single":
        use = np.isfinite(logits).all(axis=1) & ~np.isnan(values).any(axis=1)
        logits, values, w = logits[use], values[use], w[use]
    else:
        use = np.isfinite(logits) & ~np.isnan(values)
        w = np.broadcast_to(w[:, None], use.shape)[use]
        logits, values = logits[use], values[use]
    if not w.sum() > 0 or not np.ptp(logits) > 0:
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = logits * np.exp(-log_temperature)
        if task == "single":
            each = logsumexp(scaled, axis=1) - (values * scaled).sum(axis=1)
        else:
            each = np.logaddexp(0, scaled) - values * scaled
        return float((w * each).sum() / w.sum())

    found = minimize_scalar(loss, bounds=(np.log(LEAST), np.log(MOST)), method="bounded", options={"xatol": 1e-6})
    # No less is lost at the optimum than at the end of the range: the surer the better, without an end.
    return 1.0 if loss(float(np.log(LEAST))) <= found.fun + 1e-12 else float(np.exp(found.x))
