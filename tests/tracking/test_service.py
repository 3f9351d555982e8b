import gc
import multiprocessing

import pytest

from convscope.tracking import service


@pytest.mark.parametrize("unread", [False, True], ids=["asked", "answered"])
def test_the_runs_of_a_stage_that_dies_in_the_middle_of_a_question_are_ended(
    unread, monkeypatch, tmp_path
):
    there, here = multiprocessing.Pipe()
    done = []

    class Service:
        def __init__(self, *_):
            pass

        def write(self):
            done.append("written")
            if not unread:
                there.close()

        def publish(self):
            # the answer to the first question lies in the connection
            there.close()

        def end(self):
            done.append("ended")

    monkeypatch.setattr(service, "_Service", Service)
    monkeypatch.setattr(service, "import_mlflow", lambda: None)
    monkeypatch.setattr(service, "import_store", lambda _: None)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    there.send(["write"])
    if unread:
        there.send(["publish"])
    service.serve(tmp_path, "baseline", here)
    assert done == ["written", "ended"]
