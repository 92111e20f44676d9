"""An episode as a GIF or as a strip of pictures."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 160  # pixels
FIELD = 512  # the environment's units
STRIP = 8  # pictures


class Recorder:
    def __init__(self) -> None:
        self.frames: list[Image.Image] = []

    def add(self, image: np.ndarray, plan: list[list[float]]) -> None:
        """A picture of the environment, with the plan's actions as dots."""
        frame = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        draw = ImageDraw.Draw(frame)
        for x, y in plan:
            x, y = x * SIDE / FIELD, y * SIDE / FIELD
            draw.ellipse((x - 1, y - 1, x + 1, y + 1), fill=(220, 60, 40))
        self.frames.append(frame)

    def save(self, path: Path) -> None:
        """An animation at twice the real speed (.gif), or `STRIP` moments side by side (.png)."""
        if path.suffix == ".gif":
            frames = [frame.quantize(32, dither=Image.Dither.NONE) for frame in self.frames]
            durations = [100] * (len(frames) - 1) + [1500]
            frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=True)
            return
        chosen = [self.frames[round(index)] for index in np.linspace(0, len(self.frames) - 1, STRIP)]
        strip = Image.new("RGB", (SIDE * STRIP, SIDE))
        for index, frame in enumerate(chosen):
            strip.paste(frame, (SIDE * index, 0))
        strip.save(path)
