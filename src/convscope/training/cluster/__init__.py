"""A grid's runs on the machines of a Dask cluster."""
