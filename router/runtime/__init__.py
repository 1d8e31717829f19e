"""What carries the core's decisions: outboxes, the tick, the journal's process, replays."""
