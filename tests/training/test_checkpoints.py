import random

import pytest
import torch

from convscope.base.tensors import read_tensors, write_tensors
from convscope.training import checkpoints
from convscope.training.checkpoints import Checkpoint


def state():
    generator = torch.Generator().manual_seed(0)
    weights = {
        "conv1.weight": torch.randn(2, 3, 3, 3, generator=generator),
        "norm1.num_batches_tracked": torch.tensor(7),
    }
    momentum = {"conv1.weight": torch.randn(2, 3, 3, 3, generator=generator)}
    best = {key: value + 1 for key, value in weights.items()}
    return Checkpoint(weights, momentum, best, [{"epoch": 1, "loss": 0.5}], ["a processor"])


def assert_same(found, expected):
    kinds = ("module", "momentum", "best", "history")
    parts = [{kind: getattr(each, kind) for kind in kinds} for each in (found, expected)]
    torch.testing.assert_close(*parts, rtol=0, atol=0)
    assert found.computed_on == expected.computed_on


def test_what_is_written_is_read_back(tmp_path):
    checkpoints.write(tmp_path / "a", state())
    assert_same(checkpoints.read(tmp_path / "a"), state())
    channels_last = state()
    for key, value in channels_last.module.items():
        if value.dim() == 4:
            channels_last.module[key] = value.contiguous(memory_format=torch.channels_last)
    checkpoints.write(tmp_path / "b", channels_last)
    assert_same(checkpoints.read(tmp_path / "b"), state())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_without_momentum_there_are_no_buffers(tmp_path):
    plain = Checkpoint(state().module, {}, state().best, [], [])
    checkpoints.write(tmp_path / "a", plain)
    assert_same(checkpoints.read(tmp_path / "a"), plain)


@pytest.mark.parametrize("seed", range(40))
def test_a_changed_bit_makes_it_none_or_changes_nothing(seed, tmp_path):
    path, rng = tmp_path / "a", random.Random(seed)
    checkpoints.write(path, state())
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    found = checkpoints.read(path)
    if found is not None:  # a bit of the header's padding
        assert_same(found, state())


def test_another_shape_type_name_or_history_is_none(tmp_path):
    path = tmp_path / "a"
    checkpoints.write(path, state())
    tensors, metadata = read_tensors(path, "train")
    name = "module.conv1.weight"
    changed = [
        ({**tensors, name: tensors[name].reshape(3, 2, 3, 3)}, metadata),
        ({**tensors, name: tensors[name].view(torch.int32)}, metadata),
        ({"other": tensors[name]}, metadata),
        (tensors, {**metadata, "rest": metadata["rest"].replace("0.5", "0.4")}),
        (tensors, {"rest": metadata["rest"]}),
        (tensors, {"digest": metadata["digest"]}),
        (tensors, {}),
    ]
    for these, said in changed:
        write_tensors(path, these, said)
        assert checkpoints.read(path) is None
    write_tensors(path, tensors, metadata)
    assert_same(checkpoints.read(path), state())
