"""The durable list of deliveries at work: claiming, sending, settling."""
