"""The finished folders of the three analyses of a small network, as far as the page reads them."""

from pathlib import Path

from tests.report.document.folders import replace

from convscope.base.report_folder import Finished
from convscope.report.explorer.findings import Analyses

WINDOWS = (31, 30)  # 2 x 2 and 3 x 3 positions
MAPPED = (7, 2)
FILTERS = {"conv1": [0, 1], "conv2": [2]}
FILES = {
    "occlusion/by_image.csv": "image,class,window\n7,a,30\n2,b,30\n7,a,31\n2,b,31\n",
    "occlusion/map_31.csv": "image,row,column,confidence\n"
    "7,0,0,0.0\n7,0,1,0.25\n7,1,0,0.5\n7,1,1,1.0\n2,0,0,1.0\n2,0,1,1.0\n2,1,0,1.0\n2,1,1,0.75\n",
    "occlusion/map_30.csv": "image,row,column,confidence\n"
    + "".join(
        f"{image},{row},{column},{(3 * row + column) / shares}\n"
        for image, shares in zip(MAPPED, (8, 16), strict=True)
        for row in range(3)
        for column in range(3)
    ),
    "filter-ablation/params.json": {"filter_ablation": {"filters": FILTERS, "atlas_images": 20}},
    "filter-ablation/class_accuracy.csv": "class,before_percent,after_percent,drop_points\n"
    "red,90.0,40.0,50.0\ngreen,80.0,81.0,-1.0\nblue,70.0,67.5,2.5\n"
    "overall,80.0,70.0,10.0\n",
    "filter-ablation/newly_misclassified.csv": "image,true,predicted\n11,red,blue\n7,red,green\n"
    "4,red,blue\n20,blue,green\n",
    "filter-ablation/atlas.csv": "layer,filter,drop_percent,lost,gained,adjusted_p_value,red,green,"
    "blue\nconv1,0,25.0,6,1,0.049,75.0,0.0,-3.0\nconv1,1,0.0,0,0,1.0,0.0,0.0,0.0\n"
    "conv1,2,-10.0,0,2,0.5,-1.0,-2.0,-30.0\nconv2,0,5.0,2,1,0.05,1.0,12.345,3.0\n"
    "conv2,1,5.0,1,0,1.0,4.0,3.0,2.0\nconv2,2,5.0,1,0,1.0,0.0,3.0,0.0\n",
    "filter-ablation/atlas_extremes.csv": "extreme,rank,layer,filter,drop_percent\n"
    "most,1,conv1,0,25.0\nmost,2,conv2,0,5.0\nleast,1,conv1,2,-10.0\n",
    "filter-identify/params.json": {"filter_identify": {"shown": 2}},
    "filter-identify/top_images.csv": "filter,rank,image,top,left,bottom,right\n"
    "conv1/0,2,5,0,1,2,3\nconv1/0,1,9,4,5,6,7\nconv1/0,3,13,1,1,2,2\nconv1/1,1,9,8,8,9,9\n"
    "conv1/1,2,2,7,7,8,8\nconv2/2,1,25,0,0,4,4\nconv2/2,2,26,0,0,4,4\n",
    "filter-identify/responses.csv": "filter,dead\nconv1/0,False\nconv1/1,True\nconv2/2,False\n",
}


def write(reports: Path, **changes: object) -> Analyses:
    """The folders; ``changes`` are other contents of files, or None, by what a name ends in."""
    for name, content in FILES.items():
        stem = Path(name).stem
        if (found := changes.get(stem, content)) is not None:
            replace(reports / name, found)
    names = ("occlusion", "filter-ablation", "filter-identify")
    return Analyses(*(Finished(reports, name) for name in names))
