"""voyado-operator: keeps Voyado Engage aligned with audiences that a warehouse defines."""

__version__ = "0.1.0"
