import pickle
from dataclasses import replace

from convscope.nets import zoo
from convscope.training import run as runs
from tests import toys


def test_the_id_names_the_point_and_nothing_else():
    run = toys.run(lr=0.01, dropout_rate=0.0, filter_multiplier=1.5)
    assert run.id == "l1_oc4-m1.5-k3-s1-d0-lr0.01-b16-mom0.9-seed0"
    assert toys.run(epochs=9, lr=0.01, filter_multiplier=1.5).id == run.id


def test_ids_tell_close_points_apart():
    assert toys.run(lr=0.010000001).id != toys.run(lr=0.01).id


def test_whatever_a_result_depends_on_changes_the_fingerprint():
    changes = {"lr": 0.1, "seed": 1, "epochs": 3, "net": "net2", "data": "other"}
    changes |= {
        "augment": toys.AUGMENTED,
        "select_on": "validation",
        "precision": "bf16",
        "threads": 2,
    }
    changed = {toys.run(**{key: value}).fingerprint for key, value in changes.items()}
    assert len({toys.run().fingerprint, *changed}) == 1 + len(changes)


def test_the_held_out_part_counts_only_where_it_selects():
    assert toys.run(validation_fraction=0.2).fingerprint == toys.run().fingerprint
    selecting = {"select_on": "validation"}
    smaller = toys.run(validation_fraction=0.2, **selecting)
    assert smaller.fingerprint != toys.run(**selecting).fingerprint


def test_another_network_and_other_words_leave_the_fingerprints_as_they_were(monkeypatch):
    before = toys.run().fingerprint
    monkeypatch.setitem(zoo.NETS, "net5", zoo.Net(zoo.NETS["net2"].layers, zoo.Shape(4)))
    assert toys.run().fingerprint == before
    assert toys.run("net5").fingerprint != toys.run("net2").fingerprint


def test_another_layer_list_changes_the_fingerprint(monkeypatch):
    before = {net: toys.run(net).fingerprint for net in ("net1", "net2")}
    widened = replace(zoo.NETS["net1"], layers=lambda shape: [*zoo.NETS["net2"].layers(shape)])
    monkeypatch.setitem(zoo.NETS, "net1", widened)
    assert toys.run("net1").fingerprint != before["net1"]
    assert toys.run("net2").fingerprint == before["net2"]


def test_the_seed_is_the_points_own():
    assert toys.run().seed == toys.run(epochs=9, threads=2).seed
    seeds = {toys.run().seed, toys.run(seed=1).seed, toys.run("net2").seed, toys.run(lr=1.0).seed}
    assert len(seeds) == 4


def test_a_training_process_need_not_read_the_code_again(monkeypatch):
    run = toys.run()
    fingerprint = run.fingerprint
    sent = pickle.dumps(run)
    monkeypatch.delattr(runs, "code")
    assert pickle.loads(sent).identity == run.identity
    assert pickle.loads(sent).fingerprint == fingerprint
