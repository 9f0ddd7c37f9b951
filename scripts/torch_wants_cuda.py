"""Exit 0 where the installed torch asks for CUDA libraries (the registry's Linux build does, a CPU build does not)."""

import sys
from importlib.metadata import requires

wanted = [line for line in requires("torch") or [] if line.startswith(("nvidia-", "cuda-"))]
sys.exit(0 if wanted and sys.platform == "linux" else 1)
