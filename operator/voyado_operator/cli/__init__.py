"""What people run besides the operator itself."""
