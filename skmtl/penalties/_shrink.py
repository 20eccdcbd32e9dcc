"""Lengths and thresholding that neither overflow nor divide by zero."""

import numpy as np


def lengths(W, axis):
    """Return Euclidean lengths along an axis; the axis is kept with length 1."""
    largest = np.abs(W).max(axis=axis, keepdims=True, initial=0.0)
    scaled = W / np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt((scaled * scaled).sum(axis=axis, keepdims=True))


def shrink_factors(sizes, threshold):
    """Return factors, zero or more, that reduce sizes by `threshold`."""
    return np.maximum(sizes - threshold, 0.0) / np.where(sizes > 0, sizes, 1.0)


def soft_threshold(W, threshold):
    """Move every number towards zero by at most `threshold`."""
    return W - np.clip(W, -threshold, threshold)


def threshold_of(step, alpha):
    """Return ``step * alpha`` as a Python float, which overflows without warning."""
    return float(step) * float(alpha)


def highest_mean(sizes, budget, spare=0.0):
    """Return the largest of ``(sum of the k largest - budget) / (k + spare)``, over k.

    Along the last axis, it is the threshold above which the sizes have a sum of
    ``budget + spare * threshold``; zero if their sum is smaller.
    """
    ordered = -np.sort(-sizes, axis=-1)
    counts = np.arange(1, sizes.shape[-1] + 1) + spare
    means = (np.cumsum(ordered, axis=-1) - budget) / counts
    return means.max(axis=-1, keepdims=True, initial=0.0)
