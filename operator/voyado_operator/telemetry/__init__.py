"""What the operator says about itself: metrics and logs, neither with a person's data in it."""
