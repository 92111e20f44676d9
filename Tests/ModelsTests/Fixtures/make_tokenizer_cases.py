"""Texts and what transformers' CLIPTokenizer makes of them: python3 make_tokenizer_cases.py (pip install transformers)."""

import json
import pathlib
import random

from transformers import CLIPTokenizer

HERE = pathlib.Path(__file__).parent
POOL = (
    "abc XYZ'sdtllrevem 0129½²Ⅷ!?.,-—<|>endoftext\t\n\u00a0\u0301é ñ日本😀🇩🇪\u200dΣςİẞǅ٣\u0600\u00ad\u1e9b\u0323ﬁ"
)
texts = [
    "a photo of the cat", "A PHOTO  of the Cat!", "", "an astronaut riding a horse on mars, in the style of van gogh",
    "naïve café — 42 dogs", "it's don't we'll", "日本 😀", " a\tcat\n", "<|endoftext|> a", "<|ENDOFTEXT|>! x",
    "a<|startoftext|>b", "İstanbul ǅ ß", "x²½Ⅷ", "it's! 'S 'LL we'Re",
]
random.seed(3)
texts += ["".join(random.choice(POOL) for _ in range(random.randint(1, 24))) for _ in range(60)]
tokenizer = CLIPTokenizer.from_pretrained(HERE / "tokenizer")
cases = [
    {"text": text, "ids": tokenizer(text, padding="max_length", truncation=True, max_length=16).input_ids}
    for text in texts]
(HERE / "tokenizer-cases.json").write_text(json.dumps(cases) + "\n")
