"""The load generator, a process of its own: frames made beforehand go out, what comes is counted."""
