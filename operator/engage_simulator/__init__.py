"""An Engage tenant for tests, demos and load. Written from what is known of the API; knows nothing of the operator."""
