"""How results leave the tool: records, and what writes them as tables, JSON, CSV or lines."""
