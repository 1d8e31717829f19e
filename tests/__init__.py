"""The promises of the project, as tests: tests/ mirrors the packages."""
