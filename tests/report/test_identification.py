from convscope.report import identification
from convscope.report.document import Table, Text
from convscope.report.reading import finished
from tests.report import folders


def test_it_tells_how_many_images_each_filter_has(reports):
    folder = finished(reports, "filter-identify", "filter-identify")
    parts = identification.section(folder).parts
    assert "these are the 20 test images with the largest" in parts[0].text
    folders.replace(
        folder.path / "class_frequency.csv",
        f"filter,{folders.HEADER},max_class\nconv1/0,4,1,{folders.FIRST}\n",
    )
    parts = identification.section(folder).parts
    assert isinstance(parts[0], Text)
    assert "the 5 test images (all there are of the 20 asked for) with" in parts[0].text
    (frequency,) = (
        part
        for part in parts
        if isinstance(part, Table) and part.source.endswith("class_frequency.csv")
    )
    assert frequency.caption == "How many of the top 5 are of each class"
