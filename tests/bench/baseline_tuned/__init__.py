"""The pooled baseline with a switch that few know: requests looks for no proxies and no ``.netrc``.

It does so for every request, which takes longer than the rest of its preparation.
"""

from __future__ import annotations

from tests.bench import baseline_pooled

baseline_pooled._SESSION.trust_env = False
