"""What Kopf calls: nothing is decided here."""
