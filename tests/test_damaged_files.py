import gzip
import json
import os
import pickle
import random
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from convscope.base import files
from convscope.base.errors import UserError
from convscope.data import cifar, cifar_archive, datasets
from convscope.data.archives import Archive
from tests import archive_samples as samples
from tests import projects, toys
from tests.archive_samples import md5_of, packed, written

PY = "cifar-10-batches-py"
FIRST = f"{PY}/data_batch_1"
LAYOUTS = {"python": samples.python_members(), "binary": samples.binary_members()}
LONGEST = 700


@pytest.fixture
def fence(tmp_path):
    """A data folder with surroundings that must stay as they are; the data folder."""
    for name in ("secret", "inner/secret"):
        files.write_text(tmp_path / name, "mine")
    (tmp_path / "inner/data").mkdir()
    before = surroundings(tmp_path)
    yield tmp_path / "inner/data"
    assert surroundings(tmp_path) == before


def surroundings(folder):
    """What is around the data folder: bytes, and when files were changed."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
        if "data" not in path.relative_to(folder).parts
    }


def refusal(path, read, *arguments):
    """The line with which a file is refused, None if it is accepted."""
    try:
        read(*arguments)
    except UserError as error:
        message = str(error)
        assert "\n" not in message
        assert str(path) in message
        assert len(message) <= LONGEST + 2 * len(str(path))
        return message


def archive(folder, content, md5=None):
    """Read an archive as the download stage does; its refusal, or None."""
    path = written(folder / "toy.tar.gz", content)
    source = Archive(url=path.as_uri(), md5=md5 or md5_of(content))
    found = []
    message = refusal(
        path, lambda: found.append(cifar.read("cifar10", [source], folder / "downloads"))
    )
    assert [each.name for each in folder.iterdir()] == ["toy.tar.gz"]
    for data in found:
        pixels = torch.cat([data.train_images, data.test_images]).flatten(1).numpy()
        assert pixels.shape == samples.PIXELS.shape
        message = None if np.array_equal(pixels, samples.PIXELS) else "other pixels"
    return message


def flipped(content, rng, first=0, last=None):
    """The bytes with one to three bits flipped."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        changed[rng.randrange(first, last or len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", range(25))
def test_flipped_bits_of_an_archive_are_refused_or_matter_nothing(layout, seed, fence):
    rng, whole = random.Random(seed), packed(LAYOUTS[layout])
    compressed = flipped(whole, rng)
    assert "its md5 is" in archive(fence, compressed, md5_of(whole))
    assert archive(fence, compressed) != "other pixels"
    tar = bytearray(gzip.decompress(whole))
    headers = [at for at in range(0, len(tar), 512) if tar[at : at + 6] == b"cifar-"]
    start = rng.choice(headers)
    tar[start + 100 : start + 500] = flipped(tar[start + 100 : start + 500], rng)
    # with a right checksum the header's fields are believed
    tar[start + 148 : start + 156] = b" " * 8
    tar[start + 148 : start + 156] = b"%06o\0 " % sum(tar[start : start + 512])
    assert archive(fence, gzip.compress(bytes(tar), 1)) != "other pixels"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", range(15))
def test_a_cut_archive_is_refused(layout, seed, fence):
    whole = packed(LAYOUTS[layout])
    kept = whole[: random.Random(seed).randrange(len(whole))]
    assert "is damaged or not a CIFAR-10 archive" in archive(fence, kept)
    assert "its md5 is" in archive(fence, kept, md5_of(whole))


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_pickle_is_refused_or_holds_pixels(seed, fence):
    rng, whole = random.Random(seed), LAYOUTS["python"][FIRST]
    opcodes = (0, 240) if seed % 2 else (len(whole) - 40, len(whole))
    batch = flipped(whole, rng, *opcodes)
    message = archive(fence, packed({**LAYOUTS["python"], FIRST: batch}))
    assert message in (None, "other pixels") or "is damaged or not a CIFAR-10 archive" in message


@pytest.mark.parametrize(
    "kind", ["SYMTYPE", "LNKTYPE", "CHRTYPE", "BLKTYPE", "FIFOTYPE", "GNUTYPE_SPARSE"]
)
@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "../../secret"])
def test_links_devices_and_holes_are_not_read(kind, target, fence):
    links = [(name, target) for name in (f"../{FIRST}", f"/tmp/{FIRST}", FIRST)]
    content = packed({}, links, getattr(tarfile, kind))
    assert f"{FIRST} is not a plain file" in archive(fence, content)


OPEN = "open({!r}, 'w')"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("function", "code"), [(os.system, "touch {}"), (eval, OPEN), (exec, OPEN), (np.save, "{}")]
)
def test_code_in_a_pickle_is_not_run(function, code, protocol, fence):
    trace = fence / "trace.npy"
    gadget = toys.Gadget(function, code.format(str(trace)), *([[1]] if function is np.save else []))
    attack = pickle.dumps({"data": gadget, "labels": [1]}, protocol)
    if function is not os.system:
        pickle.loads(attack)
        trace.unlink()
    assert "which is not an array" in archive(fence, packed({**LAYOUTS["python"], FIRST: attack}))


def tar_header(size, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo("a")
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


CHAINED = tar_header(6, tarfile.XHDTYPE) + b"6 a=b\n" + bytes(506)
HOSTILE = {
    "zeros": b"".join([gzip.compress(bytes(1 << 24))] * 40),
    "chained headers": gzip.compress(CHAINED * 3000 + bytes(1024)),
    "negative size": gzip.compress(tar_header(-512) * 2),
    "huge size": gzip.compress(tar_header(0x7F << 80) + bytes(1024)),
    **{
        name: packed({**LAYOUTS["python"], FIRST: attack})
        for name, attack in {
            "numbered objects": b"\x80\x02}r" + struct.pack("<I", 2**31) + b".",
            "long bytes": b"\x80\x05\x96" + struct.pack("<Q", 2**35) + b"abc.",
            "long name": b"\x80\x02c" + b"n" * 10**6 + b"\nx\n.",
            "long type": b"cnumpy\ndtype\n(X" + struct.pack("<I", 10**6) + b"y" * 10**6 + b"tR.",
        }.items()
    },
}


# each archive is read in a fork, whose memory has not grown yet
READ = """
import os, resource, sys
from pathlib import Path
from convscope.data import cifar_archive
from convscope.base.errors import UserError
for path in sys.argv[1:]:
    if os.fork() == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            cifar_archive.read(Path(path))
        except UserError as error:
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            print(path, grown << 10, len(str(error)) - len(path), sep="\\t", flush=True)
        os._exit(0)
    os.wait()
"""


def test_a_bomb_is_refused_in_little_memory(fence):
    archives = [str(written(fence / f"{name}.tar.gz", HOSTILE[name])) for name in HOSTILE]
    assert max(Path(path).stat().st_size for path in archives) < 1 << 20
    done = projects.python("-c", READ, *archives)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [path for path, _, _ in rows] == archives, done.stderr
    for path, grown, length in rows:
        # the bytes are read at once, and a buffer that grows is copied
        assert int(grown) < 3 * cifar_archive.MAX_UNPACKED_BYTES, path
        assert int(length) < LONGEST, path


def header_of(content):
    """Where a safetensors file's header ends, and the header."""
    (length,) = struct.unpack("<Q", content[:8])
    return 8 + length, json.loads(content[8 : 8 + length])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """The bytes of a toy data set's file."""
    path = tmp_path_factory.mktemp("whole") / "dataset.safetensors"
    datasets.save(toys.red_or_blue(4, 2), path)
    return path.read_bytes()


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_data_set_is_refused_or_has_its_pixels(seed, dataset, fence):
    rng, path = random.Random(seed), fence / "dataset.safetensors"
    end, _ = header_of(dataset)
    path.write_bytes(dataset[: rng.randrange(len(dataset))])
    assert "run `convscope download`" in refusal(path, datasets.load, path)
    path.write_bytes(flipped(dataset, rng, 0, end))
    message = refusal(path, datasets.load, path)
    if message is None:
        wanted = toys.red_or_blue(4, 2).tensors()
        assert all(torch.equal(t, wanted[key]) for key, t in datasets.load(path).tensors().items())


@pytest.mark.parametrize("key", ["train_images", "train_labels"])
@pytest.mark.parametrize(
    "change",
    [
        *({"dtype": name} for name in ("F4", "F8_E8M0", "C64", "BOOL", "U64", "I8", "F32", "x")),
        *({"shape": shape} for shape in ([], [-1], [1.5], [2**62, 4], [2**64], [0, 2**62], "x")),
        *({"data_offsets": part} for part in ([0, 2**63], [-1, 3], [9, 0], [0, 10**9], [0])),
        {"name": "others"},
    ],
)
def test_a_data_set_with_another_header_is_refused(key, change, dataset, fence):
    end, header = header_of(dataset)
    header[change.get("name", key)] = {**header.pop(key), **change}
    path = fence / "dataset.safetensors"
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + dataset[end:])
    assert "is damaged" in refusal(path, datasets.load, path)


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**40, 2**63, 2**64 - 1])
@pytest.mark.parametrize(
    "header",
    [b"{}", b"[" * 10**6, b'{"__metadata__": {"convscope": "%s"}}' % (b"[" * 10**5)],
    ids=["empty", "nested", "nested metadata"],
)
def test_a_header_that_lies_of_its_length_or_is_not_a_mapping_is_refused(length, header, fence):
    path = written(fence / "dataset.safetensors", struct.pack("<Q", length) + header)
    assert "is damaged" in refusal(path, datasets.load, path)
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    assert "is damaged" in refusal(path, datasets.load, path)
