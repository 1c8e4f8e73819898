"""Data for the demos: MNIST's IDX files, scikit-learn's digits, and small sets made from a seed.

An IDX file is two zero bytes, the type of its entries, the number of its dimensions, the size of
each as a big-endian 32-bit integer, and then the entries; the last dimension varies fastest.
MNIST's files hold unsigned bytes, plain or gzipped. Python's standard library reads them.
"""

from __future__ import annotations

import gzip
import math
import random
import struct
import zlib
from pathlib import Path

SIDE = 28  # an image is 28 × 28
UNSIGNED_BYTE = 0x08

Images = list[list[float]]  # a row of 784 numbers in [0, 1] for each image


def read_idx(path: Path, dimensions: int) -> tuple[tuple[int, ...], bytes]:
    """The sizes and the entries of an IDX file of unsigned bytes, gzipped or not.

    ValueError where the file is not one, has another number of dimensions, or is longer or
    shorter than it says.
    """
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(
                f"{path}: the gzip stream is damaged or cut short ({error}); fetch the file again"
            ) from error
    if len(content) < 4:
        raise ValueError(f"{path}: {len(content)} bytes are too few for an IDX header")
    zeros, kind, found = struct.unpack_from(">HBB", content)
    if zeros or kind != UNSIGNED_BYTE:
        raise ValueError(
            f"{path}: begins with {content[:4].hex(' ')}, expected 00 00 08 {dimensions:02x}, "
            "an IDX file of unsigned bytes"
        )
    if found != dimensions:
        raise ValueError(
            f"{path}: has {found} dimensions, expected {dimensions}; "
            "are images and labels exchanged?"
        )
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise ValueError(f"{path}: ends inside its header, {len(content)} bytes of {start}")
    sizes = struct.unpack_from(f">{dimensions}I", content, 4)
    if len(content) - start != math.prod(sizes):
        raise ValueError(
            f"{path}: {' × '.join(map(str, sizes))} entries promised, "
            f"{len(content) - start} found; fetch the file again"
        )
    return sizes, content[start:]


def mnist(folder: Path, part: str, count: int) -> tuple[Images, list[int]]:
    """The first `count` images and labels of MNIST's part "train" or "t10k", from its own files.

    FileNotFoundError names the file that is missing; ValueError says what is wrong with one.
    """
    images_path = find(folder, f"{part}-images-idx3-ubyte")
    labels_path = find(folder, f"{part}-labels-idx1-ubyte")
    (images, height, width), pixels = read_idx(images_path, 3)
    (labels,), classes = read_idx(labels_path, 1)
    if (height, width) != (SIDE, SIDE):
        raise ValueError(f"{images_path}: images of {height} × {width}, expected {SIDE} × {SIDE}")
    if images != labels:
        raise ValueError(
            f"{images_path} has {images} images, {labels_path} {labels} labels: "
            "they do not belong together"
        )
    if images == 0:
        raise ValueError(f"{images_path}: holds no image")
    if (largest := max(classes)) > 9:
        raise ValueError(f"{labels_path}: a label is {largest}, expected the digits 0 to 9")
    size, used = SIDE * SIDE, min(count, images)
    rows = [[pixel / 255 for pixel in pixels[i * size : (i + 1) * size]] for i in range(used)]
    return rows, list(classes[:used])


def find(folder: Path, name: str) -> Path:
    """The file in the folder: gzipped or not, with the `.idx` that some copies have for `-idx`."""
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is no folder: name the one that holds MNIST's four files"
        )
    for stem in (name, name.replace("-idx", ".idx")):
        for path in (folder / stem, folder / f"{stem}.gz"):
            if path.is_file():
                return path
    raise FileNotFoundError(f"{folder} holds neither {name} nor {name}.gz")


def sklearn_digits() -> tuple[Images, list[int]]:
    """The 1,797 images of 8 × 8 that come with scikit-learn, scaled up; ImportError without it."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    small = [8 * i // SIDE for i in range(SIDE)]  # the row, or column, of 8 for each of 28
    images = [[image[i][j] / 16 for i in small for j in small] for image in digits.images.tolist()]
    return images, digits.target.tolist()


def moons(
    count: int, rng: random.Random, noise: float = 0.1
) -> tuple[list[list[float]], list[int]]:
    """Points of two interleaved half circles, `count` of each, with labels 0 and 1.

    x → −x turns each half circle into the other.
    """
    points, labels = [], []
    for _ in range(count):
        for label, sign in ((0, 1), (1, -1)):
            angle = rng.uniform(0, math.pi)
            x1, x2 = math.cos(angle) - 0.5, math.sin(angle) - 0.25
            points.append([sign * x1 + rng.gauss(0, noise), sign * x2 + rng.gauss(0, noise)])
            labels.append(label)
    return points, labels


def people(count: int, rng: random.Random) -> tuple[list[list[float]], list[int]]:
    """Heights in cm and weights in kg of `count` invented women (1) and as many men (0)."""
    rows, labels = [], []
    for _ in range(count):
        for label, mean_height, extra in ((1, 165, 0), (0, 178, 3)):
            height = rng.gauss(mean_height, 6)
            rows.append([height, 22 * (height / 100) ** 2 + extra + rng.gauss(0, 6)])
            labels.append(label)
    return rows, labels
