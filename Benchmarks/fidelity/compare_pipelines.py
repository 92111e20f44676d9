"""Small pipelines of latents with random weights, sampled by diffspec and taken apart with diffusers.

    pip install diffusers transformers
    python3 compare_pipelines.py DIFFSPEC TOKENIZER [--keep DIR]

One step of diffspec that returns the denoised sample shows what the network predicted for pure noise: text, guidance, sizes
and all. The noise itself comes from the same seed and a U-Net whose last convolution is zero. The predictions are compared
in standard deviations, the decoded pictures in grey levels. TOKENIZER is a folder with vocab.json and merges.txt.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import tempfile

import numpy
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel, UNet2DModel, VQModel
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

PROMPTS = ["a photo of the cat", "a horse on mars"]
GUIDANCE = 7.5


def spread(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim == 1:
                parameter.copy_(noise * 0.1 + (1 if "norm" in name and name.endswith("weight") else 0))
            else:
                parameter.copy_(noise / parameter[0].numel() ** 0.5)
    return model.eval()


def text_encoder(cls, tokenizer, seed, **config):
    return spread(cls(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=tokenizer.model_max_length, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, **config)), seed)


def scheduler(prediction="epsilon"):
    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1, prediction_type=prediction)


CROSS = dict(
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    block_out_channels=(8, 16), norm_num_groups=4, layers_per_block=1, sample_size=8, attention_head_dim=2)
CODER = dict(
    block_out_channels=(8, 8), norm_num_groups=4, down_block_types=("DownEncoderBlock2D",) * 2,
    up_block_types=("UpDecoderBlock2D",) * 2)


def tokens(tokenizer, texts):
    return tokenizer(
        texts, padding="max_length", truncation=True, max_length=tokenizer.model_max_length,
        return_tensors="pt").input_ids


class StableDiffusion:
    name, index = "StableDiffusionPipeline", {}

    def __init__(self, tokenizer, prediction="v_prediction"):
        self.tokenizer = tokenizer
        self.parts = {
            "unet": spread(UNet2DConditionModel(cross_attention_dim=16, **CROSS), 1),
            "vae": spread(AutoencoderKL(latent_channels=4, **CODER), 2),
            "text_encoder": text_encoder(CLIPTextModel, tokenizer, 3, hidden_act="gelu"),
            "tokenizer": tokenizer, "scheduler": scheduler(prediction)}

    def predict(self, noise, time, negative):
        def unet(texts):
            context = self.parts["text_encoder"](tokens(self.tokenizer, texts)).last_hidden_state
            return self.parts["unet"](noise, time, context).sample

        free, asked = unet([negative or ""] * len(PROMPTS)), unet(PROMPTS)
        return free + GUIDANCE * (asked - free)

    def decode(self, latents):
        return self.parts["vae"].decode(latents / self.parts["vae"].config.scaling_factor).sample


class StableDiffusionXL(StableDiffusion):
    name, index = "StableDiffusionXLPipeline", {"force_zeros_for_empty_prompt": True}

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.parts = {
            "unet": spread(UNet2DConditionModel(
                cross_attention_dim=32, use_linear_projection=True, addition_embed_type="text_time",
                addition_time_embed_dim=8, projection_class_embeddings_input_dim=12 + 6 * 8, **CROSS), 1),
            "vae": spread(AutoencoderKL(latent_channels=4, scaling_factor=0.13025, **CODER), 2),
            "text_encoder": text_encoder(CLIPTextModel, tokenizer, 3, hidden_act="quick_gelu"),
            "text_encoder_2": text_encoder(
                CLIPTextModelWithProjection, tokenizer, 4, hidden_act="gelu", projection_dim=12),
            "tokenizer": tokenizer, "tokenizer_2": tokenizer, "scheduler": scheduler()}

    def predict(self, noise, time, negative):
        side = float(16)
        sizes = torch.tensor([[side, side, 0, 0, side, side]] * len(PROMPTS))

        def unet(texts, zeros=False):
            ids = tokens(self.tokenizer, texts)
            one = self.parts["text_encoder"](ids, output_hidden_states=True)
            two = self.parts["text_encoder_2"](ids, output_hidden_states=True)
            context, pooled = torch.cat([one.hidden_states[-2], two.hidden_states[-2]], -1), two.text_embeds
            if zeros:
                context, pooled = torch.zeros_like(context), torch.zeros_like(pooled)
            return self.parts["unet"](
                noise, time, context, added_cond_kwargs={"text_embeds": pooled, "time_ids": sizes}).sample

        free = unet([negative or ""] * len(PROMPTS), zeros=negative is None)
        return free + GUIDANCE * (unet(PROMPTS) - free)


class Latent(StableDiffusion):
    name, index = "LDMPipeline", {}

    def __init__(self, tokenizer):
        self.parts = {
            "unet": spread(UNet2DModel(
                in_channels=3, out_channels=3, sample_size=8, block_out_channels=(8, 16), norm_num_groups=4,
                down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
                layers_per_block=1, attention_head_dim=4), 1),
            "vqvae": spread(VQModel(latent_channels=3, vq_embed_dim=3, num_vq_embeddings=64, **CODER), 2),
            "scheduler": scheduler()}

    def predict(self, noise, time, negative):
        return self.parts["unet"](noise, time).sample

    def decode(self, latents):
        return self.parts["vqvae"].decode(latents / self.parts["vqvae"].config.scaling_factor).sample


def save(pipeline, folder):
    index = {"_class_name": pipeline.name} | pipeline.index
    for name, part in pipeline.parts.items():
        part.save_pretrained(folder / name)
        index[name] = ["transformers" if "text" in name or "token" in name else "diffusers", type(part).__name__]
    (folder / "model_index.json").write_text(json.dumps(index, indent=2))


def sample(program, folder, scratch, arguments):
    shutil.rmtree(scratch, ignore_errors=True)
    subprocess.run(
        [program, "sample", "--model", folder, "--steps", "1", "--churn", "0", "--denoise-last-step", "--draft", "none",
         "--count", str(len(PROMPTS)), "--seed", "7", "--samples", scratch, "--tensors", scratch.with_suffix(".safetensors"),
         "--out", scratch.with_suffix(".png"), "--quiet"] + arguments, check=True)
    pictures = [numpy.asarray(Image.open(path)) for path in sorted(scratch.glob("*.png"))]
    return load_file(scratch.with_suffix(".safetensors"))["samples"], numpy.stack(pictures)


def compare(program, pipeline, negative, root):
    folder = root / f"{pipeline.name}{'-negative' if negative else ''}"
    save(pipeline, folder)
    arguments = []
    if pipeline.name != "LDMPipeline":
        arguments = [word for prompt in PROMPTS for word in ("--prompt", prompt)] + ["--guidance", str(GUIDANCE)]
        arguments += ["--negative-prompt", negative] if negative else []
    found, pictures = sample(program, folder, root / "found", arguments)

    # The noise: a network that always answers zero.
    unet = pipeline.parts["unet"]
    weights = [parameter.clone() for parameter in unet.conv_out.parameters()]
    for parameter in unet.conv_out.parameters():
        parameter.zero_()
    silent = root / "silent"
    shutil.rmtree(silent, ignore_errors=True)
    save(pipeline, silent)
    for parameter, values in zip(unet.conv_out.parameters(), weights):
        parameter.copy_(values)
    zero, _ = sample(program, silent, root / "zero", arguments)

    alphas = pipeline.parts["scheduler"].alphas_cumprod
    alpha, sigma = alphas[-1].sqrt(), (1 - alphas[-1]).sqrt()
    is_velocity = pipeline.parts["scheduler"].config.prediction_type == "v_prediction"
    noise = zero / alpha if is_velocity else zero * alpha
    output = pipeline.predict(noise, torch.tensor(len(alphas) - 1), negative)
    expected = alpha * noise - sigma * output if is_velocity else (noise - sigma * output) / alpha
    error = ((found - expected).abs().max() / expected.std()).item()
    # For tests that start from the same noise.
    save_file(
        {"noise": noise.contiguous(), "denoised": expected.contiguous(), "decoded": pipeline.decode(expected).contiguous()},
        folder / "case.safetensors")
    decoded = (pipeline.decode(found) / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy() * 255
    grey = numpy.abs(decoded.round() - pictures.astype(float)).max()
    spread_of_noise = noise.std().item()
    print(
        f"{pipeline.name}, negative {negative!r}: prediction {error:.1e} deviations, pictures {grey:.0f} grey levels, "
        f"noise's deviation {spread_of_noise:.2f}", flush=True)
    return error < 1e-3 and grey <= 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="where the pipelines stay")
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    tokenizer = CLIPTokenizer.from_pretrained(arguments.tokenizer)
    with tempfile.TemporaryDirectory() as scratch:
        root = arguments.keep or pathlib.Path(scratch)
        root.mkdir(parents=True, exist_ok=True)
        results = [
            compare(arguments.program, pipeline, negative, root)
            for pipeline, negative in [
                (Latent(tokenizer), None), (StableDiffusion(tokenizer), None), (StableDiffusion(tokenizer), "a dog"),
                (StableDiffusionXL(tokenizer), None), (StableDiffusionXL(tokenizer), "a dog")]]
    raise SystemExit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
