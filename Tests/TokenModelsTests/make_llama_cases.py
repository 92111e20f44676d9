"""Makes Fixtures/llama-*: tiny Llamas of random weights in transformers' layout, with the scores that transformers computes, and
tokenizers with the tokens that `tokenizers` makes of some texts.

    python3 make_llama_cases.py        # torch, transformers, tokenizers

The tokenizers come out a little different each time, for their trainer breaks ties as they come; the cases are made with them.
"""

import json
import shutil
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM

FIXTURES = Path(__file__).parent / "Fixtures"
TOKENS = [1, 5, 80, 3, 3, 17, 60, 44, 2, 95, 8, 31, 77, 12, 0, 9, 50, 23, 71, 6, 88, 41, 14, 33]

COMMON = dict(
    vocab_size=96, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2)
# Contexts go beyond the original length, and frequencies fall in all three of Llama 3.1's ranges.
MODELS = {
    "llama-grouped": (dict(
        head_dim=12, tie_word_embeddings=True, rms_norm_eps=1e-5, rope_parameters=dict(
            rope_type="llama3", rope_theta=500.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=3.0,
            original_max_position_embeddings=16)), torch.float32, None),
    "llama-biased": (dict(
        tie_word_embeddings=False, attention_bias=True, mlp_bias=True, rms_norm_eps=1e-3, rope_parameters=dict(
            rope_type="linear", rope_theta=2000.0, factor=2.0)), torch.bfloat16, "12KB"),
    "llama-half": (dict(
        tie_word_embeddings=False, num_key_value_heads=4, rope_parameters=dict(rope_type="default", rope_theta=10000.0)),
        torch.float16, None),
}


def make_model(name, changes, dtype, shard):
    torch.manual_seed(len(name))
    model = LlamaForCausalLM(LlamaConfig(**{**COMMON, **changes}))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Norms near one, biases that count, matrices that keep the scale of what they multiply.
            spread = 0.3 if parameter.dim() == 1 else parameter.shape[1] ** -0.5 * 1.5
            parameter.copy_(torch.randn_like(parameter) * spread + ("norm" in key))
    folder = FIXTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    model = model.to(dtype)
    model.save_pretrained(folder, **({"max_shard_size": shard} if shard else {}))
    (folder / "generation_config.json").unlink(missing_ok=True)
    # Read again: a model that is converted to half precision also rounds its rotations' frequencies, one that is read does not.
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).double()
    with torch.no_grad():
        scores = model(torch.tensor([TOKENS])).logits[0]
    chosen = [0, 1, 7, 15, 16, 23]
    (folder / "scores.json").write_text(json.dumps(
        {"tokens": TOKENS, "positions": chosen, "scores": [[float(f"{x:.7g}") for x in scores[p].tolist()] for p in chosen]}))


TEXT = """It was the best of times, it was the worst of times; it was the age of wisdom... We're here, they'll come, I'd say.
The year 2024 had 366 days and 8784 hours.  Two  spaces,	a tab, and "quotes" (in brackets).
Der Bär läuft über die Straße. Où est l'été? 日本語のテキスト。 Это текст. 🙂🙃 👩‍👩‍👧 Ünïcödé
""" * 3

CASES = [
    "", " ", "a", "Hello world", " leading", "trailing ", "two  spaces   three", "line\nbreak\r\n\r\nnext\n\n\n  indented", "\ttab\t",
    "it's we're THEY'LL I'D don't", "12 345 67890 3.14159", "über die Straße", "日本語のテキスト", "Это текст", "🙂 👩‍👩‍👧!", "é", "a\u00a0b\u2003c",
    "<s> it </s>", "x<|end|>y <|end|> ", "!!! ... ---\n", "Ⅷ ² ½ ٣", "'s 'S ſ", "\u0301combining a\u0301", "tab\t\n mixed \n\t end", "▁under ▁▁",
    "The year 2024 had 366 days",
]

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_level(pre, merges_only_if_needed):
    tokenizer = Tokenizer(models.BPE(ignore_merges=merges_only_if_needed))
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator([TEXT], trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return tokenizer


def make_tokenizers():
    result = {}
    # Llama 3's.
    tokenizer = byte_level(pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), True)
    tokenizer.add_special_tokens([AddedToken("<|begin|>", special=True), AddedToken("<|end|>", special=True)])
    begin = tokenizer.token_to_id("<|begin|>")
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(
            single="<|begin|> $A", pair="<|begin|> $A <|begin|> $B:1", special_tokens=[("<|begin|>", begin)])])
    result["llama3"] = tokenizer
    # GPT-2's.
    tokenizer = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens([AddedToken("<|end|>", special=True, rstrip=True)])
    result["gpt2"] = tokenizer
    # Llama 2's: SentencePiece's pieces, with a byte for what has none.
    def sentencepiece(normalizer, pre):
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre
        special = ["<unk>", "<s>", "</s>"]
        tokenizer.train_from_iterator([TEXT.replace("\n", " ")], trainers.BpeTrainer(
            vocab_size=160, special_tokens=special, limit_alphabet=60,
            show_progress=False))
        model = json.loads(tokenizer.to_str())
        vocab = model["model"]["vocab"]
        pieces = sorted(vocab, key=vocab.get)
        bytes_ = [f"<0x{b:02X}>" for b in range(256)]
        ordered = pieces[:3] + bytes_ + pieces[3:]
        model["model"]["vocab"] = {piece: index for index, piece in enumerate(ordered)}
        tokenizer = Tokenizer.from_str(json.dumps(model))
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
        tokenizer.decoder = decoders.Sequence([
            decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
        return tokenizer
    result["llama2"] = sentencepiece(
        normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None)
    tokenizer = sentencepiece(None, pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False))
    result["metaspace"] = tokenizer
    return result


def main():
    for name, case in MODELS.items():
        make_model(name, *case)
    folder = FIXTURES / "tokenizers"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    cases = {}
    for name, tokenizer in make_tokenizers().items():
        tokenizer.save(str(folder / f"{name}.json"), pretty=False)
        cases[name] = []
        for text in CASES:
            ids = tokenizer.encode(text).ids
            cases[name].append({"text": text, "tokens": ids, "decoded": tokenizer.decode(ids)})
    (folder / "cases.json").write_text(json.dumps(cases, ensure_ascii=True))


main()
