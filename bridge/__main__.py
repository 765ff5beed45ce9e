"""``python -m bridge``: the same as ``cc-bridge``."""

from bridge.cli import main

main()
