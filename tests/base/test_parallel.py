import threading
import time

import pytest
import torch

from convscope.base.parallel import side_by_side

CPU = torch.device("cpu")


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
def test_results_come_in_the_order_of_the_items():
    def slow_at_first(item):
        time.sleep(0.02 / (1 + item))
        return item**2

    assert list(side_by_side(slow_at_first, range(9), CPU)) == [n**2 for n in range(9)]
    assert list(side_by_side(slow_at_first, [], CPU)) == []


def test_as_many_calls_at_a_time_as_torch_may_use_threads(threads):
    together = threading.Barrier(threads, timeout=20)
    # nobody passes before all of them are there
    assert len(list(side_by_side(lambda _: together.wait(), range(threads), CPU))) == threads


@pytest.mark.usefixtures("threads")
def test_each_call_has_one_thread_and_no_gradients():
    def seen(_):
        return torch.get_num_threads(), torch.is_inference_mode_enabled()

    assert list(side_by_side(seen, range(4), CPU)) == [(1, True)] * 4


def test_torch_has_its_threads_again_afterwards(threads):
    list(side_by_side(abs, range(5), CPU))
    assert torch.get_num_threads() == threads
    with pytest.raises(ZeroDivisionError):
        list(side_by_side(lambda item: 1 // item, [1, 2, 0, 3], CPU))
    assert torch.get_num_threads() == threads
    assert not torch.is_inference_mode_enabled()


def test_a_failure_ends_the_rest(threads):
    begun = []

    def fail(item):
        begun.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match=r"^0$"):
        list(side_by_side(fail, range(100), CPU))
    assert len(begun) <= 2 * threads + 1


def test_items_are_drawn_a_few_ahead(threads):
    drawn = []
    results = side_by_side(abs, (drawn.append(n) or n for n in range(100)), CPU)
    assert next(results) == 0
    assert len(drawn) <= threads + 1
    results.close()
    assert torch.get_num_threads() == threads


@pytest.mark.usefixtures("threads")
def test_the_bits_do_not_depend_on_the_number_of_threads():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(300, 300, generator=generator)
    batches = torch.randn(6, 100, 300, generator=generator)
    found = list(side_by_side(lambda some: some @ weights, batches, CPU))
    torch.set_num_threads(1)
    assert all(map(torch.equal, found, [some @ weights for some in batches]))


def test_elsewhere_one_call_runs_after_another():
    running = []

    def alone(item):
        running.append(item)
        assert len(running) == 1
        return running.pop()

    assert list(side_by_side(alone, range(20), torch.device("meta"))) == list(range(20))
