#!/usr/bin/env python3
"""Makes Typeface+Outlines.swift of DejaVu Sans: the outlines of the characters that labels have, in a few bytes each.

    python make_typeface.py DejaVuSans.ttf > Typeface+Outlines.swift     # needs fonttools

Integers are variable-length, seven bits a byte, the lowest first, 128 for "more follows"; signed ones zigzag. A glyph: its code point
less that of the one before, its advance, its number of contours; of each contour its number of points, and of each point the step in x
from the point before, doubled, plus one where the point is on the curve, and the step in y. Units are 1/UNITS of the size, y upwards.
"""
import base64
import sys
import textwrap

from fontTools.ttLib import TTFont

UNITS = 512
CHARACTERS = (
    "".join(map(chr, range(0x20, 0x7F))) + "".join(map(chr, range(0xA0, 0x100)))
    + "ĀāĂăĄąĆćČčĎďĐđĒēĖėĘęĚěĞğĢģĪīĮįİıĶķĻļŁłŃńŅņŇňŐőŒœŘřŚśŞşŠšŤťŪūŮůŰűŲųŸŹźŻżŽž"
    + "".join(chr(c) for c in range(0x391, 0x3CA) if c != 0x3A2) + "άέήίόύώϕ"
    + "".join(map(chr, range(0x410, 0x450))) + "Ёё"
    + "⁰⁴⁵⁶⁷⁸⁹⁺⁻ⁿ₀₁₂₃₄₅₆₇₈₉₊₋ₖ–—‘’“”„†•…‰′″‖€№™ℓℝ←↑→↓↔∂∆∇∈∏∑−∗√∝∞∩∪∫≈≠≡≤≥≪≫⊂⊥⋅⋯⌈⌉⌊⌋■□▲▼●○✓✗�"
)


def integer(value):
    result = bytearray()
    while value > 127:
        result.append(value & 127 | 128)
        value >>= 7
    return bytes(result + bytes([value]))


def zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def contours(font, name):
    """Points (x, y, on) as TrueType has them, composites taken apart."""
    glyphs = font["glyf"]
    coordinates, ends, flags = glyphs[name].getCoordinates(glyphs)
    start = 0
    for end in ends:
        yield [(x, y, flag & 1) for (x, y), flag in zip(coordinates[start:end + 1], flags[start:end + 1])]
        start = end + 1


def main():
    font = TTFont(sys.argv[1])
    scale = UNITS / font["head"].unitsPerEm
    names = font.getBestCmap()
    data, last = bytearray(), 0
    for character in sorted(set(CHARACTERS)):
        code = ord(character)
        if code not in names:
            print(f"no glyph for {character}", file=sys.stderr)
            continue
        shape = list(contours(font, names[code]))
        data += integer(code - last) + integer(round(font["hmtx"][names[code]][0] * scale)) + integer(len(shape))
        last = code
        for contour in shape:
            data += integer(len(contour))
            x = y = 0
            for px, py, on in contour:
                px, py = round(px * scale), round(py * scale)
                data += integer(zigzag(px - x) << 1 | on) + integer(zigzag(py - y))
                x, y = px, py
    text = base64.b64encode(bytes(data)).decode()
    print("// Made by make_typeface.py of DejaVu Sans; see LICENSE in this folder.")
    print("extension Typeface {")
    print(f"    /// Units of a glyph's coordinates in its size.\n    static let unitsPerSize = {UNITS}.0\n")
    print("    /// Base64 of what make_typeface.py describes.")
    print('    static let encodedOutlines = """')
    lines = textwrap.wrap(text, 110)
    # Nothing may follow the backslash that joins a line to the next, so the last one has none.
    print("\\\n".join("        " + line for line in lines))
    print('        """')
    print("}")
    print(f"{len(data)} bytes", file=sys.stderr)


main()
