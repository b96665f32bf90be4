"""The same read by dlt's rest_api source into Postgres.

    python -m benchmarks.with_dlt default|tuned|merge API_URL DATABASE_URL

`default` is what its documents' first example gives. `tuned` follows https://dlthub.com/docs/reference/performance and
its Postgres page: CSV for COPY, no child tables, no compression of files, larger buffers, files that rotate so that
normalising and loading run in parallel. `merge` is the tuned one keeping rows up to date by their id, as a reload
needs it.
"""

import json
import os
import sys
import tempfile
import time

import dlt
from dlt.sources.rest_api import rest_api_source

TUNED = {
    "DATA_WRITER__BUFFER_MAX_ITEMS": "25000",
    "DATA_WRITER__FILE_MAX_ITEMS": "25000",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
    "NORMALIZE__WORKERS": "2",
    "LOAD__WORKERS": "4",
}


def main(how, api_url, database_url):
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    if how != "default":
        os.environ |= TUNED
    resource = {
        "name": "customers",
        "endpoint": {"path": "v1/customers", "params": {"limit": 100}, "data_selector": "data"},
        "primary_key": "id",
        "write_disposition": "merge" if how == "merge" else "replace",
    }
    source = rest_api_source(
        {
            "client": {
                "base_url": api_url,
                "auth": {"type": "bearer", "token": "sk_live_bench"},
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "data[-1].id",
                    "cursor_param": "starting_after",
                    "has_more_path": "has_more",
                },
            },
            "resources": [resource],
        }
    )
    if how != "default":
        source.max_table_nesting = 0
    # Its working directory for one database: a reload must find what the first load left.
    folder = os.environ.get("BENCH_DLT_FOLDER") or tempfile.mkdtemp(prefix="bench-dlt-")
    pipeline = dlt.pipeline(
        f"bench_{how}",
        pipelines_dir=folder,
        # dlt wants a host in its place; libpq goes by the socket's folder in the query.
        destination=dlt.destinations.postgres(database_url.replace("@/", "@localhost/")),
        dataset_name=f"bench_{how}",
    )
    pipeline.run(source, loader_file_format=None if how == "default" else "csv")
    print(json.dumps({"done": time.time()}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
