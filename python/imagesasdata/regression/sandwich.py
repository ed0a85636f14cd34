"""The covariance of an estimate from the scores of its rows: robust, and by cluster."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def by_cluster(scores: Floats, cluster: Codes | None) -> Floats:
    """Return the scores summed over each cluster, ``[g, p]``; clusters are numbered from 0 without gaps."""
    if cluster is None:
        return scores
    g = int(cluster.max(initial=-1)) + 1
    return np.column_stack([np.bincount(cluster, scores[:, j], minlength=g) for j in range(scores.shape[1])])


def covariance(inverse: Floats, scores: Floats, cluster: Codes | None = None) -> Floats:
    """Return the sandwich ``A^-1 (sum of s s') A^-T`` (Huber 1967, White 1982), over clusters where they are given.

    Parameters
    ----------
    inverse : numpy.ndarray
        ``[p, p]``: the inverse of ``A``, minus the derivative of the sum of the scores.
    scores : numpy.ndarray
        ``[n, p]``, with their weights.
    cluster : numpy.ndarray, optional
        ``[n]``, from 0 without gaps.
    """
    summed = by_cluster(scores, cluster)
    return np.asarray(inverse @ (summed.T @ summed) @ inverse.T, float)


def small_sample(n: int, k: int, clusters: int | None = None) -> float:
    """Return by how much a covariance is enlarged because the residuals were fitted.

    ``n / (n - k)`` (HC1; MacKinnon and White 1985), and ``g / (g - 1) * (n - 1) / (n - k)`` with `clusters`.
    """
    left = max(n - k, 1)
    if clusters is None:
        return n / left
    return clusters / max(clusters - 1, 1) * (n - 1) / left
