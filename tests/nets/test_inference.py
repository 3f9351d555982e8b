import pytest
import torch

from convscope.nets import zoo
from convscope.nets.inference import logits
from tests import toys


@pytest.fixture
def module():
    torch.manual_seed(0)
    run = toys.run("net4", l1_oc=4)
    return zoo.build(run.net, **run.point)


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


IMAGES = torch.randint(256, (10, 3, 32, 32), generator=torch.Generator().manual_seed(1)).byte()


def test_they_are_the_modules_own_in_evaluation_mode_which_it_leaves_again(module):
    found = logits(module.train(), IMAGES, batch_size=4)
    assert module.training
    with torch.no_grad():
        torch.testing.assert_close(found, module.eval()(IMAGES.float() / 255))


def test_their_bits_do_not_depend_on_threads_or_on_the_form_of_the_images(module, threads):
    found = []
    for count in (1, 2, 3):
        threads(count)
        found += [logits(module, IMAGES, batch_size=3), logits(module, IMAGES.float() / 255, 3)]
        assert torch.get_num_threads() == count
    assert all(torch.equal(each, found[0]) for each in found)
    assert not found[0].requires_grad
