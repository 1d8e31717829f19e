"""What the router shows of itself by plain HTTP: numbers for a monitor, and who is connected."""
