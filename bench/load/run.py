"""One load on its way: as fast as a window allows, one message after the other, or at a rate.

Laws: the time runs until everything has arrived; the generator must not be what is measured. So it does not
ask to be woken by every delivery, which is work for the server, too: while the window is full it sleeps for a
moment and takes all that has come meanwhile.
"""

import select
import time
from random import Random
from statistics import quantiles

from bench.load.everybody import STAMP, Everybody
from bench.load.form import ONE_PER_TICK, Load, Result

BLOCK = 256
"""Messages sent at once, at most."""
NAP_S = 0.0002
"""While the window is full; it holds milliseconds of any server's work."""
PULSE_S = 0.0002
"""Between messages at a rate, at least: of fifty thousand per second, ten go out together."""


class Run:
    """Everybody has entered; `go` starts it."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._all = Everybody(load)
        self._speech = self._all.speech

    def go(self) -> Result:
        """Send for the given time, wait for what is on its way, and count."""
        cpu, begin = time.process_time(), time.perf_counter()
        self._send_until(begin + self._load.seconds)
        sent_at = time.perf_counter()
        last_at = self._all.drain()
        result = Result(
            sent=self._all.sent,
            delivered=self._all.delivered,
            acknowledged=self._all.acknowledged,
            seconds=last_at - begin,
            drain_s=max(0.0, last_at - sent_at),
            cpu_share=(time.process_time() - cpu) / (time.perf_counter() - begin),
            missing=self._all.missing,
        )
        if len(self._all.latencies_us) > 1:
            cuts = quantiles(self._all.latencies_us, n=100)
            result.p50_us, result.p99_us = cuts[49], cuts[98]
        return result

    def close(self) -> None:
        """Everybody leaves."""
        self._all.close()

    def _send_until(self, end: float) -> None:
        if self._load.rate_per_s:
            self._at_a_rate(end)
        elif self._load.regime == ONE_PER_TICK:
            self._one_by_one(end)
        else:
            self._as_fast_as_possible(end)

    def _as_fast_as_possible(self, end: float) -> None:
        everybody, frames = self._all, self._speech.frames
        blob, frame_bytes = b"".join(frames), len(frames[0])
        block = min(BLOCK, max(1, self._load.window // 2))
        begin = time.perf_counter()
        while (now := time.perf_counter()) < end:
            everybody.read()
            window = self._window(now - begin)
            if window - everybody.on_the_way < block:
                time.sleep(NAP_S)
            for writer in everybody.writers:
                if window - everybody.on_the_way < block:
                    break
                at = writer.sent % (len(frames) - block + 1)
                writer.send(blob[at * frame_bytes : (at + block) * frame_bytes], block)

    def _window(self, elapsed_s: float) -> int:
        """How much may be on its way: of a slow server no more than what it works off within the horizon."""
        window, horizon_s = self._load.window * len(self._all.writers), self._load.horizon_s
        if not horizon_s:
            return window
        done_per_s = (self._all.sent - self._all.on_the_way) / elapsed_s
        return min(window, max(2 * BLOCK, int(done_per_s * horizon_s)))

    def _one_by_one(self, end: float) -> None:
        """Send the next message when everybody has the one before.

        The generator waits for somebody who has not, in an order that no server knows: then a few deliveries
        wake it, and not each of them, whoever is served last.
        """
        everybody, frames, writer = self._all, self._speech.frames, self._all.writers[0]
        groups = [_shuffled(owed) for owed in everybody.owed()]
        while time.perf_counter() < end:
            owed = groups[writer.sent % len(groups)].copy()
            writer.send(frames[writer.sent % len(frames)], 1)
            while owed and (now := time.perf_counter()) < end:
                select.select([next(iter(owed))], [], [], end - now)
                for number, units in everybody.read():
                    left = owed.pop(number, 0) - units
                    if left > 0:
                        owed[number] = left

    def _at_a_rate(self, end: float) -> None:
        """Late messages go out together; each carries the time at which it really goes."""
        writer, frames, rate = self._all.writers[0], self._speech.frames, self._load.rate_per_s
        stamp_ends = -self._speech.stamp_from_end + STAMP.size
        parts = [
            (frame[: -self._speech.stamp_from_end], frame[stamp_ends:] if stamp_ends else b"")
            for frame in frames
        ]
        begin = next_pulse = time.perf_counter()
        while (now := time.perf_counter()) < end:
            due = min(int((now - begin) * rate) - writer.sent, BLOCK) if now >= next_pulse else 0
            if due > 0:
                stamp = STAMP.pack(now)
                some = (parts[n % len(parts)] for n in range(writer.sent, writer.sent + due))
                writer.send(b"".join([before + stamp + after for before, after in some]), due)
                next_pulse = now + PULSE_S
            self._all.read_soon(max(next_pulse, begin + (writer.sent + 1) / rate))


def _shuffled(owed: dict[int, int]) -> dict[int, int]:
    items = list(owed.items())
    Random(0).shuffle(items)
    return dict(items)
