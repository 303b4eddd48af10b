"""As much of an API server as hands out the operator's hash key, for commands that run beside no cluster."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

SECRET = "/api/v1/namespaces/default/secrets/voyado-operator-hash-key"


@contextmanager
def hash_key_served(folder: Path, key: bytes | None) -> Iterator[Path]:
    """A kubeconfig, in `folder`, of an API server whose Secret has the key; None: there is no Secret."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_found = key is not None and self.path == SECRET
            body = {"data": {"key": base64.b64encode(key or b"").decode()}} if is_found else {"kind": "Status"}
            self.send_response(200 if is_found else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = folder / "kubeconfig.yaml"
        file.write_text(yaml.safe_dump(_kubeconfig(f"http://127.0.0.1:{server.server_port}")))
        try:
            yield file
        finally:
            server.shutdown()


def _kubeconfig(url: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "current-context": "here",
    }
