"""The operator's own calls to the API server: status, Events, Secrets, finalizers. Kopf does the watching."""
