"""dlt as fast as it goes: Arrow to Parquet, eight load files at a time.

python -m tests.bench.contestants.dlt_tuned SOURCE URL QUERY
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

import dlt
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.contestants.posting import BATCH, Lane
from tests.bench.contestants.reading import batches

ROWS_PER_FILE = 125_000
os.environ |= {
    "LOAD__WORKERS": "8",
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": str(ROWS_PER_FILE),
    "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": str(ROWS_PER_FILE),
}


def main(source: str, url: str, query: str) -> None:
    @dlt.destination(
        batch_size=0,
        loader_file_format="parquet",
        loader_parallelism_strategy="parallel",
        name="engage",
        naming_convention="direct",
    )
    def engage(file: str, table: Any) -> None:
        lane = Lane(url)
        for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=["contactId", "label_vip"]):
            flags = ("true" if flag else "false" for flag in batch["label_vip"].to_pylist())
            rows = zip(batch["contactId"].to_pylist(), flags, strict=True)
            lane.post("[" + ",".join(f'{{"contactId":"{one}","label_vip":{flag}}}' for one, flag in rows) + "]")

    @dlt.resource(name="changes")
    def changes() -> Iterator[pa.Table]:
        for batch in batches(source, query, ROWS_PER_FILE):
            yield pa.Table.from_batches([batch])

    dlt.pipeline("tuned", destination=engage).run(changes()).raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:])
