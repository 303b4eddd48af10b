"""The shortest honest script: no state, no safety.

    python -m tests.bench.contestants.floor SOURCE URL CONNECTIONS true SELECT… [false SELECT…]

Posts the ids of each query with that value of the label.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from tests.bench.contestants.posting import BATCH, Lane
from tests.bench.contestants.reading import pages


def main(source: str, url: str, connections: int, *changes: str) -> None:
    free = SimpleQueue[Lane]()
    for _ in range(connections):
        free.put(Lane(url))

    def post(body: str) -> None:
        lane = free.get()
        lane.post(body)
        free.put(lane)

    with ThreadPoolExecutor(connections) as pool:
        sent = []
        for flag, query in zip(changes[::2], changes[1::2], strict=True):
            separator = f'","label_vip":{flag}}},{{"contactId":"'
            for page in pages(source, query, BATCH):
                ids = separator.join(row[0] for row in page)
                sent.append(pool.submit(post, f'[{{"contactId":"{ids}","label_vip":{flag}}}]'))
        for one in sent:
            one.result()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
