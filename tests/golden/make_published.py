"""Writes `published/`: what the reference libraries compute with checkpoints in the form their authors publish.

    OMP_NUM_THREADS=1 python make_published.py [CASE ...]

A case is a `config.json` in the published form, the list of its tensors (values by `formula.py`), inputs and outputs. The
script writes the checkpoint to a temporary folder, lets the reference load it from there with its own `from_pretrained`,
and keeps the outputs. Everything is computed in f32, with eager attention, in one thread. See README.md for the format.
"""

import hashlib
import json
import pathlib
import sys
import tempfile

import chronos.chronos2
import numpy as np
import torch
import transformers
from chronos import BaseChronosPipeline
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch
from transformers import AutoConfig, AutoModelForCausalLM

import formula

torch.set_num_threads(1)
torch.manual_seed(0)
HERE = pathlib.Path(__file__).parent / "published"


# --- Checkpoints -----------------------------------------------------------------------------------------------------


def write_checkpoint(case, folder):
    """`config.json` and `model.safetensors` (or shards with an index), as a hub would hold them."""
    folder = pathlib.Path(folder)
    (folder / "config.json").write_text(json.dumps(case["config"], indent=2))
    shards = [{} for _ in range(case["shards"])]
    for i, entry in enumerate(case["tensors"]):
        shards[i * len(shards) // len(case["tensors"])][entry["name"]] = formula.tensor(case, entry)
    if len(shards) == 1:
        save_torch(shards[0], folder / "model.safetensors", metadata={"format": "pt"})
        return
    index = {"metadata": {"total_size": sum(t.numel() * t.element_size() for s in shards for t in s.values())}}
    index["weight_map"] = {}
    for i, shard in enumerate(shards):
        file = f"model-{i + 1:05}-of-{len(shards):05}.safetensors"
        save_torch(shard, folder / file, metadata={"format": "pt"})
        index["weight_map"] |= {name: file for name in shard}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True))


def tensor_list(model, rules, leave_out=()):
    """Names and shapes of a model's parameters, without those a published file leaves out because they are shared."""
    entries = [
        formula.describe(rules, name, parameter.shape)
        for name, parameter in model.state_dict().items()
        if name not in leave_out
    ]
    return sorted(entries, key=lambda entry: entry["name"])


def digest(case, entry):
    """Start of the SHA-256 of a tensor's bytes in the file, by which another implementation of the formula is checked."""
    flat = formula.tensor(case, entry).reshape(-1)
    return hashlib.sha256(flat.view(torch.uint8).numpy().tobytes()).hexdigest()[:16]


def write_case(name, case, arrays):
    case["tensors"] = [entry | {"sha256": digest(case, entry)} for entry in case["tensors"]]
    arrays = {key: np.ascontiguousarray(value) for key, value in arrays.items()}
    lines = [json.dumps(entry) for entry in case["tensors"]]
    head = json.dumps({key: value for key, value in case.items() if key != "tensors"}, indent=1)
    tensors = ",\n  ".join(lines)
    (HERE / f"{name}.json").write_text(f'{head[:-2]},\n "tensors": [\n  {tensors}\n ]\n}}\n')
    save_file(arrays, HERE / f"{name}.safetensors")
    print(f"{name}: {sum((HERE / f'{name}.{end}').stat().st_size for end in ('json', 'safetensors')) / 1024:.0f} KiB")


# --- Language models -------------------------------------------------------------------------------------------------

LLAMA_RULES = [
    (r"(layernorm|norm)\.weight$", 1.0, 0.4 / 12**0.5),
    (r"\.bias$", 0.0, 0.5),
    (r"embed_tokens\.weight$", 0.0, 0.3),
    (r"lm_head\.weight$", 0.0, 0.3),
    (r"\.weight$", 0.0, lambda n: 1.5 / n**0.5),
]

# As published by each model's authors, sizes apart.
SMOLLM2 = {
    "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 0,
    "eos_token_id": 0, "hidden_act": "silu", "hidden_size": 576, "initializer_range": 0.041666666666666664,
    "intermediate_size": 1536, "is_llama_config": True, "max_position_embeddings": 8192, "model_type": "llama",
    "num_attention_heads": 9, "num_hidden_layers": 30, "num_key_value_heads": 3, "pretraining_tp": 1,
    "rms_norm_eps": 1e-05, "rope_interleaved": False, "rope_scaling": None, "rope_theta": 100000,
    "tie_word_embeddings": True, "torch_dtype": "bfloat16", "transformers_version": "4.40.1", "use_cache": True,
    "vocab_size": 49152,
}
TINYLLAMA = {
    "architectures": ["LlamaForCausalLM"], "attention_bias": False, "bos_token_id": 1, "eos_token_id": 2,
    "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 5632,
    "max_position_embeddings": 2048, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 22,
    "num_key_value_heads": 4, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": None,
    "rope_theta": 10000.0, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    "transformers_version": "4.35.0", "use_cache": True, "vocab_size": 32000,
}
LLAMA32 = {
    "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64, "hidden_act": "silu",
    "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192, "max_position_embeddings": 131072,
    "mlp_bias": False, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16,
    "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
    "rope_scaling": {
        "factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 8192,
        "rope_type": "llama3",
    },
    "rope_theta": 500000.0, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
    "transformers_version": "4.45.0.dev0", "use_cache": True, "vocab_size": 128256,
}
QWEN2 = {
    "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
    "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 896, "initializer_range": 0.02,
    "intermediate_size": 4864, "max_position_embeddings": 32768, "max_window_layers": 24, "model_type": "qwen2",
    "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2, "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
    "transformers_version": "4.40.1", "use_cache": True, "use_mrope": False, "use_sliding_window": False,
    "vocab_size": 151936,
}
QWEN3 = {
    "architectures": ["Qwen3ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": 151643, "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024,
    "initializer_range": 0.02, "intermediate_size": 3072, "max_position_embeddings": 40960,
    "max_window_layers": 28, "model_type": "qwen3", "num_attention_heads": 16, "num_hidden_layers": 28,
    "num_key_value_heads": 8, "rms_norm_eps": 1e-06, "rope_scaling": None, "rope_theta": 1000000,
    "sliding_window": None, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
    "transformers_version": "4.51.0", "use_cache": True, "use_sliding_window": False, "vocab_size": 151936,
}

SMALL = {"vocab_size": 500, "bos_token_id": 1, "eos_token_id": 2}
# name -> (published form, what the small version changes, shards of the f32 and the bf16 checkpoint)
LANGUAGE_MODELS = {
    "smollm2": (SMOLLM2, SMALL | {
        "hidden_size": 96, "intermediate_size": 256, "num_hidden_layers": 3, "num_attention_heads": 3,
        "num_key_value_heads": 1, "max_position_embeddings": 256,
    }, (1, 1)),
    "tinyllama": (TINYLLAMA, SMALL | {
        "hidden_size": 128, "intermediate_size": 352, "num_hidden_layers": 2, "num_attention_heads": 8,
        "num_key_value_heads": 2, "max_position_embeddings": 256,
    }, (3, 1)),
    # The 84 positions of the run go past the original maximum of 32, and the head's wavelengths lie on both sides of and
    # between the two limits of the scaling (8 and 32 positions).
    "llama32": (LLAMA32, SMALL | {
        "hidden_size": 128, "intermediate_size": 320, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 32, "max_position_embeddings": 1024, "eos_token_id": [2, 3, 4],
        "rope_scaling": LLAMA32["rope_scaling"] | {"original_max_position_embeddings": 32},
    }, (1, 2)),
    "qwen2": (QWEN2, SMALL | {
        "hidden_size": 96, "intermediate_size": 288, "num_hidden_layers": 2, "num_attention_heads": 6,
        "num_key_value_heads": 2, "max_position_embeddings": 256, "sliding_window": 256, "max_window_layers": 2,
    }, (1, 1)),
    "qwen3": (QWEN3, SMALL | {
        "hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 32, "max_position_embeddings": 256, "max_window_layers": 3,
    }, (1, 2)),
}


def todays_form(config):
    """`config` as today's transformers writes it: `dtype`, `rope_parameters`, and every default spelled out."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "config.json").write_text(json.dumps(config))
        loaded = AutoConfig.from_pretrained(folder)
        loaded.save_pretrained(folder)
        return json.loads((pathlib.Path(folder) / "config.json").read_text())


def run_language_model(case, prompt_length, new):
    """(prompt, its logits, greedy ids, smallest distance between the two best logits on the way)."""
    rng = np.random.default_rng(prompt_length)
    prompt = rng.integers(5, case["config"]["vocab_size"], prompt_length)
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(case, folder)
        model, loading = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
    assert not any(loading[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), loading
    model.eval()
    with torch.no_grad():
        output = model(torch.from_numpy(prompt)[None], use_cache=True)
        logits, ids, gap = output.logits[0], [], float("inf")
        last = logits[-1]
        for _ in range(new):
            best = torch.topk(last, 2).values
            gap = min(gap, float(best[0] - best[1]))
            ids.append(int(last.argmax()))
            output = model(torch.tensor([[ids[-1]]]), past_key_values=output.past_key_values, use_cache=True)
            last = output.logits[0, -1]
        generated = model.generate(
            torch.from_numpy(prompt)[None], attention_mask=torch.ones(1, prompt_length, dtype=torch.long),
            max_new_tokens=new, min_new_tokens=new, do_sample=False, eos_token_id=None, pad_token_id=0,
        )[0, prompt_length:].tolist()
    assert ids == generated, "transformers' own generate takes the same path"
    return prompt.tolist(), logits.numpy(), ids, gap


def language_model_case(config, dtype, shards, prompt_length, new=64):
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))
    leave_out = {"lm_head.weight"} if config["tie_word_embeddings"] else set()
    case = {
        "kind": "language_model", "dtype": dtype, "salt": 0, "shards": shards, "config": config,
        "tensors": tensor_list(model, LLAMA_RULES, leave_out),
    }
    while True:
        prompt, logits, ids, gap = run_language_model(case, prompt_length, new)
        if gap > 1e-3:
            break
        print(f"  salt {case['salt']}: smallest gap {gap:.1e}")
        case["salt"] += 1
    print(f"  gap {gap:.4f}, {len(set(ids))} different ids of {len(ids)}, logits deviate by {logits.std():.2f}")
    return case | {"prompt": prompt, "greedy": ids, "smallest_gap": gap}, logits


def small_language_models():
    for name, (published, changes, shards) in LANGUAGE_MODELS.items():
        for dtype, shards in zip(("F32", "BF16"), shards):
            config = published | changes
            if dtype == "F32":
                config = todays_form(config | {"torch_dtype": "float32"})
            arguments = (config, dtype, shards)
            yield f"{name}_{dtype.lower()}", lambda arguments=arguments: language_model(*arguments)


def language_model(config, dtype, shards):
    case, logits = language_model_case(config, dtype, shards, 20)
    return case, {"logits": logits}


def smollm2_135m():
    """True size: of the last position's logits the 64 largest and every 16th."""
    case, logits = language_model_case(SMOLLM2, "BF16", 1, 16)
    top = np.argsort(-logits[-1], kind="stable")[:64]
    return case, {
        "last_top_ids": top.astype(np.int32), "last_top": logits[-1][top], "last_every_16th": logits[-1][::16],
    }


# --- Time-series encoders --------------------------------------------------------------------------------------------

T5_RULES = [
    (r"layer_norm\.weight$", 1.0, 0.4 / 12**0.5),
    (r"\.bias$", 0.0, 0.2),
    (r"relative_attention_bias\.weight$", 0.0, 1.0),
    (r"(shared|embed_tokens)\.weight$", 0.0, 1.0),
    (r"Attention\.q\.weight$", 0.0, None),  # by the case: attention is not divided by the root of d_kv
    (r"self_attention\.q\.weight$", 0.0, None),
    (r"\.weight$", 0.0, lambda n: 1.0 / n**0.5),
]


def encoder_rules(config):
    q = 1.5 / (config["d_model"] * config["d_kv"]) ** 0.5
    return [(pattern, centre, q if deviation is None else deviation) for pattern, centre, deviation in T5_RULES]


T5 = {
    "architectures": ["T5ForConditionalGeneration"], "classifier_dropout": 0.0, "d_ff": 1024, "d_kv": 64,
    "d_model": 256, "decoder_start_token_id": 0, "dense_act_fn": "relu", "dropout_rate": 0.1, "eos_token_id": 1,
    "feed_forward_proj": "relu", "initializer_factor": 0.05, "is_encoder_decoder": True, "is_gated_act": False,
    "layer_norm_epsilon": 1e-06, "model_type": "t5", "n_positions": 512, "num_decoder_layers": 4, "num_heads": 4,
    "num_layers": 4, "pad_token_id": 0, "relative_attention_max_distance": 128,
    "relative_attention_num_buckets": 32, "torch_dtype": "float32", "transformers_version": "4.37.2",
    "use_cache": True, "vocab_size": 4096,
    "chronos_config": {
        "tokenizer_class": "MeanScaleUniformBins", "tokenizer_kwargs": {"low_limit": -15.0, "high_limit": 15.0},
        "n_tokens": 4096, "n_special_tokens": 2, "pad_token_id": 0, "eos_token_id": 1, "use_eos_token": True,
        "model_type": "seq2seq", "context_length": 512, "prediction_length": 64, "num_samples": 20,
        "temperature": 1.0, "top_k": 50, "top_p": 1.0,
    },
}
BOLT = {key: value for key, value in T5.items() if key != "vocab_size"} | {
    "architectures": ["ChronosBoltModelForForecasting"], "chronos_pipeline_class": "ChronosBoltPipeline",
    "reg_token_id": 1, "transformers_version": "4.39.3", "vocab_size": 2,
    "chronos_config": {
        "context_length": 2048, "input_patch_size": 16, "input_patch_stride": 16, "prediction_length": 64,
        "quantiles": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], "use_reg_token": True,
    },
}
# Sizes of the 28 M variant: the defaults of the package's own Chronos2CoreConfig, which give its published parameter count.
CHRONOS2 = {
    "architectures": ["Chronos2Model"], "chronos_pipeline_class": "Chronos2Pipeline", "d_ff": 2048, "d_kv": 64,
    "d_model": 512, "dense_act_fn": "relu", "dropout_rate": 0.1, "feed_forward_proj": "relu",
    "initializer_factor": 0.05, "is_gated_act": False, "layer_norm_epsilon": 1e-06, "model_type": "t5",
    "num_heads": 8, "num_layers": 6, "pad_token_id": 0, "reg_token_id": 1, "rope_theta": 10000.0,
    "torch_dtype": "float32", "transformers_version": "4.49.0", "vocab_size": 2,
    "chronos_config": {
        "context_length": 8192, "input_patch_size": 16, "input_patch_stride": 16, "max_output_patches": 64,
        "output_patch_size": 16, "quantiles": [0.01] + [round(0.05 * i, 2) for i in range(1, 20)] + [0.99],
        "time_encoding_scale": 8192, "use_arcsinh": True, "use_reg_token": True,
    },
}
# Sizes of the 120 M variant, the one that was published first: ViT-base's, as T5-base has them.
CHRONOS2_BASE = CHRONOS2 | {"d_ff": 3072, "d_model": 768, "num_heads": 12, "num_layers": 12}
NARROW = {"d_model": 48, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_decoder_layers": 1, "num_heads": 4}
WIDE_HEADS = {"num_decoder_layers": 2, "num_heads": 2, "d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 3}
CONTEXT_512 = {"chronos_config": CHRONOS2["chronos_config"] | {"context_length": 512}}

# name -> (config, type of the weights, shards, names of tensors the file repeats, values kept per batch)
ENCODERS = {
    # heads * d_kv differs from d_model, as in mini; embedding tables repeated, as some published files do
    "chronos_t5_narrow": (T5 | NARROW, "F32", 2, ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight"), 1024),
    "chronos_t5_small_bf16": (T5 | WIDE_HEADS | {"torch_dtype": "bfloat16"}, "BF16", 1, (), 1024),
    "chronos_t5_tiny": (T5, "F32", 1, (), 512),
    "chronos_bolt_narrow": (BOLT | NARROW, "F32", 1, (), 1024),
    "chronos_bolt_small_f16": (BOLT | WIDE_HEADS | {"torch_dtype": "float16"}, "F16", 1, (), 1024),
    "chronos_bolt_tiny": (BOLT, "F32", 1, (), 512),
    "chronos_2_narrow": (CHRONOS2 | NARROW | CONTEXT_512, "F32", 2, (), 1024),
    "chronos_2_small": (CHRONOS2, "F32", 1, (), 512),
    "chronos_2_base": (CHRONOS2_BASE, "F32", 1, (), 64),
}


def series():
    """Inputs by name. Sums of the constant 9.81 are not exact in f32: the reference scales their rounding error up."""
    rng = np.random.default_rng(7)

    def walk(length, gain=1.0, offset=0.0):
        t = np.arange(length) / 50.0
        x = gain * (np.sin(2 * np.pi * 1.7 * t) + 0.3 * np.sin(2 * np.pi * 4.1 * t + 1.0)) + offset
        return (x + gain * 0.2 * rng.standard_normal(length)).astype(np.float32)

    x = {f"length_{n}": walk(n, 2.0, 9.8) for n in (1, 2, 15, 16, 17, 100, 512, 600)}
    x["gap_100"] = walk(100)
    x["gap_100"][7:61] = np.nan  # four whole patches and parts of two
    x["holes_100"] = walk(100, 0.1)
    x["holes_100"][rng.random(100) < 0.3] = np.nan
    x["late_600"] = walk(600, 3.0)
    x["late_600"][:333] = np.nan
    x["missing_40"] = np.full(40, np.nan, np.float32)
    x["missing_100"] = np.full(100, np.nan, np.float32)
    x["constant_100"] = np.full(100, 9.81, np.float32)
    x["constant_16"] = np.full(16, -3.5, np.float32)
    x["zero_100"] = np.zeros(100, np.float32)
    x["huge_100"] = walk(100, 1e6, -2e6)
    x["tiny_100"] = walk(100, 1e-6)
    x["spike_100"] = walk(100, 0.01)
    x["spike_100"][50] = 1e6
    x["one_of_17"] = np.full(17, np.nan, np.float32)
    x["one_of_17"][3] = 4.0
    return x


SINGLE = [
    "length_1", "length_2", "length_15", "length_16", "length_17", "length_100", "length_512", "length_600", "gap_100",
    "late_600", "missing_40", "constant_100", "constant_16", "huge_100", "spike_100", "one_of_17",
]
HUNDRED = [
    "length_100", "gap_100", "holes_100", "missing_100", "constant_100", "zero_100", "huge_100", "tiny_100", "spike_100",
]
UNEQUAL = ["length_17", "length_100", "gap_100", "missing_40", "length_1", "huge_100", "constant_16"]
# A batch is a list of groups of series. Only Chronos-2 relates the series of a group; in the others a group is one series.
BATCHES = {name: [[name]] for name in SINGLE}
BATCHES["hundred"] = [[name] for name in HUNDRED]
BATCHES["unequal"] = [[name] for name in UNEQUAL]
CHRONOS2_BATCHES = BATCHES | {
    "hundred": [HUNDRED],
    "groups": [["length_100", "gap_100", "missing_100"], ["length_17", "one_of_17"], ["late_600"], ["missing_40"]],
    "unequal": [[name] for name in UNEQUAL],
}


def embed(pipeline, groups, x):
    """The reference's own `embed`: (vectors, location, scale, where attention may look), all of the whole batch."""
    kind = type(pipeline).__name__
    flat = [torch.from_numpy(x[name]) for group in groups for name in group]
    if kind == "Chronos2Pipeline":
        inputs = [torch.stack([torch.from_numpy(x[name]) for name in group]) for group in groups]
        vectors, loc_scale = pipeline.embed(inputs)
        location = torch.cat([pair[0] for pair in loc_scale]).flatten()
        scale = torch.cat([pair[1] for pair in loc_scale]).flatten()
        longest = max(len(s) for s in flat)
        padded = torch.stack([torch.nn.functional.pad(s, (longest - len(s), 0), value=torch.nan) for s in flat])
        attended = pipeline.model._prepare_patched_context(padded)[1].float()
        attended = torch.nn.functional.pad(attended, (0, 2), value=1.0)
        return torch.cat(vectors), location, scale, attended
    vectors, state = pipeline.embed(flat)
    context = pipeline._prepare_and_validate_context(flat)
    if kind == "ChronosBoltPipeline":
        _, _, _, attended = pipeline.model.encode(context=context)
        return vectors, *state, attended.float()
    _, attended, _ = pipeline.tokenizer.context_input_transform(context)
    return vectors, torch.zeros_like(state), state, attended.float()


def encoder(config, dtype, shards, repeated, kept):
    from chronos.chronos_bolt import ChronosBoltModelForForecasting

    if config["architectures"] == ["Chronos2Model"]:
        config = {key: value for key, value in config.items() if key != "num_decoder_layers"}
    class_ = {
        "T5ForConditionalGeneration": transformers.T5ForConditionalGeneration,
        "ChronosBoltModelForForecasting": ChronosBoltModelForForecasting,
        "Chronos2Model": chronos.chronos2.Chronos2Model,
    }[config["architectures"][0]]
    model = class_(class_.config_class(**json.loads(json.dumps(config))))
    shared = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"}
    tensors = tensor_list(model, encoder_rules(config), shared - set(repeated))
    for entry in tensors:
        if entry["name"] in repeated:
            entry["values_of"] = "shared.weight"
    case = {"kind": "encoder", "dtype": dtype, "salt": 0, "shards": shards, "config": config, "tensors": tensors}
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(case, folder)
        pipeline = BaseChronosPipeline.from_pretrained(folder, device_map="cpu", dtype=torch.float32)
    loaded = pipeline.inner_model.state_dict()
    for entry in tensors:
        assert torch.equal(loaded[entry["name"]], formula.tensor(case, entry).float()), entry["name"]

    x, arrays, batches = series(), {}, []
    two = config["architectures"] == ["Chronos2Model"]
    for name, groups in (CHRONOS2_BATCHES if two else BATCHES).items():
        with torch.no_grad():
            vectors, location, scale, attended = embed(pipeline, groups, x)
        assert torch.isfinite(vectors).all(), name
        flat = vectors.numpy().reshape(-1)
        if len(flat) > kept:
            rng = np.random.default_rng(len(flat))
            indices = np.sort(rng.choice(len(flat), kept, replace=False)).astype(np.int32)
            arrays[f"{name}.indices"] = indices
            flat = flat[indices]
        arrays[f"{name}.values"] = flat
        arrays[f"{name}.location"] = location.numpy().astype(np.float32)
        arrays[f"{name}.scale"] = scale.numpy().astype(np.float32)
        arrays[f"{name}.attended"] = attended.numpy().astype(np.uint8)
        assert attended.shape == vectors.shape[:2]
        batches.append({"name": name, "groups": groups, "shape": list(vectors.shape)})
    print(f"  values deviate by {flat.std():.2f}, largest {np.abs(flat).max():.2f}")
    return case | {"batches": batches}, arrays


def borders():
    """Borders between the bins of Chronos-T5's tokenizer."""
    config = chronos.ChronosConfig(**T5["chronos_config"])
    return {"borders": config.create_tokenizer().boundaries.numpy()}


def main():
    HERE.mkdir(exist_ok=True)
    save_file(series(), HERE / "series.safetensors")
    save_file(borders(), HERE / "chronos_t5_borders.safetensors")
    cases = dict(small_language_models())
    cases["smollm2_135m"] = smollm2_135m
    cases |= {name: lambda arguments=arguments: encoder(*arguments) for name, arguments in ENCODERS.items()}
    for name in sys.argv[1:] or cases:
        print(name)
        write_case(name, *cases[name]())


if __name__ == "__main__":
    main()
