"""Where audiences come from: one file per warehouse, and `build.py` to choose."""
