"""What `kubectl voyado` exits with; docs/cli.md lists them."""

DONE = 0
UNABLE = 1  # cannot be done, and the message says why: no such activation, no cluster, forbidden, nothing waits …
USAGE = 2
BLOCKED = 3  # a guard blocks, or would
PARTIAL = 4
FAILED = 5
TIMED_OUT = 6  # the run was not over in time; it goes on
INTERRUPTED = 130  # Ctrl-C; the run goes on

OF_OUTCOME = {"Succeeded": DONE, "Planned": DONE, "Blocked": BLOCKED, "Partial": PARTIAL, "Failed": FAILED}
