"""Lines about archives, folders of pictures, and pictures."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from convscope.config.params_file import load
from convscope.data import cifar_folder
from convscope.data import pictures as module
from convscope.stages import download
from tests import archive_samples as samples
from tests import toys
from tests.remedies.row import Row, each, nothing, params, remove, replaced, write

OWN, PY = Path("own"), "cifar-10-batches-py"
GOOD = samples.packed(samples.python_members())
PAGE = b"<html>sign in</html>"
IN_OWN = params(data={"source": "folder", "path": "own"})
UNPACKED = params(data={"source": "cifar10", "path": "own"})


def read():
    """The images of params.yaml, as the stage download reads them."""
    return download._read(load().data)


def picture(path):
    """Draw a picture, another for every path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    color = np.frombuffer(hashlib.sha512(bytes(path)).digest()[:48], np.uint8).reshape(4, 4, 3)
    Image.fromarray(color).save(path)


def pictured(**counts):
    """So many pictures in folders (``__`` is a slash)."""

    def do(_):
        for name, count in counts.items():
            folder = OWN / name.replace("__", "/")
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                picture(folder / f"{number}.png")

    return do


def away(*names):
    """Take a folder of pictures away."""
    return lambda _: [shutil.rmtree(OWN / name) for name in names]


def moved(old, new):
    """Rename what is among the pictures."""
    return lambda _: (OWN / old).rename(OWN / new)


def listed(content, name="archive.tar.gz", md5=None):
    """List an archive that is here."""
    entry = {"url": f"file:{name}", "md5": md5 or samples.md5_of(content)}
    listing = params(data={"source": "cifar10", "archives": [entry]})
    return each(write(name, content), listing)


def torchvisions(patch):
    """The toy's files as torchvision would have unpacked them."""
    files = {name.rpartition("/")[2]: held for name, held in samples.python_members().items()}
    for name, content in files.items():
        write(OWN / PY / name, content)(patch)
    md5s = {name: samples.md5_of(content) for name, content in files.items()}
    patch.setitem(cifar_folder.UNPACKED, "cifar10", cifar_folder.Unpacked("m" * 32, md5s))


def head():
    return toys.red_or_blue().head(load().data.train_images, None)


def own_picture():
    return module.read(Path("a.png"))


def refused(path):
    raise PermissionError(13, "Permission denied", str(path))


def same(_):
    """A picture in both parts."""
    shutil.copy(OWN / "train/a/0.png", OWN / "test/a/0.png")


AT = "params.yaml: data.path: own"
LISTED = "params.yaml: data.archives"
SET = (
    "To go on offline, download one of them by any means and set data.archives to "
    "[{url: file:///path/of/the/archive.tar.gz, md5: the md5 given here with its url}], "
    "or use data=digits"
)
NAME = (
    "rename its folder (names have up to 60 printable characters, and are none of "
    "adjusted_p_value, all, class, drop_percent, filter, gained, layer, lost, max_class, overall, "
    "predicted, true)"
)
LEAVE = "or leave data.path out"
TWO = each(IN_OWN, pictured(a=5, b=5))
SPLIT = each(IN_OWN, pictured(train__a=1, train__b=1, test__a=1, test__b=1))

ROWS = [
    Row(
        "data/archives.fetch",
        f"{LISTED}: no archive is available: file:archive.tar.gz, md5 {samples.md5_of(GOOD)} (No "
        f"such file or directory). {SET}",
        read,
        each(listed(GOOD), remove("archive.tar.gz")),
        listed(GOOD),
    ),
    Row(
        "data/archives.fetch",
        f"{LISTED}: no archive is available: file:archive.tar.gz, md5 {'0' * 32} (it is a web "
        f"page: its md5 is {samples.md5_of(PAGE)}, not {'0' * 32}). {SET}",
        read,
        listed(PAGE, md5="0" * 32),
        params(),
    ),
    Row(
        "data/archives.fetch",
        f"{LISTED}: no archive is available: file:own, md5 {'0' * 32} (it is a folder: name it "
        f"in data.path). {SET}",
        read,
        each(
            torchvisions,
            params(data={"source": "cifar10", "archives": [{"url": "file:own", "md5": "0" * 32}]}),
        ),
        UNPACKED,
    ),
    Row(
        "data/cifar_archive.read",
        f"{LISTED}: archive.tar.gz is damaged or not a CIFAR-10 archive (it is a web page, as a "
        "site sends to those who are to sign in): list an archive with the files of the "
        "official python or binary version (a copy with the same md5 is the same)",
        read,
        listed(PAGE),
        listed(GOOD),
    ),
    Row(
        "data/cifar_folder.read",
        f"{AT}/{PY}/data_batch_3 cannot be read (No such file or directory): name the folder "
        f"into which torchvision.datasets put {PY}, {LEAVE}",
        read,
        each(UNPACKED, torchvisions, lambda _: (OWN / PY / "data_batch_3").rename("b")),
        lambda _: Path("b").rename(OWN / PY / "data_batch_3"),
    ),
    Row(
        "data/cifar_folder.read 2",
        f"{AT}/{PY}/data_batch_3 is not CIFAR-10's: its md5 is …, not …: unpack the archive once "
        f"more, {LEAVE}",
        read,
        each(UNPACKED, torchvisions, write(OWN / PY / "data_batch_3", b"cut")),
        torchvisions,
    ),
    Row(
        "data/datasets.DataSet.head",
        "params.yaml: data.train_images is 41: take 1 to 40 images, or null for all 40",
        head,
        params(data__train_images=41),
        params(data__train_images=None),
    ),
    Row(
        "data/folder.read",
        f"{AT} is not there: name the folder of your pictures",
        read,
        IN_OWN,
        pictured(a=5, b=5),
    ),
    Row(
        "data/folder.read",
        f"{AT}/a/0.png is a file: name the folder that it is in",
        read,
        each(TWO, params(data={"source": "folder", "path": "own/a/0.png"})),
        IN_OWN,
    ),
    Row(
        "data/folder.read 2",
        "download: left out, since their names do not end in .png, .jpg, .jpeg, .webp, .bmp, "
        ".gif, .tif or .tiff: a/list.csv (empty), notes.txt (empty)",
        read,
        each(TWO, write(OWN / "a/list.csv", ""), write(OWN / "notes.txt", "")),
        each(remove(OWN / "a/list.csv"), remove(OWN / "notes.txt")),
    ),
    Row(
        "data/folder._parts",
        "download: more in own beside train and test: left out",
        read,
        each(SPLIT, pictured(more=1)),
        away("more"),
    ),
    Row(
        "data/folder._parts 2",
        f"{AT} holds train, which looks like a part of the pictures, not a class: have two "
        "folders, train and test, in it, or only those of the classes",
        read,
        each(TWO, pictured(train__a=1, train__b=1)),
        each(away("a", "b"), pictured(test__a=1, test__b=1)),
    ),
    Row(
        "data/folder._listing",
        f"{AT}/a/more is a folder inside the class a: pictures lie in the folder of their class "
        "itself",
        read,
        each(TWO, pictured(a__more=1)),
        each(moved("a/more/0.png", "a/9.png"), away("a/more")),
    ),
    Row(
        "data/folder._visible",
        f"{AT} cannot be read (Permission denied): give access there",
        read,
        each(TWO, replaced(Path, "iterdir", refused)),
        "tests may run as root",
    ),
    Row(
        "data/folder._class_names",
        f"{AT}/test has no folder c, which the other part has: both need the same classes",
        read,
        each(SPLIT, pictured(train__c=1)),
        pictured(test__c=1),
    ),
    Row(
        "data/folder._class_names 2",
        f"{AT} holds 1 folders of pictures: it needs a folder for each class, 2 to 1,000 of them",
        read,
        each(IN_OWN, pictured(a=5)),
        pictured(b=5),
    ),
    Row(
        "data/folder._class_names 3",
        f"{AT}: a class cannot be called 'all': {NAME}",
        read,
        each(TWO, pictured(all=5)),
        moved("all", "others"),
    ),
    Row(
        "data/folder._class_names 3",
        f"{AT}: a class cannot be called '{'y' * 60}': {NAME}",
        read,
        each(TWO, pictured(**{"y" * 200: 5})),
        moved("y" * 200, "y"),
    ),
    Row(
        "data/folder._class_names 3",
        f"{AT}: a class cannot be called 'c\\nd': {NAME}",
        read,
        each(TWO, pictured(**{"c\nd": 5})),
        moved("c\nd", "c $d"),
    ),
    Row(
        "data/folder._class_names 4",
        f"{AT}/b holds 1 pictures: it needs 2 or more, or take the folder away",
        read,
        each(IN_OWN, pictured(a=5, b=1, c=5)),
        away("b"),
    ),
    Row(
        "data/folder._images",
        f"{AT} holds files that cannot be read as pictures: a/0.png (empty), b/1.png: repair "
        "them or take them away",
        read,
        each(TWO, write(OWN / "a/0.png", ""), write(OWN / "b/1.png", "x")),
        each(remove(OWN / "a/0.png"), lambda _: picture(OWN / "b/1.png")),
    ),
    Row(
        "data/folder._warn_of_shared",
        "download: 1 of the pictures to test on are among those to train on too, pixel by pixel, "
        "which flatters accuracies: take one of each pair away: test/a/0.png = train/a/0.png",
        read,
        each(SPLIT, same, lambda _: picture(OWN / "test/a/1.png")),
        remove(OWN / "test/a/0.png"),
    ),
    Row(
        "data/pictures.read",
        "a.png is missing: name a picture that is there",
        own_picture,
        nothing,
        lambda _: picture(Path("a.png")),
    ),
    Row(
        "data/pictures._refused",
        "a.png is not a picture that can be read (its format is not known): give a "
        "PNG, JPEG or WebP file",
        own_picture,
        write("a.png", "x"),
        lambda _: picture(Path("a.png")),
    ),
]
