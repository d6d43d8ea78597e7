"""Change detection without training, on pictures of any number of bands."""

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

Bands = NDArray[np.generic]
Mask = NDArray[np.bool_]


def difference(before: Bands, after: Bands) -> NDArray[np.float32]:
    """Length of the change vector (Malila, 1980), each band centred per date and scaled alike on both.

    Args:
        before: [rows, columns, bands].
        after: [rows, columns, bands].

    Returns:
        [rows, columns], in deviations.
    """
    dates = np.stack((before, after)).astype(np.float32)
    centred = dates - dates.mean((1, 2), keepdims=True)
    scaled = centred / (centred.std((0, 1, 2)) + np.float32(1e-6))
    return np.asarray(np.linalg.norm(scaled[1] - scaled[0], axis=2))


def cva_otsu(before: Bands, after: Bands) -> Mask:
    """Change where the change vector is longer than Otsu's threshold ("A threshold selection method", 1979).

    Args:
        before: [rows, columns, bands].
        after: [rows, columns, bands].

    Returns:
        [rows, columns].
    """
    length = difference(before, after)
    levels = (length * (255 / max(float(length.max()), 1e-6))).astype(np.uint8)
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(levels > threshold)


def pca_kmeans(before: Bands, after: Bands, *, block: int = 5, share: float = 0.9) -> Mask:
    """Change by two clusters of each pixel's neighbourhood in the difference image.

    Celik, "Unsupervised change detection in satellite images using principal component analysis and k-means
    clustering" (IEEE GRSL, 2009).

    Args:
        before: [rows, columns, bands].
        after: [rows, columns, bands].
        block: Side of a neighbourhood, pixels; odd.
        share: Of the variance that the components kept explain.

    Returns:
        [rows, columns].
    """
    length = difference(before, after)
    rows, columns = (side // block for side in length.shape)
    tiles = length[: rows * block, : columns * block].reshape(rows, block, columns, block)
    components = PCA(share).fit(tiles.swapaxes(1, 2).reshape(-1, block * block)).components_
    kernels = components.reshape(-1, block, block).astype(np.float32)
    features = np.stack([cv2.filter2D(length, cv2.CV_32F, kernel) for kernel in kernels], axis=2)
    clusters = KMeans(2, n_init=3, random_state=0).fit_predict(features.reshape(-1, len(kernels)))
    second = clusters.reshape(length.shape) == 1
    return np.asarray(second if length[second].mean() > length[~second].mean() else ~second)
