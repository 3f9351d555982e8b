"""What processes do again and again whatever they are for, done once where they are forked from."""

import functools
import sys

from convscope.training import run

run.code()
# each store of MLflow that is opened reads all of its migrations, to know which is the last
if database := sys.modules.get("mlflow.store.db.utils"):
    last = functools.cache(database._get_latest_schema_revision)
    database._get_latest_schema_revision = last
