import pytest

from convscope.base import paths


@pytest.mark.parametrize(("net", "stage"), [("net4", "train@net4"), ("baseline", "baseline")])
def test_a_networks_stage_is_known_by_its_name(net, stage):
    assert paths.stage_of(net) == stage
    assert paths.net_of(stage) == net
    assert paths.net_of("occlusion") is None


@pytest.mark.parametrize(
    ("folder", "command"),
    [
        ("train/net1", "train net1"),
        ("train/baseline/by_lr_batch_size", "baseline"),
        ("occlusion/by_window.csv", "occlusion"),
        ("claims.json", "claims.json"),
    ],
)
def test_a_files_command_follows_from_its_folder(folder, command):
    assert paths.command_of(folder) == command
