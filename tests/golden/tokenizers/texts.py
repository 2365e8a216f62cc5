"""The texts of the tokenizer goldens: what the small vocabularies are trained on, and the strings they are tried on."""

import random
import string

ENGLISH = """
The phone lies face up on the table and measures nothing but gravity.
While you walk, the accelerometer sees a peak for every step, about two per second.
Running doubles the peaks and makes each of them three times as high.
Going upstairs is slower than going downstairs, and the gyroscope tells them apart.
Someone sits down, waits for a minute, stands up again and leaves the room.
A bicycle shakes the pocket with the rhythm of the pedals and the noise of the road.
What was the person doing between nine and ten o'clock? They were cycling to work.
I can't say whether he's walking or she'll be running; they've stopped, and we're waiting.
DON'T SHOUT: IT'S RUDE, YOU'RE LATE, I'M NOT, THEY'LL COME, WE'D GO, I'VE BEEN THERE.
The mean of the signal is close to 9.81 m/s², its standard deviation is below 0.05.
Samples arrive at 50 Hz; a window of 128 samples lasts 2.56 seconds.
Describe the motion in one sentence, then name the most likely activity.
You are a helpful assistant that answers questions about movement and sensors.
The three axes are called x, y and z; the rotation rate is given in radians per second.
If the model is unsure it should say so instead of guessing.
Probability: walking 83%, standing 12%, sitting 4%, lying 1%.
First the text is split into words and numbers, then every word becomes one or more tokens.
Large language models predict the next token from all tokens before it.
Please keep your answers short, friendly and correct; thank you very much!
There are many ways to wear a watch: left wrist, right wrist, above or below the hand.
Temperature, humidity, pressure and light were recorded together with acceleration.
Between 2019 and 2024 the number of recordings grew from 1,204 to 18,377 (a factor of 15.3).
Whenever the screen turns off, some phones lower the sampling rate without telling anybody.
An elevator is hard to recognise because it hardly moves except when it starts and stops.
She wrote: "The quick brown fox jumps over the lazy dog", and he replied: 'Again?'
Nobody knows exactly how long the battery will last, but most people expect a whole day.
Figures 1 to 4 show the same ten seconds seen by four different devices.
In the morning the children went to school by tram, in the evening they came home by bus.
Every good experiment begins with a question and ends with a better one.
Music played loudly enough to shake the table, which looked like slow walking.
"""

OTHER = """
Das Telefon misst die Beschleunigung beim Gehen, Laufen und Treppensteigen; überall größer als nötig.
Le téléphone mesure l'accélération pendant que l'élève marche, court ou monte à l'étage.
El teléfono mide la aceleración mientras la niña camina, corre o sube; ¿qué está haciendo?
Telefone, coração, ações e movimentação: não há medição sem calibração.
Il telefono misura l'accelerazione: perché così è più facile capire che cosa succede.
Telefon mierzy przyspieszenie, gdy ktoś idzie, biegnie albo wchodzi po schodach.
Телефон измеряет ускорение, когда человек идёт, бежит или поднимается по лестнице.
Το τηλέφωνο μετρά την επιτάχυνση όταν κάποιος περπατά ή τρέχει.
הטלפון מודד את התאוצה כאשר אדם הולך או רץ.
يقيس الهاتف التسارع عندما يمشي الشخص أو يركض.
फ़ोन चलते या दौड़ते समय त्वरण मापता है।
โทรศัพท์วัดความเร่งเมื่อคนเดินหรือวิ่ง
手机在人走路或跑步时测量加速度。
電話は人が歩いたり走ったりするときの加速度を測ります。
전화기는 사람이 걷거나 뛸 때 가속도를 측정합니다.
Điện thoại đo gia tốc khi người ta đi bộ hoặc chạy.
Telefon, biri yürürken veya koşarken ivmeyi ölçer; ığdır, İzmir, şçöğü.
"""

CODE = """
def magnitude(x, y, z):
    return (x * x + y * y + z * z) ** 0.5

for i in range(0, len(samples) - 128, 64):
    window = samples[i:i + 128]
    if window.mean() > 9.5:
        print(f"{i}: {window.std():.3f}")

fn rms(values: &[f32]) -> f32 {
    let sum: f32 = values.iter().map(|v| v * v).sum();
    (sum / values.len() as f32).sqrt()
}

{"name": "walking", "probability": 0.83, "channels": ["acc_x", "acc_y"], "ok": true, "none": null}
<html><body class="main"><p>Hello &amp; welcome</p></body></html>
const result = await fetch(`https://example.test/model.json?version=${version}`);
\tif (x == 0) {\t// tab
\t\treturn;
\t}
SELECT label, COUNT(*) FROM windows WHERE t >= '2024-01-31T12:00:00Z' GROUP BY label;
"""

TRAINING = [line for text in (ENGLISH, ENGLISH, OTHER, CODE) for line in text.split("\n") if line]
TRAINING += [CODE, "\n\n", "\r\n\r\n", " " * 4, " " * 8, " " * 16]

# Strings somebody thought of: each is a case that tokenizers are known to differ in.
PICKED = [
    "", " ", "  ", "   ", "\n", "\n\n", "\n\n\n", "\r\n", "\r", "\t", "\t\t", " \n ", "\n \n", "  \n\n  \n", " \t \r\n \t",
    "a", " a", "a ", " a ", "  a", "a  ", "   a   b   ", "a\nb", "a\r\nb", "a\rb", "a \n b", "a\n\n\nb", "a\t\tb",
    "Hello", " Hello", "Hello world", "Hello  world", "hello, world!", "HELLO", "HeLLo WoRLD", "helloWorld", "hello_world",
    "can't", "CAN'T", "I'm", "we'll they've you're she'd it's", "IT'S", "'s", "'S", "'ſ", "it’s", "rock 'n' roll", "''''", "don'tdon't",
    "0", "12", "123", "1234", "12345", "1234567890", "3.14159", "1,000,000", "-42", "1e-9", "0x1F", "v2.0.1", "50%", "9.81m/s²",
    "½ ⅓ ²³ ①②③ Ⅷ ㊿", "٣٤٥ ۱۲۳ ४५६ ௧௨ ๑๒๓", "１２３ＡＢＣ", "2024-02-29T23:59:60Z", "+49 (0)30 1234-567", "1st 2nd 3rd 10th",
    "é", "e\u0301", "e\u0301e\u0301", "Å", "A\u030a", "\u212b", "ﬁ ﬀ ﬃ", "ñ n\u0303", "ẛ\u0323", "q\u0307\u0323 q\u0323\u0307", "ộ o\u0302\u0323",
    "\u0301", "\u0301a", " \u0301", "a\u0300\u0301\u0302\u0303\u0304", "क्षि", "நி", "กำ", "각", "\u1100\u1161\u11a8", "한국어", "ㄱㅏㄱ",
    "שלום עולם", "שָׁלוֹם", "مرحبا بالعالم", "مُحَمَّد", "ﷺ", "नमस्ते दुनिया", "สวัสดีชาวโลก", "你好，世界！", "こんにちは世界", "カタカナｶﾀｶﾅ", "ｆｕｌｌ　ｗｉｄｔｈ",
    "Привет, мир!", "Γειά σου Κόσμε", "Բարեւ աշխարհ", "გამარჯობა", "ሰላም ልዑል", "ᏣᎳᎩ", "ᚠᚢᚦᚨᚱᚲ", "မင်္ဂလာပါ", "བཀྲ་ཤིས", "ជំរាបសួរ", "𐍈𐌰𐌹𐍂", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛",
    "😀", "😀😀", " 😀", "a😀b", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "❤️", "❤", "☺︎", "1️⃣", "🧑🏿‍🚀 ok", "🫠🪿", "👩‍❤️‍💋‍👨👩‍❤️‍💋‍👨", "‼️⁉️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "\u200b", "a\u200bb", "\u200d", "\u200c", "a\u00adb", "\ufeff", "\ufeffHello", "\u2060", "\u200e\u200f", "\u202eabc\u202c", "a\u00a0b", "\u00a0", "\u3000", "\u2003\u2009",
    "\u2028", "\u2029", "a\u2028b", "\u0085", "a\u0085b", "\x0b\x0c", "\x1c\x1d", "\x00", "a\x00b", "\x01\x02\x1f", "\x7f", "\x1b[31mred\x1b[0m", "\u180e",
    "\ufffd", "\ufffd\ufffd", "a\ufffdb", "\ufffe", "\uffff", "\U0010ffff", "\ue000", "\U000e0001", "\ud7ff", "\U0001f1e6",
    "<0x41>", "<0xE2><0x96><0x81>", "<0x", "<0xZZ>", "▁", "▁▁", "▁a", "a▁b", " ▁ ", "Ġ", "ĠĠ", "Ċ", "ĉ", "aĠb", "\\u0041", "%20", "&amp;", "\\n", "\\x00",
    "<s>", "</s>", "<unk>", "<s> a", "<s>a</s>", " <s> ", "<s><s>", "< s >", "<S>", "<s", "s>", "</s></s>", "<unk> <unk>", "a<unk>b", "a <unk> b", "▁<s>", "<pad>",
    "<|im_start|>", "<|im_end|>", "<|im_start|>user\nhi<|im_end|>\n", "a<|im_end|>b", " <|im_end|> ", "<|im_start|><|im_end|>", "<|im_start|", "|im_start|>", "<|IM_START|>", "<| im_start |>",
    "<|endoftext|>", "<|endoftext|> <|endoftext|>", "x<|endoftext|>", "<|begin_of_text|>", "<|begin_of_text|>a", "<|eot_id|>", "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>",
    "<|reserved_special_token_0|>", "<|reserved_special_token_3|>x", "<|python_tag|>", "<|vision_pad|>", "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>", "<think>\n\n</think>\n\n", "<think>", "a</think>b",
    "<tool_call>\n{}\n</tool_call>", "<repo_name>x<file_sep>y", "<filename>", "<jupyter_code>", "<empty_output>", "<|user|>\nhi</s>\n<|assistant|>\n", "[INST] <<SYS>>\nx\n<</SYS>>\n\ny [/INST] z",
    "!!!", "...", "…", "?!?!", "--", "—", "(((", "[]{}()", "a.b.c", "a..b", "foo(bar)[baz]{qux}", "$100", "€5", "#tag", "@user", "a@b.example", "C++ C# F#", "x=y+z*w/2", "->", "=>", "!=", "&&", "||", "::",
    "http://example.test/a?b=c&d=e#f", "/usr/local/bin", "C:\\path\\file.txt", "```rust\nfn main() {}\n```", "# Title\n\n- one\n- two\n\n1. three\n", "| a | b |\n|---|---|\n", "    indented\n\tmixed\n  \tboth\n",
    "def f(x):\n    return x\n", "if (a) {\n\t\treturn;\n}\n", "{\"a\": [1, 2, {\"b\": null}]}", "<p class=\"x\">&nbsp;</p>", "a;\r\n\r\n  b;\r\n", "line one  \nline two\t\n", "x\n" * 5, " x" * 5, "\n x\n  y\n   z",
    "accelerometer", " accelerometer", "accelerometers", "Accelerometer", "gyroscope", " magnetometer", "sensorllm", "walking upstairs", "WALKING_UPSTAIRS", "internationalisation", "Donaudampfschifffahrtsgesellschaft",
    "supercalifragilisticexpialidocious", "antidisestablishmentarianism", "pneumonoultramicroscopicsilicovolcanoconiosis", "zzzzzzzzzz", "qwxzjk", "aAaAaA", "ÀÉÎÕÜ", "İstanbul ıI", "ß ẞ SS", "ŒœÆæ", "straße", "naïve café",
    "a" * 200, "ab" * 100, "word" * 60, "é" * 70, "字" * 60, "😀" * 20, " " * 33, "\n" * 33, "\t" * 17, " \n" * 9, "x" + " " * 40 + "y", "=" * 80, "-" * 33 + "\n", "1" * 50, "0.1" * 12, "'" * 20, "a'" * 12, "?" * 40,
    "the the the", "The phone lies face up on the table.", "What was the person doing? They were cycling.", "I don't know, but I'll ask: it's 12:30 o'clock, isn't it?", "mixed 中文 and English と日本語 и русский",
    "a\u0303\u0323b\u0323\u0303", "\u0958\u0915\u093c", "\uf900豈", "\U0002f804", "\u0344", "\u1e9b\u0323", "\u03d3", "\u2126\u03a9", "\u00c5\u212b\u0041\u030a", "\uac00\u11a8",
]  # fmt: skip

# Ranges of characters that random strings are made from.
ALPHABETS = {
    "ascii": string.ascii_letters + string.digits + string.punctuation + "     ",
    "space": " \t\n\r\u00a0\u2003\u3000\u200b\u2028\x0b\x0c",
    "digits": string.digits + ".,-+ e%",
    "latin": "".join(map(chr, range(0xC0, 0x250))) + "    ",
    "greek": "".join(map(chr, range(0x391, 0x3CA))) + "    ",
    "cyrillic": "".join(map(chr, range(0x410, 0x450))) + "    ",
    "hebrew": "".join(map(chr, range(0x5D0, 0x5EB))) + "    ",
    "arabic": "".join(map(chr, range(0x620, 0x653))) + "    ",
    "indic": "".join(map(chr, range(0x905, 0x950))) + "".join(map(chr, range(0xB85, 0xB8B))) + "    ",
    "thai": "".join(map(chr, range(0xE01, 0xE3B))),
    "kana": "".join(map(chr, range(0x3041, 0x30FB))),
    "han": "".join(map(chr, range(0x4E00, 0x9FA5, 7))),
    "hangul": "".join(map(chr, range(0xAC00, 0xD7A4, 11))) + "".join(map(chr, range(0x1100, 0x1113))),
    "marks": "aeiou" * 8 + "".join(map(chr, range(0x300, 0x370))),
    "symbols": "".join(map(chr, range(0x2190, 0x2460, 3))) + " ",
    "emoji": "".join(map(chr, [*range(0x1F300, 0x1F650, 3), *range(0x1F3FB, 0x1F400)])) + "\u200d\ufe0f" * 20,
    "astral": "".join(map(chr, range(0x1D400, 0x1D7FF, 5))) + "".join(map(chr, range(0x10300, 0x10324))),
    "control": "".join(map(chr, range(0, 0x20))) + "\x7f\x80\x85\x9f\u200e\u202a\ufeff",
}
MARKUP = ["<|im_start|>", "<|im_end|>", "<s>", "</s>", "<unk>", "<|begin_of_text|>", "<|eot_id|>", "<|endoftext|>", "<think>", "</think>", "<tool_call>", "<0x0A>", "<|", "|>"]  # fmt: skip


def strings(count):
    """The picked strings, then random ones, all different, `count` in all."""
    rng = random.Random(2024)
    words = sorted({word for line in TRAINING for word in line.split()})
    lines = [line for text in (ENGLISH, OTHER, CODE) for line in text.split("\n") if line]
    every = "".join(chr(c) for c in range(0x20, 0x30000) if not 0xD800 <= c < 0xE000)

    def from_alphabet():
        alphabet = ALPHABETS[rng.choice(list(ALPHABETS))]
        return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 16)))

    def sentence():
        gap = rng.choice([" ", " ", " ", "  ", "\n", ", ", "_", "-", ""])
        return gap.join(rng.choice(words) for _ in range(rng.randint(1, 6)))

    def number():
        before = rng.choice(["", " ", "-", "x=", "$"])
        digits = str(rng.randint(0, 10 ** rng.randint(1, 12)))
        return before + digits + rng.choice(["", "%", ".5", "e3", " Hz", "th", "\n"])

    def mixture():
        return "".join(rng.choice([from_alphabet, sentence, number])()[:12] for _ in range(rng.randint(2, 4)))

    def marked_up():
        def part():
            return rng.choice([rng.choice(MARKUP), rng.choice(words), " ", "\n", from_alphabet()[:6]])

        return "".join(part() for _ in range(rng.randint(2, 6)))

    def slice_of_line():
        line = rng.choice(lines)
        start = rng.randrange(len(line))
        return line[start : start + rng.randint(1, 40)]

    def anything():
        return "".join(rng.choice(every) for _ in range(rng.randint(1, 6)))

    def spaced():
        before = rng.choice(["", " " * rng.randint(1, 9)]) + rng.choice(words)
        gap = rng.choice(["\n", "\r\n", "\t", " ", "\n\n"]) * rng.randint(1, 4)
        return before + gap + rng.choice(words)

    makers = [from_alphabet, from_alphabet, sentence, number, mixture, marked_up, slice_of_line, anything, spaced]
    found = dict.fromkeys(PICKED)
    while len(found) < count:
        found[rng.choice(makers)()] = None
    return list(found)
