"""The doors: how peers get in."""
