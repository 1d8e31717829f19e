"""Who is measured: our router, the relay that anyone would write first, and what people pick instead."""
