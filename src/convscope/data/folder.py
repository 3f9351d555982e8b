"""A folder of pictures, each in the folder of its class, as a data set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from convscope.base import inputs
from convscope.base.errors import UserError, remedy
from convscope.base.names import natural
from convscope.base.parallel import side_by_side
from convscope.data import pictures
from convscope.data.datasets import DataSet

ORIGIN = "a folder of pictures"
TRAIN, TEST = "train", "test"
MAX_CLASSES = 1000
MAX_NAME = 60  # characters
# further names of parts that people use; classes with these names are parts misunderstood
PARTS = {TRAIN, TEST, "training", "testing", "val", "valid", "validation"}
# columns and rows of tables that also have columns and rows named after classes
RESERVED = {
    *("adjusted_p_value", "all", "class", "drop_percent", "filter", "gained", "layer", "lost"),
    *("max_class", "overall", "predicted", "true"),
}
NAMED = 5  # files in a message

Progress = Callable[[int, int], None]
Warn = Callable[[str], None]


@dataclass
class _Listing:
    """Files by class, in natural order, and the names of those that are no pictures."""

    classes: dict[str, list[Path]] = field(default_factory=dict)
    others: list[Path] = field(default_factory=list)


def read(
    folder: Path, test_fraction: float, seed: int, warn: Warn, progress: Progress | None = None
) -> DataSet:
    """The pictures below a folder, cut and scaled as ``pictures.read`` does.

    The folder holds a folder for each class, or ``train`` and ``test``, which hold those. Without
    these two, ``seed`` draws ``test_fraction`` of each class, one picture or more, to test on.
    Classes are in natural order of their names. In both parts, all classes are spread evenly from
    the first image to the last, so that the first so many hold some of each. Hidden files do not
    count. The data set depends on pixels, classes and the order of names, not on where it lies.

    Args:
        folder: Where the pictures are.
        test_fraction: Above 0 and below 1.
        seed: Decides the draw alone.
        warn: Is told, in a line each, of files that are no pictures and of pictures in both parts.
        progress: Called with the pictures read and those in all.

    Raises:
        UserError: The folder is not of this kind; or files are damaged, which it names.
    """
    if not folder.is_dir():
        is_file = "is a file: name the folder that it is in"
        what = is_file if folder.exists() else "is not there: name the folder of your pictures"
        raise UserError(f"params.yaml: data.path: {folder} {what}")
    parts = _parts(folder, warn)
    listed = {name: _listing(part) for name, part in parts.items()}
    inputs.note(str(folder), listed, lambda: {n: _listing(part) for n, part in parts.items()})
    if others := [path for listing in listed.values() for path in listing.others]:
        warn(f"left out, since their names do not end in {_kinds()}: {_named(others, folder)}")
    names = _class_names(folder, {name: listing.classes for name, listing in listed.items()})
    if len(parts) == 1:
        train, test = _split(listed[""].classes, test_fraction, seed)
    else:
        train, test = listed[TRAIN].classes, listed[TEST].classes
    return _dataset(folder, names, _spread(names, train), _spread(names, test), warn, progress)


def _parts(folder: Path, warn: Warn) -> dict[str, Path]:
    """The folders of the classes' folders: of both parts, or by the empty name the folder itself.

    Raises:
        UserError: One part is there, or something like it, and the other is not.
    """
    inside = {path.name for path in _visible(folder) if path.is_dir()}
    if {TRAIN, TEST} <= inside:
        if left := sorted(inside - {TRAIN, TEST}, key=natural):
            warn(f"{_listed(left)} in {folder} beside train and test: left out")
        return {name: folder / name for name in (TRAIN, TEST)}
    if found := sorted(name for name in inside if name.lower() in PARTS):
        raise UserError(
            f"params.yaml: data.path: {folder} holds {_listed(found)}, which looks like a part of "
            "the pictures, not a class: have two folders, train and test, in it, or only those of "
            "the classes"
        )
    return {"": folder}


def _listing(folder: Path) -> _Listing:
    """The files of every class of a part."""
    found = _Listing()
    for path in _visible(folder):
        if not path.is_dir():
            found.others.append(path)
            continue
        files = _visible(path)
        if inner := [each for each in files if each.is_dir()]:
            raise UserError(
                f"params.yaml: data.path: {inner[0]} is a folder inside the class "
                f"{path.name}: pictures lie in the folder of their class itself"
            )
        seen = {each: each.suffix.lower() in pictures.SUFFIXES for each in files}
        found.classes[path.name] = [each for each, is_picture in seen.items() if is_picture]
        found.others += [each for each, is_picture in seen.items() if not is_picture]
    return found


def _visible(folder: Path) -> list[Path]:
    """What a folder holds, without hidden files, in natural order of its names."""
    try:
        inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError(
            f"params.yaml: data.path: {folder} cannot be read ({reason}): {remedy(error)}"
        ) from None
    return sorted(inside, key=lambda path: (natural(path.name.casefold()), path.name))


def _class_names(folder: Path, parts: dict[str, dict[str, list[Path]]]) -> list[str]:
    """The classes, which all parts have, in natural order."""
    first, *others = parts.values()
    for other in others:
        if apart := sorted(set(first) ^ set(other), key=natural):
            lacking = TEST if apart[0] in first else TRAIN
            raise UserError(
                f"params.yaml: data.path: {folder / lacking} has no folder {apart[0]}, which the "
                "other part has: both need the same classes"
            )
    where = f"params.yaml: data.path: {folder}"
    if not 2 <= len(first) <= MAX_CLASSES:
        raise UserError(
            f"{where} holds {len(first)} folders of pictures: it needs a folder for each class, "
            f"2 to {MAX_CLASSES:,} of them"
        )
    for name in first:
        if name.lower() in RESERVED or len(name) > MAX_NAME or not name.isprintable():
            raise UserError(
                f"{where}: a class cannot be called {name[:MAX_NAME]!r}: rename its folder (names "
                f"have up to {MAX_NAME} printable characters, and are none of "
                f"{', '.join(sorted(RESERVED))})"
            )
    needed = 1 if others else 2
    for part, classes in parts.items():
        for name, files in classes.items():
            if len(files) < needed:
                raise UserError(
                    f"params.yaml: data.path: {folder / part / name} holds {len(files)} pictures: "
                    f"it needs {needed} or more, or take the folder away"
                )
    return list(first)


def _split(
    classes: dict[str, list[Path]], fraction: float, seed: int
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """The files of each class, two or more, drawn apart: to train on, and to test on."""
    generator = torch.Generator().manual_seed(seed)
    train, test = {}, {}
    for name, files in classes.items():
        count = min(max(round(fraction * len(files)), 1), len(files) - 1)
        drawn = set(torch.randperm(len(files), generator=generator)[:count].tolist())
        train[name] = [path for at, path in enumerate(files) if at not in drawn]
        test[name] = [path for at, path in enumerate(files) if at in drawn]
    return train, test


def _spread(names: Sequence[str], classes: dict[str, list[Path]]) -> list[tuple[Path, int]]:
    """Files with their labels, every class spread evenly over all."""
    placed = [
        ((2 * at + 1) / (2 * len(classes[name])), label, path)
        for label, name in enumerate(names)
        for at, path in enumerate(classes[name])
    ]
    return [(path, label) for _, label, path in sorted(placed, key=lambda each: each[:2])]


def _dataset(
    folder: Path,
    names: Sequence[str],
    train: Sequence[tuple[Path, int]],
    test: Sequence[tuple[Path, int]],
    warn: Warn,
    progress: Progress | None,
) -> DataSet:
    """Both parts, read and looked through for pictures that are in both."""
    files = [path for path, _ in (*train, *test)]
    images = _images(files, folder, progress)
    _warn_of_shared(files, images, len(train), folder, warn)
    labels = [torch.tensor([label for _, label in part]) for part in (train, test)]
    known, asked = images[: len(train)], images[len(train) :]
    return DataSet(known, labels[0], asked, labels[1], tuple(names), {}, ORIGIN, md5="")


def _images(files: Sequence[Path], folder: Path, progress: Progress | None) -> torch.Tensor:
    """All pictures, (N, 3, 32, 32) uint8; those that cannot be read are named together."""
    found, damaged = [], []

    def one(path: Path) -> torch.Tensor | None:
        inputs.note_file(path)
        try:
            return pictures.read(path)
        except UserError:
            return None

    images = side_by_side(one, files, torch.device("cpu"))
    for done, (path, image) in enumerate(zip(files, images, strict=True), start=1):
        if image is None:
            damaged.append(path)
        else:
            found.append(image)
        if progress is not None:
            progress(done, len(files))
    if damaged:
        raise UserError(
            f"params.yaml: data.path: {folder} holds files that cannot be read as pictures: "
            f"{_named(damaged, folder)}: repair them or take them away"
        )
    return torch.stack(found)


def _warn_of_shared(
    files: Sequence[Path], images: torch.Tensor, trained: int, folder: Path, warn: Warn
) -> None:
    """Say which pictures to test on have the pixels of one to train on."""
    pixels = [image.numpy().tobytes() for image in images]
    known = dict(zip(pixels[:trained], files[:trained], strict=True))
    tested = zip(files[trained:], pixels[trained:], strict=True)
    pairs = [(path, known[content]) for path, content in tested if content in known]
    if pairs:
        same = [f"{_inside(one, folder)} = {_inside(other, folder)}" for one, other in pairs]
        warn(
            f"{len(pairs)} of the pictures to test on are among those to train on too, pixel by "
            f"pixel, which flatters accuracies: take one of each pair away: {_listed(same)}"
        )


def _named(paths: Sequence[Path], folder: Path) -> str:
    return _listed([_inside(path, folder) for path in paths])


def _inside(path: Path, folder: Path) -> str:
    empty = " (empty)" if path.is_file() and not path.stat().st_size else ""
    return f"{path.relative_to(folder)}{empty}"


def _listed(texts: Sequence[str]) -> str:
    """The first of some texts, and how many more there are."""
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return ", ".join(texts[:NAMED]) + more


def _kinds() -> str:
    return ", ".join(pictures.SUFFIXES[:-1]) + f" or {pictures.SUFFIXES[-1]}"
