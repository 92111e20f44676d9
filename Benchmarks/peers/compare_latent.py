"""Times Stable Diffusion 1.5's U-Net and decoder at their true size, with random weights, beside PyTorch, OpenVINO and
stable-diffusion.cpp.

    python compare_latent.py FOLDER --make [--tokenizer DIR]        # writes FOLDER/unet and FOLDER/vae, 3.8 GB
    python compare_latent.py FOLDER [--part unet] [--batches 1 2 8] [--rounds 3] [--threads 2] [--engines pytorch openvino sdcpp]

With the folder of a CLIP tokenizer (vocab.json, merges.txt) FOLDER becomes a whole pipeline, text encoder and scheduler too, that
`diffspec sample --model FOLDER --prompt "…"` takes. stable-diffusion.cpp (`pip install stable-diffusion-cpp-python`, built on this
machine) needs such a pipeline, has batch 1 only and holds the convolutions' weights in f16; its U-Net's time is that of the second
step of a picture, its decoder's what is left of the picture's time after its steps, text included. A latent of 64×64, 77 tokens, f32. Every round times every engine once; printed are medians of milliseconds a row, and medians of
the rounds' ratios. Each engine is a process of its own, so that its peak memory can be read.

Build first: swift build -c release --package-path Benchmarks
"""
import argparse
import json
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import time

OURS = pathlib.Path(__file__).resolve().parent.parent / ".build" / "release" / "network-benchmark"


def make(folder: pathlib.Path, tokenizer: pathlib.Path | None) -> None:
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel

    torch.manual_seed(0)
    UNet2DConditionModel(
        sample_size=64, in_channels=4, out_channels=4, layers_per_block=2, block_out_channels=(320, 640, 1280, 1280),
        cross_attention_dim=768, attention_head_dim=8).save_pretrained(folder / "unet")
    AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2, latent_channels=4,
        sample_size=512).save_pretrained(folder / "vae")
    if tokenizer:
        make_pipeline(folder, tokenizer)


def make_pipeline(folder: pathlib.Path, tokenizer_folder: pathlib.Path) -> None:
    """What a pipeline has beside its two networks, of Stable Diffusion 1.5's true size."""
    from diffusers import DDIMScheduler
    from safetensors.torch import save_file
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(tokenizer_folder)
    tokenizer.save_pretrained(folder / "tokenizer")
    encoder = CLIPTextModel(CLIPTextConfig(
        vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
        max_position_embeddings=77, hidden_act="quick_gelu", bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id))
    encoder.save_pretrained(folder / "text_encoder")
    # Under the names of all published folders, which transformers 5 no longer writes.
    prefix = "text_model."
    save_file({prefix + name.removeprefix(prefix): tensor.contiguous() for name, tensor in encoder.state_dict().items()},
              folder / "text_encoder" / "model.safetensors", metadata={"format": "pt"})
    DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1).save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps({
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30.0",
        "feature_extractor": [None, None], "safety_checker": [None, None], "requires_safety_checker": False,
        "scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"]}, indent=2))


def sdcpp(folder: str, part: str, threads: int) -> None:
    """As `engine`, for stable-diffusion.cpp."""
    from stable_diffusion_cpp import StableDiffusion

    pipeline = StableDiffusion(folder, n_threads=threads, wtype="f32", vae_decode_only=True, verbose=False)
    print("ready", flush=True)
    for line in sys.stdin:
        if int(line) != 1:
            raise SystemExit("stable-diffusion.cpp takes one row at a time: --batches 1")
        ends = []
        start = time.perf_counter()
        pipeline.generate_image("a photo of the cat", cfg_scale=1.0, sample_steps=2, sample_method="euler_a", seed=1,
                                progress_callback=lambda step, steps, seconds: ends.append(time.perf_counter()))
        seconds = ends[-1] - ends[-2] if part == "unet" else time.perf_counter() - ends[-1] + ends[0] - start
        print(seconds * 1e3, flush=True)
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MB", flush=True)


def engine(name: str, folder: str, part: str, batches: list[int], threads: int) -> None:
    """Answers batch sizes on stdin with milliseconds, in a process of its own."""
    if name == "sdcpp":
        return sdcpp(folder, part, threads)
    import numpy as np
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel

    torch.set_num_threads(threads)
    if part == "unet":
        model = UNet2DConditionModel.from_pretrained(folder + "/unet").eval()

        def arrays(batch):
            return [torch.randn(batch, 4, 64, 64), torch.arange(batch).float() * 37, torch.randn(batch, 77, 768)]

        class Wrapped(torch.nn.Module):
            def forward(self, sample, timestep, context):
                return model(sample, timestep, context, return_dict=False)[0]
    else:
        model = AutoencoderKL.from_pretrained(folder + "/vae").eval()

        def arrays(batch):
            return [torch.randn(batch, 4, 64, 64)]

        class Wrapped(torch.nn.Module):
            def forward(self, latent):
                return model.decode(latent, return_dict=False)[0]

    wrapped = Wrapped()
    wrapped.model = model
    if name == "pytorch":
        wrapped = wrapped.to(memory_format=torch.channels_last)

        def call(batch):
            with torch.inference_mode():
                wrapped(*arrays(batch))
    else:
        import openvino as ov

        core = ov.Core()
        with torch.inference_mode():
            converted = ov.convert_model(wrapped, example_input=arrays(1))
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        for port, array in zip(converted.inputs, arrays(1)):
            port.get_node().set_partial_shape(ov.PartialShape([-1, *array.shape[1:]]))
        converted.validate_nodes_and_infer_types()
        compiled = core.compile_model(converted, "CPU", settings)
        request = compiled.create_infer_request()

        def call(batch):
            request.infer([np.ascontiguousarray(array.numpy()) for array in arrays(batch)])

    print("ready", flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        call(int(line))
        print((time.perf_counter() - start) * 1e3, flush=True)
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MB", flush=True)


class Process:
    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while not (line := self.process.stdout.readline()).startswith("ready"):
            if not line:
                raise SystemExit(f"{command[0]} ended")

    def milliseconds(self, batch: int) -> float:
        self.process.stdin.write(f"{batch}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline().split()[0])

    def peak(self) -> int:
        self.process.stdin.close()
        megabytes = int(re.search(r"peak (\d+)", self.process.stdout.read()).group(1))
        self.process.wait()
        return megabytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--tokenizer", type=pathlib.Path, help="of the pipeline that --make writes")
    parser.add_argument("--part", choices=["unet", "vae"], default="unet")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 8])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engines", nargs="+", default=["pytorch", "openvino"])
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        return make(pathlib.Path(options.folder), options.tokenizer)
    if options.serve:
        return engine(options.serve, options.folder, options.part, options.batches, options.threads)

    words = [sys.executable, __file__, options.folder, "--part", options.part, "--threads", str(options.threads)]
    engines = {"diffspec": Process([str(OURS), f"{options.folder}/{options.part}", "--threads", str(options.threads),
                                    "--serve"])}
    engines |= {name: Process(words + ["--serve", name]) for name in options.engines}
    times = {(name, batch): [] for name in engines for batch in options.batches}
    for batch in options.batches:
        for name, process in engines.items():
            process.milliseconds(batch)  # the first call of a size allocates
        for _ in range(options.rounds):
            for name, process in engines.items():
                times[name, batch].append(process.milliseconds(batch) / batch)
    print("| batch | " + " | ".join(f"{name} ms a row" for name in engines) + " | "
          + " | ".join(f"ours / {name}" for name in options.engines) + " |")
    print("|---" * (1 + len(engines) + len(options.engines)) + "|")
    for batch in options.batches:
        medians = [statistics.median(times[name, batch]) for name in engines]
        ratios = [statistics.median(a / b for a, b in zip(times["diffspec", batch], times[name, batch]))
                  for name in options.engines]
        print(f"| {batch} | " + " | ".join(f"{value:.0f}" for value in medians) + " | "
              + " | ".join(f"{value:.2f}" for value in ratios) + " |")
    print("peak memory: " + ", ".join(f"{name} {process.peak()} MB" for name, process in engines.items()))


if __name__ == "__main__":
    main()
