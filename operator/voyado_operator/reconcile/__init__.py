"""The run: an ordered list of small steps over typed values."""
