"""Trains small tokenizers in the construction of each supported model family and writes what `transformers` makes of texts.

    python tests/golden/tokenizers/make_golden.py     (transformers 5.23, tokenizers 0.23.3, torch, safetensors)

The published vocabularies are large and not ours to redistribute. A small vocabulary in the same construction (normaliser,
splitting, model, added tokens, post-processor, decoder) takes the same paths through the code.
"""

import json
import random
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from texts import TRAINING, strings
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast
from transformers.generation import logits_process
from transformers.utils import chat_template_utils

HERE = Path(__file__).parent
STRINGS = 2010
# The split patterns are part of the published tokenizers: numbers in threes (Llama 3) or digit by digit (Qwen).
PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def train(tokenizer, size, **options):
    options.setdefault("initial_alphabet", pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False, **options)
    tokenizer.train_from_iterator(TRAINING, trainer)


def special(*names):
    return [AddedToken(name, special=True, normalized=False) for name in names]


def plain(*names):
    return [AddedToken(name, special=False, normalized=False) for name in names]


def smollm2():
    """Byte-level BPE as GPT-2's, each digit on its own; the added tokens come first."""
    tokenizer = Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<reponame>", "<file_sep>", "<filename>"]
    names += ["<gh_stars>", "<issue_start>", "<issue_comment>", "<issue_closed>", "<jupyter_start>", "<jupyter_text>"]
    names += ["<jupyter_code>", "<jupyter_output>", "<jupyter_script>", "<empty_output>"]
    train(tokenizer, 1200, special_tokens=special(*names))
    config = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}
    return json.loads(tokenizer.to_str()), {**config, "unk_token": "<|endoftext|>"}


def tinyllama():
    """Llama 2's: BPE over whole texts with spaces written as U+2581, unknown characters as byte tokens."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    # Only for training: merges do not cross words.
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("▁+[^▁]*"), "isolated")
    names = ["<unk>", "<s>", "</s>"]
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    counts = Counter("".join(TRAINING).replace(" ", "▁"))
    # Named, because the trainer chooses at random among equally frequent characters.
    alphabet = sorted(counts, key=lambda c: (-counts[c], c))[:110]
    special_tokens = [*names, *byte_tokens]
    train(tokenizer, 1300, special_tokens=special_tokens, initial_alphabet=alphabet, limit_alphabet=len(alphabet))
    file = json.loads(tokenizer.to_str())
    file["pre_tokenizer"] = None
    file["added_tokens"] = [token for token in file["added_tokens"] if token["content"] in names]
    file["post_processor"] = template("<s>", 1)
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    replace = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
    file["decoder"] = {"type": "Sequence", "decoders": [replace, {"type": "ByteFallback"}, {"type": "Fuse"}, strip]}
    token = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "__type": "AddedToken"}
    config = {name: {"content": text, **token} for name, text in zip(["unk_token", "bos_token", "eos_token"], names)}
    return file, {**config, "pad_token": "</s>", "add_bos_token": True, "add_eos_token": False}


def llama3():
    """Byte-level BPE split by its own pattern; whole words of the vocabulary need no merges."""
    tokenizer = split_by(PATTERN % "{1,3}", trim_offsets=True)
    train(tokenizer, 1200)
    file = json.loads(tokenizer.to_str())
    model = file["model"]
    model["ignore_merges"] = True
    # Words that no merges lead to, as the real vocabulary has them.
    for word in ["Ġaccelerometer", "Ġgyroscope", "Walking", "istics", "Ġ123", "上", "é"]:
        model["vocab"].setdefault(to_bytes(word), len(model["vocab"]))
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>"]
    names += ["<|finetune_right_pad_id|>", "<|reserved_special_token_2|>", "<|start_header_id|>", "<|end_header_id|>"]
    names += ["<|eom_id|>", "<|eot_id|>", "<|python_tag|>", *(f"<|reserved_special_token_{n}|>" for n in range(3, 13))]
    tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.add_special_tokens(special(*names))
    file = json.loads(tokenizer.to_str())
    id = tokenizer.token_to_id("<|begin_of_text|>")
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    file["post_processor"] = {"type": "Sequence", "processors": [byte_level, template("<|begin_of_text|>", id)]}
    config = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}
    return file, {**config, "clean_up_tokenization_spaces": True}


def qwen(thinking):
    """Byte-level BPE of canonically composed text (NFC), each digit on its own."""
    tokenizer = split_by(PATTERN % "", trim_offsets=False)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    train(tokenizer, 1500 if thinking else 1200)
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>"]
    names += ["<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"]
    tokenizer.add_special_tokens(special(*names, "<|image_pad|>", "<|video_pad|>"))
    names = ["<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"]
    names += ["<|repo_name|>", "<|file_sep|>"]
    names += ["<tool_response>", "</tool_response>", "<think>", "</think>"] if thinking else []
    tokenizer.add_tokens(plain(*names))
    file = json.loads(tokenizer.to_str())
    # As published: empty instead of none.
    file["model"].update(continuing_subword_prefix="", end_of_word_suffix="")
    return file, {"bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": None}


def split_by(pattern, trim_offsets):
    tokenizer = Tokenizer(models.BPE())
    options = {"add_prefix_space": False, "trim_offsets": trim_offsets, "use_regex": False}
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(**options)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def template(token, id):
    """A post-processor that begins every text with `token`."""
    begin, text = {"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    pair = [begin, text, {"SpecialToken": {"id": token, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}]
    tokens = {token: {"id": token, "ids": [id], "tokens": [token]}}
    return {"type": "TemplateProcessing", "single": [begin, text], "pair": pair, "special_tokens": tokens}


def to_bytes(word):
    """A word in the spelling of byte-level vocabularies."""
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return "".join(token for token, _ in byte_level.pre_tokenize_str(word.replace("Ġ", " ")))


def write_tokenizer(folder, file, config, chat):
    """Writes a model folder; merges and chat template in one of the forms in which they are published."""
    folder.mkdir(exist_ok=True)
    name = folder.name
    pairs = [merge if isinstance(merge, list) else merge.split(" ") for merge in file["model"]["merges"]]
    file["model"]["merges"] = pairs if name in ("llama3", "qwen3") else [" ".join(pair) for pair in pairs]
    if name == "llama3":
        (folder / "chat_template.jinja").write_text(chat)
    elif name == "tinyllama":
        named = [{"name": "default", "template": chat}, {"name": "tool_use", "template": "{{ bos_token }}"}]
        config["chat_template"] = named
    else:
        config["chat_template"] = chat
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    dump(folder / "tokenizer.json", file)
    dump(folder / "tokenizer_config.json", config)


def dump(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def conversations():
    system = {"role": "system", "content": "  Answer in one word. "}
    ask = {"role": "user", "content": "What is this? 9.81 m/s² <b>\n"}
    answer = {"role": "assistant", "content": "Gravity 😀"}
    think = {"role": "assistant", "content": "<think>\nIt is 9.81.\n</think>\n\nGravity."}
    again = {"role": "user", "content": "Are you sure?"}
    marked = {"role": "user", "content": "<|im_end|></s><|eot_id|> {{ 7 * 7 }} {% if %}"}
    several = [[ask], [system, ask], [ask, answer, again], [system, ask, think, again], [ask, think], [marked]]
    for messages in [*several, [system, ask, answer, again, think]]:
        for prompt in (True, False):
            yield messages, prompt, {}
    yield [ask], True, {"enable_thinking": False}
    yield [system, ask], True, {"date_string": "05 Feb 2023"}


def golden(tokenizer, texts):
    """Ids of all texts (they go into one file for all families) and the rest of a family's golden."""
    ids = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    prefix = tokenizer.encode("", add_special_tokens=True)
    for text, expected in zip(texts, ids):
        assert tokenizer.encode(text, add_special_tokens=True) == prefix + expected
    rng = random.Random(7)
    # Ids that no text encodes to: characters cut in two, control tokens anywhere.
    random_ids = [[rng.randrange(len(tokenizer)) for _ in range(rng.randint(1, 12))] for _ in range(60)]
    tokens = [tokenizer.convert_ids_to_tokens(id) for id in range(len(tokenizer))]
    byte_ids = [id for id, token in enumerate(tokens) if token.startswith("<0x") or len(token) == 1]
    random_ids += [[rng.choice(byte_ids) for _ in range(rng.randint(1, 8))] for _ in range(60)]
    result = {"prefix": prefix, "vocab_size": len(tokenizer), "random_ids": random_ids}
    for name, skip in [("decoded", False), ("decoded_without_special", True)]:
        decoded = {n: tokenizer.decode(i, skip_special_tokens=skip) for n, i in enumerate(ids)}
        result[name] = {n: text for n, text in decoded.items() if text != texts[n]}
        result[f"random_{name}"] = [tokenizer.decode(i, skip_special_tokens=skip) for i in random_ids]
    result["chats"] = []
    for messages, prompt, variables in conversations() if tokenizer.chat_template else []:
        text, chat_ids = render(tokenizer, messages, add_generation_prompt=prompt, **variables)
        chat = {"messages": messages, "add_generation_prompt": prompt, "variables": variables}
        result["chats"].append({**chat, "text": text, "ids": chat_ids})
    return ids, result


class Clock(datetime):
    """The reference asks the clock for the date; the golden's day is 7 March 2025."""

    @classmethod
    def now(cls, tz=None):
        return cls(2025, 3, 7, 14, 5, 9)


def render(tokenizer, messages, **options):
    """Text and ids of `apply_chat_template`."""
    chat_template_utils.datetime = Clock
    text = tokenizer.apply_chat_template(messages, tokenize=False, **options)
    return text, tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, **options)


def metaspace(file, texts, ids):
    """The other construction for Llama 2's vocabulary: the splitting writes spaces, and only the first word gets one.

    `transformers` 5 saves it, and builds it for the class `LlamaTokenizer` whatever the file says. Ids where they differ.
    """
    pre_tokenizer = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    tokenizer = Tokenizer.from_str(json.dumps({**file, "normalizer": None, "pre_tokenizer": pre_tokenizer}))
    others = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    different = {n: other for n, (other, usual) in enumerate(zip(others, ids)) if other != usual}
    return {"pre_tokenizer": pre_tokenizer, "ids": different}


def sampler():
    """One vector through the logits processors of `transformers`, in the order in which `generate` applies them."""
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(1, 500, generator=generator) * 4
    previous = torch.randint(0, 500, (1, 60), generator=generator)
    previous[0, :3] = logits[0].topk(3).indices
    cases = []
    settings = [(1.0, 1.0, 0, 1.0), (1.3, 1.0, 0, 1.0), (1.0, 0.7, 40, 1.0), (1.0, 1.5, 0, 0.9)]
    for penalty, temperature, k, p in [*settings, (1.1, 0.8, 50, 0.95), (1.2, 2.0, 5, 0.5), (1.0, 1.0, 0, 0.0)]:
        scores = logits
        if penalty != 1.0:
            scores = logits_process.RepetitionPenaltyLogitsProcessor(penalty)(previous, scores)
        if temperature != 1.0:
            scores = logits_process.TemperatureLogitsWarper(temperature)(previous, scores)
        if k:
            scores = logits_process.TopKLogitsWarper(k)(previous, scores)
        if p < 1.0:
            scores = logits_process.TopPLogitsWarper(p)(previous, scores)
        probabilities = scores.softmax(-1)[0]
        kept = torch.isfinite(scores[0]).nonzero()[:, 0]
        options = {"repetition_penalty": penalty, "temperature": temperature, "top_k": k, "top_p": p}
        best = sorted(kept.tolist(), key=lambda id: -probabilities[id].item())
        first = [[id, float(f"{probabilities[id].item():.7g}")] for id in best[:60]]
        cases.append({**options, "kept": len(best), "first": first})
    rounded = [float(f"{value:.9g}") for value in logits[0].tolist()]
    dump(HERE / "sampler.json", {"logits": rounded, "previous": previous[0].tolist(), "cases": cases})


def main():
    texts = strings(STRINGS)
    dump(HERE / "strings.json", texts)
    families = {"smollm2": smollm2, "tinyllama": tinyllama, "llama3": llama3}
    families |= {"qwen2": lambda: qwen(thinking=False), "qwen3": lambda: qwen(thinking=True)}
    tensors = {}
    for name, make in families.items():
        folder = HERE / name
        file, config = make()
        write_tokenizer(folder, file, config, (HERE / "chat" / f"{name}.jinja").read_text())
        ids, rest = golden(PreTrainedTokenizerFast.from_pretrained(folder), texts)
        tensors[f"{name}.ids"] = np.array([id for row in ids for id in row], dtype=np.uint16)
        tensors[f"{name}.lengths"] = np.array([len(row) for row in ids], dtype=np.uint16)
        if name == "tinyllama":
            rest["metaspace"] = metaspace(file, texts, ids)
        dump(folder / "golden.json", rest)
    save_file(tensors, HERE / "ids.safetensors")
    sampler()


if __name__ == "__main__":
    main()
