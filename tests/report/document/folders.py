"""The report folders of a small finished study, as the stages write them."""

import base64
import json
from pathlib import Path

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
EVIL = '<script>alert("1")</script>'
PIPED = "a|b *c*"
HISTORY = "loss,train_accuracy,test_accuracy,overfit_percent,total_parameters"
POINT = "lr,batch_size,l1_oc,seed"
GRID = {
    "epochs": 2,
    "augment": {"flip": 0.5},
    "lr": [0.01, 0.001],
    "batch_size": [128],
    "l1_oc": [6],
}
TRAIN = {"seeds": [0], "select_on": "test"}


def quoted(value: str) -> str:
    return '"{}"'.format(value.replace('"', '""'))


FIRST, SECOND = quoted(EVIL), quoted(PIPED)
HEADER = f"{FIRST},{SECOND}"
CONFUSION = f"true,{HEADER}\n{FIRST},1100,100\n{SECOND},300,900\n"

DOWNLOAD = {
    "params.json": {"data": {"source": "cifar10", "train_images": None}},
    "dataset.json": {"name": "cifar10", "url": "https://a?b=1&c=2", "md5": "", "fingerprint": "f"},
    "class_counts.csv": f"class,train,test\n{FIRST},5000,1200\n{SECOND},400,1200\n",
}
EVALUATE = {
    "params.json": {"evaluate": {"pairs": 3}},
    "best.csv": (
        "net,run,epoch,test_accuracy,low,high,train_accuracy,overfit_percent,total_parameters,lr,l1_oc\n"
        "net2,1,2,0.81246,0.8,0.825,0.9,8.754,62006,0.01,6\n"
        "net10,2,1,0.91666666,0.9,0.93,0.95,3.333,4403518,0.01,64\n"
    ),
    **{f"confusion_{net}.csv": CONFUSION for net in ("net2", "net10")},
    "class_accuracy.csv": f"class,net2,net10\n{FIRST},0.5,0.25\n{SECOND},1.0,0.125\n",
    "predictions.csv": "image,label,net2,net10\n0,1,1,1\n",
    "protocols.csv": (
        'net,protocol,accuracy\nnet10,"clean images, evaluation mode",0.75\n'
        'net10,"augmented images, evaluation mode",0.625\n'
        'net10,"augmented images, training mode",0.65625\n'
    ),
    "departures.csv": (
        "net,departure,without,with,gain_points\nnet10,no jitter,0.65625,0.6875,3.125\n"
    ),
    "selection.csv": (
        "net,runs,choices,run,epoch,test_accuracy,low,high,last_accuracy,last_low,last_high,"
        "best_less_last,mean_best_less_last\n"
        "net2,2,4,1,2,0.8125,0.8,0.825,0.8125,0.8,0.825,0.0,0.25\n"
        "net10,2,4,2,1,0.91666666,0.9,0.93,0.875,0.85,0.89,4.166666,3.5\n"
    ),
    "mcnemar.csv": (
        "net,other,only_first,only_second,difference_points,p_value\n"
        "net2,net10,100,350,-10.416666,0.0000001\n"
    ),
    "class_sample.csv": (
        "net,class,sampled_images,sampled_accuracy,accuracy,difference_points\n"
        f"net10,{FIRST},40,0.375,0.25,12.5\nnet10,{SECOND},36,0.0625,0.125,-6.25\n"
    ),
    "misclassified.csv": "image,true,predicted,confidence\n"
    + "".join(f"{image},{FIRST},{SECOND},0.{99 - image}\n" for image in range(12)),
}
OCCLUSION = {
    "params.json": {
        "analysis": {"net": "net10"},
        "occlusion": {"images": 2, "survey_images": 100, "survey_stride": 4},
    },
    "by_window.csv": (
        "window,clean_confidence,mean_confidence,min_confidence,deepest_drop\n"
        "3,0.75,0.625,0.25,0.5\n9,0.75,0.375,0.125,0.625\n"
    ),
    "by_window_sums.csv": (
        "window,positions,sum_confidence,unchanged_sum\n3,900,562.5,675.0\n9,576,216.0,432.0\n"
    ),
    "by_class.csv": (
        f"class,window,mean_confidence\n{FIRST},3,0.5\n{FIRST},9,0.25\n"
        f"{SECOND},3,0.75\n{SECOND},9,0.125\n"
    ),
    "fall_with_window.csv": (
        f"class,window,images,confidence,accuracy\nall,0,100,0.9,0.95\nall,3,100,0.8,0.85\n"
        f"{FIRST},0,50,0.7,0.65\n{FIRST},3,50,0.6,0.55\n"
    ),
    "by_image.csv": "image,class,window\n7,a,3\n2,b,3\n7,a,9\n2,b,9\n",
    "deepest_by_position.csv": "window,row,column,mean_confidence,deepest_share\n",
    "deepest_by_window.csv": (
        "window,images,mean_distance,chance_distance,standard_error,central_share,chance_share\n"
        "3,100,6.25,12.0,0.5,0.75,0.25\n"
    ),
    **{f"map_{size}.csv": "image,row,column,confidence\n" for size in (3, 13)},
}
ABLATION = {
    "params.json": {
        "analysis": {"net": "net10"},
        "filter_ablation": {"filters": {"conv1": [0, 1], "conv2": [3]}, "atlas_images": 500},
    },
    "metrics.json": {"accuracy_before": 0.91666666, "accuracy_after": 0.5},
    "class_accuracy.csv": (
        f"class,before_percent,after_percent,drop_points\n{FIRST},90.0,95.5,-5.5\n"
        f"{SECOND},80.25,40.125,40.125\noverall,85.0,60.0,25.0\n"
    ),
    **{f"confusion_{each}.csv": CONFUSION for each in ("before", "after", "difference")},
    "between_groups.csv": "true,predicted,before,after\nanimals,vehicles,10,1234\n",
    "random_sets.csv": (
        "set,filters,accuracy_percent,drop_points\n1,conv1/0 conv2/3,82.0,3.0\n"
        "2,conv1/1 conv2/3,84.5,0.5\n3,conv1/0 conv2/1,81.0,4.0\n"
    ),
    "mean_ablation.csv": (
        "class,before_percent,zeroed_percent,averaged_percent,zeroed_drop_points,"
        f"averaged_drop_points\n{FIRST},90.0,95.5,91.0,-5.5,-1.0\noverall,85.0,60.0,82.5,25.0,2.5\n"
    ),
    "newly_misclassified.csv": f"image,true,predicted\n7,{FIRST},{SECOND}\n",
    "atlas.csv": (
        f"layer,filter,drop_percent,{HEADER}\nconv1,0,0.5,1.0,0.0\nconv1,1,2.5,5.0,-0.001\n"
    ),
    "atlas_by_layer.csv": (
        "layer,filters,mean_drop_percent,median_drop_percent,max_drop_percent,max_filter\n"
        "conv1,2,1.5,1.5,2.5,1\nconv2,2,-0.25,-0.25,0.0,1\n"
    ),
    "atlas_extremes.csv": (
        "extreme,rank,layer,filter,drop_percent,lost,gained,adjusted_p_value,serves\n"
        f"most,1,conv1,1,2.5,13,1,0.0002,{quoted(PIPED + ': 5.0, cat: 3.0')}\n"
        "least,1,conv2,0,-0.5,4,6,0.75390625,\n"
    ),
    "atlas_depth.csv": (
        "images,filters,significant,first_costs_more,halves_p_value,correlation,p_value,"
        "but_last_correlation,but_last_p_value,layer_correlation,layer_p_value\n"
        "500,4,1,0.75,0.0001,-0.5,0.03125,-0.25,0.5,,\n"
    ),
    "atlas_halves.csv": (
        "half,layers,filters,mean_drop_percent,layer_drop_percent\n"
        "first,conv1,2,1.5,3.0\nsecond,conv2,2,-0.25,-0.5\n"
    ),
}
IDENTIFICATION = {
    "params.json": {"analysis": {"net": "net10"}, "filter_identify": {"top_k": 20}},
    "class_frequency.csv": f"filter,{HEADER},max_class\nconv1/0,15,5,{FIRST}\n",
    "responses.csv": (
        "filter,layer,mean,max,dead\nconv1/0,conv1,1578.772,1637.594,False\n"
        "conv2/1,conv2,-13.1319,-12.5783,True\n"
    ),
    "dead_by_layer.csv": "layer,filters,dead_filters\nconv1,64,3\nconv2,64,1\n",
    "patch_sizes.csv": "layer,patch_size\nconv1,3\n",
    "sparsity.csv": "layer,filters,zero_share,top_zero_share\nconv1,64,0.5,0.25\n",
    "brightness.csv": "filter,correlation,cosine\nconv1/0,-0.5,-0.25\nconv1/1,0.9876,0.625\n",
    "brightness_by_chance.csv": (
        "filters,drawn,highest,chance_highest,p_value\n2,20000,0.9876,0.96875,0.125\n"
    ),
    "crops.csv": "filter,rank,image,sum\nconv1/0,1,4,5.5\n",
    "crops_by_layer.csv": (
        "layer,crop_size,images,agree_share,agree_by_chance\nconv1,3,10,0.7,0.004\n"
        "conv4,13,10,0.1,0.07\n"
    ),
    "top_images.csv": "filter,rank,image\nconv1/0,1,4\n",
}
GRID_FILES = {
    "params.json": {"train": TRAIN, "net": GRID},
    "best.csv": (f"run,epoch,{HISTORY},{POINT}\n1,2,1.23456,0.5,0.4375,6.25,62006,0.01,128,6,0\n"),
    "runs.csv": (
        "run,lr,batch_size,l1_oc,seed,epoch,test_accuracy,last_accuracy,overfit_percent,"
        "total_parameters\n"
        "1,0.01,128,6,0,2,0.4375,0.4375,6.25,62006\n2,0.001,128,6,0,1,0.125,0.0625,0.0,62006\n"
    ),
    "by_lr.csv": (
        f"lr,{HISTORY}\n0.001,2.25,0.25,0.125,0.0,62006.0\n0.01,1.5,0.5,0.375,1.0,62006.0\n"
    ),
    "by_l1_oc.csv": f"l1_oc,{HISTORY}\n6,1.875,0.375,0.25,0.5,62006.0\n",
    "by_epoch.csv": f"epoch,{HISTORY}\n1,2.0,0.25,0.125,0.0,62006.0\n",
    "layers.csv": (
        "layer,what,width,map_size,receptive_field,parameters\n"
        'image,RGB pixels,3,32,1,0\nconv1,"conv 5x5",6,28,5,456\n'
        "fc3,fully connected,10,,,61550\n"
    ),
}
PICTURES = {
    "download": "samples",
    **{f"train/{net}": "network curves" for net in ("baseline", "net10", "net2")},
    "evaluate": "protocols best selection confusion misclassified",
    "occlusion": "maps fall_with_window deepest",
    "filter-ablation": "class_accuracy confusion newly_misclassified atlas",
    "filter-identify": "first_layer class_frequency responses top_images",
}
MADE_FROM = {"data": "f", "runs": {}, "computed_on": ["x86-64 with AVX2"]}
STUDY = {
    "download": DOWNLOAD,
    **{f"train/{net}": GRID_FILES for net in ("baseline", "net10", "net2")},
    "evaluate": EVALUATE,
    "occlusion": OCCLUSION,
    "filter-ablation": ABLATION,
    "filter-identify": IDENTIFICATION,
}


def write(reports: Path) -> Path:
    for folder, files in STUDY.items():
        replace(reports / folder / "made_from.json", MADE_FROM)
        for name, content in files.items():
            replace(reports / folder / name, content)
        for name in PICTURES[folder].split():
            replace(reports / folder / f"{name}.png", PNG)
    return reports


def replace(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))


def header_of(reports, name):
    return (reports / f"{name}.csv").read_text().splitlines()[0] + "\n"
