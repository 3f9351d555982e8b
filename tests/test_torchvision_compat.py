from unittest.mock import Mock

import pytest

from tests import projects, torchvision_compat
from tests.torchvision_compat import import_torchvision

# a process of its own: an import that failed once leaves its traces in the process
WITH_THIS_TORCH = """
import sys

assert "torchvision" not in sys.modules
try:
    import torchvision
except RuntimeError as error:
    assert "operator torchvision::nms does not exist" in str(error), error

import torch
from tests.torchvision_compat import import_torchvision

functional = import_torchvision("torchvision.transforms.v2.functional")
image = torch.arange(12.0).reshape(3, 2, 2)
assert functional.horizontal_flip(image).equal(image.flip(-1))
assert import_torchvision() is __import__("torchvision")
print("imported")
"""


@pytest.mark.usefixtures("warm_python")
def test_torchvision_is_imported_whether_or_not_a_plain_import_works():
    done = projects.python("-c", WITH_THIS_TORCH)
    assert (done.returncode, done.stdout) == (0, "imported\n"), done.stderr


def test_other_errors_of_the_import_are_not_hidden(monkeypatch):
    broken = Mock(side_effect=RuntimeError("out of memory"))
    monkeypatch.setattr(torchvision_compat.importlib, "import_module", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        import_torchvision()
