"""dlt as its documentation shows a custom destination: Python dicts, batches.

python -m tests.bench.contestants.dlt_documented SOURCE URL QUERY
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import dlt

from tests.bench.contestants.posting import BATCH, Lane
from tests.bench.contestants.reading import pages


def main(source: str, url: str, query: str) -> None:
    @dlt.destination(batch_size=BATCH, name="engage", naming_convention="direct")
    def engage(items: list[dict[str, Any]], table: Any) -> None:
        Lane(url).post(json.dumps(items))

    @dlt.resource(name="changes")
    def changes() -> Iterator[list[dict[str, Any]]]:
        for page in pages(source, query, BATCH):
            yield [{"contactId": contact_id, "label_vip": flag} for contact_id, flag in page]

    dlt.pipeline("documented", destination=engage).run(changes()).raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:])
