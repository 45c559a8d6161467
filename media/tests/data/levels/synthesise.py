#!/usr/bin/env python3
"""Makes cough.txt, keyboard.txt and fan.txt beside this file: sound that nobody has to record.

Each is shaped noise at 16 kHz over the tone of a quiet room; a level is what RFC 6464 section 3 asks of the sender:
the RMS of a 20 ms frame in -dBov, 127 for silence. The noise is seeded: a second run writes the same files.
"""

import math
import pathlib
import random

RATE = 16_000
FRAME = RATE // 50
ROOM = -62.0  # dBov of a quiet room with a computer in it.


def gain(dbov):
    return 10 ** (dbov / 20)


def levels(seconds, envelope, seed, smooth=0.0):
    """One level per frame of noise whose RMS follows `envelope(t)`, an amplitude; `smooth` makes it darker."""
    noise, sample, out = random.Random(seed), 0.0, []
    norm = math.sqrt((1 + smooth) / (1 - smooth))
    for frame in range(int(seconds * 50)):
        energy = 0.0
        for n in range(FRAME):
            sample = smooth * sample + (1 - smooth) * noise.gauss(0, 1)
            value = sample * norm * envelope((frame * FRAME + n) / RATE)
            energy += min(1.0, value * value)
        rms = math.sqrt(energy / FRAME)
        out.append(127 if rms == 0 else max(0, min(127, round(-20 * math.log10(rms)))))
    return out


def cough(t, loudest):
    """Burst, flow, voice: the three phases of a cough, 0.35 s together (Korpas et al., Analysis of the Cough Sound,
    Pulmonary Pharmacology 9 (1996))."""
    if not 0 <= t < 0.5:
        return 0.0
    if t < 0.04:
        return gain(loudest) * min(1, t / 0.005)
    if t < 0.24:
        return gain(loudest - 10 - 14 * (t - 0.04) / 0.2)
    if t < 0.32:
        return gain(loudest - 18)
    return gain(loudest - 18) * math.exp(-(t - 0.32) / 0.02)


def click(t, loudest):
    return gain(loudest) * math.exp(-t / 0.006) if 0 <= t < 0.06 else 0.0


def keyboard(seconds, seed):
    """Seven keys a second, down and 90 ms later up, as a microphone beside the keyboard hears them."""
    chance, strokes, t = random.Random(seed), [], 0.5
    while t < seconds - 0.5:
        down = -14 + chance.gauss(0, 3)
        strokes += [(t, down), (t + 0.09 + chance.gauss(0, 0.01), down - 7)]
        t += max(0.06, chance.gauss(1 / 7, 0.04))
    return lambda t: gain(ROOM) + sum(click(t - at, loudest) for at, loudest in strokes if 0 <= t - at < 0.06)


def fan(t):
    """Off for 5 s, then up to speed within 1.5 s, and there to stay; its blades beat a little."""
    running = min(1.0, max(0.0, (t - 5) / 1.5))
    beat = 1.2 * math.sin(2 * math.pi * 0.7 * t) + 0.8 * math.sin(2 * math.pi * 23 * t)
    return gain(ROOM) + (gain(-60 + 30 * running + beat) if running > 0 else 0)


def coughs(t):
    return gain(ROOM) + cough(t - 1.0, -9) + cough(t - 3.5, -16) + cough(t - 6.0, -12)


def write(name, what, trace):
    header = f"# Level in -dBov per 20 ms frame (RFC 6464 s3): {what}; made by synthesise.py\n"
    path = pathlib.Path(__file__).with_name(name)
    path.write_text(header + "".join(f"{level}\n" for level in trace))


write("cough.txt", "three coughs 2.5 s apart, peaks of -9, -16 and -12 dBov, in a quiet room", levels(8, coughs, 1))
write("keyboard.txt", "seven keystrokes a second beside the microphone", levels(10, keyboard(10, 2), 3))
write("fan.txt", "a quiet room, and from 5 s on a fan at -30 dBov", levels(40, fan, 4, smooth=0.8))
