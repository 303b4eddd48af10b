"""The shortest honest script: no state, no safety.

    python floor.py DATABASE URL CONNECTIONS true SELECT… [false SELECT…]

Posts the ids of each query with that value of the label.
"""

import http.client
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import duckdb

BATCH = 4000


def main(database: str, url: str, connections: int, *changes: str) -> None:
    warehouse = duckdb.connect(database, read_only=True)
    for flag, query in zip(changes[::2], changes[1::2], strict=True):
        pages = warehouse.execute(query)
        with ThreadPoolExecutor(connections) as pool:
            lanes = [http.client.HTTPConnection(urlsplit(url).netloc) for _ in range(connections)]
            free = lanes.copy()

            def post(body: str, free: list[http.client.HTTPConnection] = free) -> None:
                lane = free.pop()
                lane.request("PATCH", "/bulk", body)
                lane.getresponse().read()
                free.append(lane)

            sent = []
            while page := pages.fetchmany(BATCH):
                separator = f'","label_vip":{flag}}},{{"contactId":"'
                body = f'[{{"contactId":"{separator.join(row[0] for row in page)}","label_vip":{flag}}}]'
                sent.append(pool.submit(post, body))
            for one in sent:
                one.result()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
