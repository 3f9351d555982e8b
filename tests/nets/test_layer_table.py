import pytest
import torch

from convscope.nets import layer_table, zoo
from convscope.nets.layers import Conv, Dropout, Norm
from convscope.nets.receptive_field import conv_layers, receptive_field

# names in the study's order, which pools after the rectifier
NET3 = """image conv1 norm1 relu1 conv2 norm2 relu2 pool1 conv3 norm3 relu3 conv4 norm4 relu4 pool2
flatten dropout1 fc1 relu5 dropout2 fc2 relu6 dropout3 fc3"""


def of(net, **point):
    return layer_table.table(zoo.layers(net, **point)).set_index("layer")


def test_the_baseline_by_hand():
    table = layer_table.table(zoo.layers("baseline"))
    assert list(table) == list(layer_table.COLUMNS)
    assert table.to_csv(index=False).splitlines()[1:] == [
        "image,RGB pixels,3,32,1,0",
        "conv1,conv 5x5,6,28,5,456",
        "relu1,ReLU,6,28,5,0",
        "pool1,max pool 2x2,6,14,6,0",
        "conv2,conv 5x5,16,10,14,2416",
        "relu2,ReLU,16,10,14,0",
        "pool2,max pool 2x2,16,5,16,0",
        "flatten,flatten,400,,,0",
        "fc1,fully connected,120,,,48120",
        "relu3,ReLU,120,,,0",
        "fc2,fully connected,84,,,10164",
        "relu4,ReLU,84,,,0",
        "fc3,fully connected,10,,,850",
    ]


def test_layers_are_in_the_studys_order_under_the_names_of_the_module():
    names = of("net3", l1_oc=4).index
    assert names.tolist() == NET3.split()
    built = zoo.build("net3", l1_oc=4).named_children()
    assert {name for name, _ in built} == set(names) - {"image"}


@pytest.mark.parametrize(
    ("net", "point"), [("net2", {"kernel_size": 7}), ("net3", {}), ("net4", {})]
)
def test_shapes_fields_and_parameters_are_those_of_the_complete_module(net, point):
    table = of(net, l1_oc=4, **point)
    module, values = zoo.build(net, l1_oc=4, **point).eval(), torch.zeros(1, 3, 32, 32)
    assert table["parameters"].sum() == zoo.parameter_count(module)
    for name in conv_layers(module):
        assert table.loc[name, "receptive_field"] == receptive_field(module, name).size
    for name, child in module.named_children():
        values = child(values)
        # the module pools before the rectifier
        if not name.startswith("relu"):
            width, *sides = values.shape[1:]
            assert table.loc[name, "width"] == width
            assert table.loc[[name], "map_size"].dropna().tolist() == sides[:1]


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Conv(8, 3, padding=1), "conv 3x3, pad 1"),
        (Conv(8, 5, stride=2), "conv 5x5, stride 2"),
        (Conv(8, 5, 2, 1), "conv 5x5, stride 2, pad 1"),
        (Norm(), "batch norm"),
        (Dropout(0.3), "dropout 0.3"),
    ],
)
def test_what_a_layer_is_that_the_baseline_lacks(layer, words):
    assert layer_table.describe(layer) == words
