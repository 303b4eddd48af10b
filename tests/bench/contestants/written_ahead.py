"""The floor that keeps the one promise that costs most: every id is on disk before it is sent, and again when it was.

    python -m tests.bench.contestants.written_ahead SOURCE URL FOLDER true SELECT… [false SELECT…]

No diff, no guards, no status, no base: what is left of a first sync when everything else is free. 8 connections, two
lanes of 100,000 ids, as the operator has.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Lock

from arro3.core import Array, DataType, Table
from deltalake import ColumnProperties, DeltaTable, WriterProperties, write_deltalake

from tests.bench.contestants.posting import BATCH, Lane
from tests.bench.contestants.reading import pages

CONNECTIONS, LANES, AHEAD = 8, 2, 25 * BATCH
SMALL = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    column_properties={"contact_id": ColumnProperties(dictionary_enabled=False)},
)


class Log:
    """A Delta table of (contact_id, op)."""

    def __init__(self, folder: str) -> None:
        self._lock = Lock()
        self._folder = folder
        self._table: DeltaTable | None = None

    def append(self, ids: Sequence[str], op: str) -> None:
        text = DataType.utf8()
        rows = Table.from_pydict({"contact_id": Array(ids, type=text), "op": Array([op] * len(ids), type=text)})
        with self._lock:
            write_deltalake(self._table or self._folder, rows, mode="append", writer_properties=SMALL)
            self._table = self._table or DeltaTable(self._folder)


def main(source: str, url: str, folder: str, *changes: str) -> None:
    log, free = Log(folder), SimpleQueue[Lane]()
    for _ in range(CONNECTIONS):
        free.put(Lane(url))

    def post(body: str) -> None:
        lane = free.get()
        lane.post(body)
        free.put(lane)

    with ThreadPoolExecutor(CONNECTIONS) as posts, ThreadPoolExecutor(LANES) as lanes:

        def deliver(ids: Sequence[str], flag: str) -> None:
            log.append(ids, f"announced {flag}")
            separator = f'","label_vip":{flag}}},{{"contactId":"'
            batches = (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
            bodies = [f'[{{"contactId":"{separator.join(batch)}","label_vip":{flag}}}]' for batch in batches]
            list(posts.map(post, bodies))
            log.append(ids, flag)

        sent = []
        for flag, query in zip(changes[::2], changes[1::2], strict=True):
            found = ([str(row[0]) for row in page] for page in pages(source, query, AHEAD))
            sent += [lanes.submit(deliver, ids, flag) for ids in found]
        for one in sent:
            one.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
