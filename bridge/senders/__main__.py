"""``python -m bridge.senders``: the sender process; ``deliveries.SenderProcess`` starts it."""

from bridge.senders.process import main

main()
