"""How long a daemon may take to end, in seconds."""

FINISHES_A_BATCH_IN = 20.0  # asked to stop, it ends after the batch it is at
CANCELLED_AFTER = 10.0  # then it is cancelled, and after this left alone
