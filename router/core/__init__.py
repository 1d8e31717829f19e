"""What decides: pure and synchronous. It gets `now`, and speaks through ports."""
