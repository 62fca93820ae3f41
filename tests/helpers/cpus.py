"""Which kinds of CPU a test needs: one that has any of these instructions. conftest.py leaves it out elsewhere."""

import pytest

# Runs in bfloat16; without these they are refused, which is tested everywhere.
BFLOAT16 = pytest.mark.cpu("avx512_bf16", "amx_bf16")
# The arithmetic in bfloat16 alone: oneDNN sums it in float32 here.
SUMS_BFLOAT16 = pytest.mark.cpu("avx512f")
