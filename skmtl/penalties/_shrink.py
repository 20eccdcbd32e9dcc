"""Sizes and shrinkage that neither overflow nor divide by zero."""

import numpy as np


def lengths(W, axis):
    """Return Euclidean lengths along an axis, kept as an axis of length 1."""
    largest = np.abs(W).max(axis=axis, keepdims=True, initial=0.0)
    scaled = W / np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt((scaled * scaled).sum(axis=axis, keepdims=True))


def shrink(sizes, threshold):
    """Return the factors that take `threshold` from sizes, zero at the least."""
    return np.maximum(sizes - threshold, 0.0) / np.where(sizes > 0, sizes, 1.0)


def soften(W, threshold):
    """Move every number towards zero by `threshold`, and not beyond."""
    return W - np.clip(W, -threshold, threshold)


def threshold_of(step, alpha):
    """Return ``step * alpha`` as a Python float, which overflows without a warning."""
    return float(step) * float(alpha)


def highest_mean(sizes, budget, spare=0.0):
    """Return the largest of ``(sum of the k largest - budget) / (k + spare)``, over k.

    It is where sizes must be cut, along the last axis, for the parts above the cut to
    sum to ``budget + spare * cut``; zero if they do not sum to so much.
    """
    ordered = -np.sort(-sizes, axis=-1)
    counts = np.arange(1, sizes.shape[-1] + 1) + spare
    means = (np.cumsum(ordered, axis=-1) - budget) / counts
    return means.max(axis=-1, keepdims=True, initial=0.0)
