"""What people see of the resources: pure functions from objects and the clock to rich's tables, and to JSON."""
