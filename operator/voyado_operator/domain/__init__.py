"""Decisions, pure: no I/O, no clock, nothing imported from the layers around it."""
