"""`voyado-operator check`: manifests validated without a cluster, by the API server's own rules, and more."""
