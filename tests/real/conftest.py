"""The golden requests are those of the wires' own tests."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "llm/wire"))
