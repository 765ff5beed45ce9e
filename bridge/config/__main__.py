"""``python -m bridge.config FOLDER`` writes the JSON Schemas of the three files to FOLDER."""

import sys
from pathlib import Path

from bridge.config.schema import write

if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "config/schema"))
