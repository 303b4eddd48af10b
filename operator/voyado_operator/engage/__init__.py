"""Voyado Engage over HTTP: the only importer of httpx. Nothing in here can create a contact."""
