"""Voyado Engage over HTTP: the only user of aiohttp as a client. Nothing in here can create a contact."""
