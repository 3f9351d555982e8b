"""Toy CIFAR archives: three images a batch, in both official layouts."""

import gzip
import hashlib
import io
import pickle
import tarfile
from struct import pack

import numpy as np

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
BATCHES = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
EACH = 3

PIXELS = np.random.default_rng(0).integers(0, 256, (6 * EACH, 3072)).astype(np.uint8)
LABELS = [(7 * index) % 10 for index in range(6 * EACH)]

# of CIFAR-100, whose archives also have the group of each class
FINE = [f"fine_{number}" for number in range(100)]
FINE_LABELS = [(37 * index) % 100 for index in range(2 * EACH)]

Members = dict[str, bytes]


def batch(number):
    """A batch's pixels, (3, 3072), and labels."""
    part = slice(number * EACH, (number + 1) * EACH)
    return PIXELS[part], LABELS[part]


def python2_pickle(pixels, labels):
    """The opcodes in which Python 2 pickled the official batches (protocol 2, byte strings)."""
    shape = b"M" + pack("<H", len(pixels)) + b"M" + pack("<H", pixels.shape[1]) + b"\x86"
    return (
        b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03"
        + b"U\x06labelsq\x04]q\x05("
        + b"".join(b"K" + bytes([label]) for label in labels)
        + b"eU\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08"
        + b"K\x00\x85U\x01b\x87Rq\x09(K\x01"
        + shape
        + b"cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87Rq\x0b"
        + b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + b"T"
        + pack("<i", pixels.nbytes)
        + pixels.tobytes()
        + b"tbU\x09filenamesq\x0c]q\x0du."
    )


def python_members():
    """The members of a toy archive in the python layout, pickled as by Python 2."""
    members = {name: python2_pickle(*batch(number)) for number, name in enumerate(BATCHES)}
    members["batches.meta"] = pickle.dumps({b"label_names": [name.encode() for name in CLASSES]})
    return {f"cifar-10-batches-py/{name}": content for name, content in members.items()}


def binary_members():
    """The members of a toy archive in the binary layout."""
    records = np.column_stack([np.array(LABELS, np.uint8), PIXELS]).reshape(6, EACH, -1)
    members = {f"{name}.bin": each.tobytes() for name, each in zip(BATCHES, records, strict=True)}
    members["batches.meta.txt"] = "\n".join(CLASSES).encode()
    return {f"cifar-10-batches-bin/{name}": content for name, content in members.items()}


def python100_members():
    """The members of a toy CIFAR-100 archive in the python layout."""
    members = {"meta": {b"fine_label_names": [name.encode() for name in FINE]}}
    for number, name in enumerate(("train", "test")):
        part = slice(number * EACH, (number + 1) * EACH)
        fine = FINE_LABELS[part]
        coarse = [label // 5 for label in fine]
        members[name] = {b"data": PIXELS[part], b"fine_labels": fine, b"coarse_labels": coarse}
    return {f"cifar-100-python/{name}": pickle.dumps(held) for name, held in members.items()}


def binary100_members():
    """The members of a toy CIFAR-100 archive in the binary layout: coarse label, fine, pixels."""
    fine = np.array(FINE_LABELS, np.uint8)
    records = np.column_stack([fine // 5, fine, PIXELS[: 2 * EACH]]).reshape(2, EACH, -1)
    members = {"train.bin": records[0].tobytes(), "test.bin": records[1].tobytes()}
    members["fine_label_names.txt"] = "\n".join(FINE).encode() + b"\n"
    return {f"cifar-100-binary/{name}": content for name, content in members.items()}


def packed(members, links=(), kind=tarfile.SYMTYPE):
    """Members, by name or in pairs, and links of a kind with their targets, as a .tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members.items() if isinstance(members, dict) else members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            tar.addfile(info)
    return gzip.compress(out.getvalue(), mtime=0)  # the same bytes at any time


def written(path, content):
    """The path, once the content is there."""
    path.write_bytes(content)
    return path


def md5_of(content):
    """The md5 that an entry of data.archives states."""
    return hashlib.md5(content).hexdigest()


def assert_complete(found):
    """That arrays, or a data set, hold all of the toy's images and labels in their order."""
    images = PIXELS.reshape(-1, 3, 32, 32)
    for part, place in (("train", slice(5 * EACH)), ("test", slice(5 * EACH, None))):
        np.testing.assert_array_equal(getattr(found, f"{part}_images"), images[place])
        assert getattr(found, f"{part}_labels").tolist() == LABELS[place]
