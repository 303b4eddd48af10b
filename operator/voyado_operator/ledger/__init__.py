"""What Engage acknowledged, on Delta Lake: the ledger, remembered matches and waiting plans. Blocking throughout."""
