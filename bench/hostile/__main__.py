"""Attack the router at a port of this machine for some seconds: `python -m bench.hostile PORT SECONDS`.

It prints how often each kind of attack was carried out, as JSON.
"""

import asyncio
import json
import sys

from bench.hostile.attacks import attack_all

if __name__ == "__main__":
    port, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(attack_all(int(port), float(seconds)))))
