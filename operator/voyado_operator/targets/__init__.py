"""How each kind of target reaches Engage: one file per kind and route, and `build.py` to choose."""
