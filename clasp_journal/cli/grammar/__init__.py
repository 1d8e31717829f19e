"""What a person writes on the command line, read: times, spans, zones, comparisons."""
