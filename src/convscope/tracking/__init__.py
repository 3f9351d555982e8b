"""MLflow tracking: the only package that imports mlflow, and as late as it can.

Publishing reads finished folders, so a stage that was restored from DVC's cache, or was made on
another machine, is published like one that has just run. Model weights are not uploaded: DVC keeps
them, and a run carries their md5 as the tag ``weights_md5``, which names the bytes in DVC's cache.
The best run of each network alone is also exported, into MLflow's model registry.

An MLflow run is found again by its tags ``project``, the folder that made it, ``stage`` and
``fingerprint``. The tag ``complete`` is set last, so a run without it is partial and the next
attempt fills in what it lacks. A version of a registered model is found again by its tag
``fingerprint``, and is created last, with all its tags.
"""
