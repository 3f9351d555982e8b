import errno

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from convscope.base import tensors as module
from convscope.base.errors import UserError
from convscope.base.tensors import read_tensors, write_tensors


def test_tensors_and_metadata_read_back(tmp_path):
    tensors = {
        "weights": torch.arange(6.0).reshape(2, 3).t().requires_grad_(),  # not contiguous
        "labels": torch.tensor([3, 1]),
        "halves": torch.tensor(0.5, dtype=torch.bfloat16),
    }
    write_tensors(tmp_path / "a.safetensors", tensors, {"classes": '["é", "b"]', "url": ""})
    found, metadata = read_tensors(tmp_path / "a.safetensors", "download")
    assert metadata == {"classes": '["é", "b"]', "url": ""}
    torch.testing.assert_close(found, tensors, rtol=0, atol=0)


def test_the_same_tensors_give_the_same_bytes_in_whatever_order(tmp_path):
    tensors = {f"t{i}": torch.full((2,), float(i)) for i in range(5)}
    metadata = {f"key{i}": str(i) for i in range(8)}
    write_tensors(tmp_path / "a", tensors, metadata)
    turned = dict(reversed(tensors.items())), dict(reversed(metadata.items()))
    write_tensors(tmp_path / "b", *turned)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("header", ["{cut", "[]"])
def test_metadata_that_is_not_a_mapping_is_damage(header, tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(1)}, path, metadata={"convscope": header})
    with pytest.raises(UserError, match=f"^{path} is damaged .*run `convscope train net4`"):
        read_tensors(path, "train net4")


def test_tensors_of_others_have_no_metadata(tmp_path):
    save_file({"a": torch.ones(1)}, tmp_path / "a.safetensors")
    assert read_tensors(tmp_path / "a.safetensors", "train")[1] == {}


@pytest.mark.parametrize("kind", [SafetensorError, OSError])
def test_good_tensors_that_a_file_system_does_not_map_are_not_called_damaged(
    kind, tmp_path, monkeypatch
):
    write_tensors(path := tmp_path / "a.safetensors", {"a": torch.ones(1)})

    def refuse(*_, **__):
        raise kind("Error while mapping: No such device (os error 19)")

    monkeypatch.setattr(module, "safe_open", refuse)
    with pytest.raises(OSError, match="No such device") as refused:
        read_tensors(path, "train net4")
    assert (refused.value.errno, refused.value.filename) == (errno.ENODEV, str(path))
