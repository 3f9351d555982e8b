import re
import sys

import pytest
from tests import toys

from convscope.stages import dvc_plots


def test_the_page_has_places_for_dvcs_charts_and_loads_nothing():
    page = dvc_plots.template()
    assert page.count("{plot_divs}") == page.count("{refresh_tag}") == 1
    assert "{scripts}" not in page
    assert page.count("<script>") == page.count("</script>") == 1
    assert "<link" not in page


def test_without_vega_it_is_said_what_to_install(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert "vl-convert-python is not installed: run `make install`" in toys.refusal(
        lambda: dvc_plots.show([])
    )
    assert list(here.iterdir()) == []


@pytest.mark.usefixtures("here", "warm_python")
def test_what_dvc_cannot_draw_is_an_error(monkeypatch, capfd):
    monkeypatch.setattr(dvc_plots, "template", lambda: "{plot_divs}")
    refused = toys.refusal(lambda: dvc_plots.show(["nowhere"]))
    assert re.fullmatch(r"`dvc plots diff nowhere` failed with code \d+: .* above", refused)
    assert "ERROR" in capfd.readouterr().err
