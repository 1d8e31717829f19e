"""One module per scenario; each has `run(options) -> rows` and is named by its file."""
