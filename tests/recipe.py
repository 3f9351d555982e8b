"""CONTRIBUTING.md's recipe for another network, followed step by step with a small net5."""

from pathlib import Path

from ruamel.yaml import YAML

from tests import projects

LAYERS = """
def _net5(shape: Shape) -> list[Layer]:
    first: list[Layer] = [shape.conv(0, padding=1), Norm(), ReLU(), Pool()]
    return [*first, shape.conv(1), ReLU(), Pool(), *_head(shape)]


@dataclass(frozen=True)
class Net:"""
# by file: what the recipe adds to, and what is there then
ADDED = {
    "src/convscope/nets/zoo.py": [
        ("\n@dataclass(frozen=True)\nclass Net:", LAYERS),
        ("\n}\n\n\ndef layers(", '\n    "net5": Net(_net5, Shape(16)),\n}\n\n\ndef layers('),
    ],
    "dvc.yaml": [
        ("[net1, net2, net3, net4]\n    do", "[net1, net2, net3, net4, net5]\n    do"),
        ("class_accuracy.csv: [net1,", "class_accuracy.csv: [net5, net1,"),
        ("  reports/train/net4/", "  reports/train/net5/metrics.json, reports/train/net4/"),
        (
            "  - net4: ",
            "  - net5: {<<: *curves, y: {models/net5/history.csv: test_accuracy},\n"
            "      title: 'net5, a line a run'}\n  - net4: ",
        ),
        ("\n  net4: {path", "\n  net5: {path: models/net5, type: model}\n  net4: {path"),
    ],
}
SENTENCE = (
    "The study does not have this network: 2 convolutions (3x3) of 4 and 8 filters, "
    "batch normalization after 1, 2 poolings, 3 fully connected layers."
)


def add_network(project: projects.Project) -> None:
    """Add net5 to a shrunk copy of the project."""
    for name, changes in ADDED.items():
        path = project.folder / name
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, f"{name}: {old}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    section = {**projects.shrunk()["nets"]["net2"], "batch_size": [16]}
    for name in ("conf/study/published.yaml", "params.yaml"):
        _with_section(project.folder / name, section)


def _with_section(path: Path, section: dict[str, object]) -> None:
    yaml = YAML()
    content = yaml.load(path.read_text(encoding="utf-8"))
    content["nets"]["net5"] = section
    yaml.dump(content, path)
