"""A running router without its doors: carries out what the core decides, once per tick, for every session."""
