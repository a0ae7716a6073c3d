"""Small checkpoints with random weights, saved in the very formats that the hub serves."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import sentencepiece
import soxr
import torch
from ctranslate2.converters import TransformersConverter
from espeak import RATE, VOICES, speak
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    HubertConfig,
    HubertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
    WavLMConfig,
    WavLMForSequenceClassification,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

from emobatch.demo.synthesis import Synthesiser

TEXT = (
    "the quick brown fox jumps over the lazy dog while seven happy children laugh and sing",
    "i am so angry that you broke my favourite window again and did not even say sorry",
    "she was sad because nobody came to her party on that cold and rainy afternoon",
    "the train to the city leaves at nine and the next one follows half an hour later",
    "what a wonderful surprise we are going to the beach with all of our old friends",
)
FAMILIES = {
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2ForSequenceClassification),
    "hubert": (HubertConfig, HubertForSequenceClassification),
    "wavlm": (WavLMConfig, WavLMForSequenceClassification),
}
SUPERB_LABELS = ("neu", "hap", "ang", "sad")
# As published checkpoints of MSP-Podcast's eight classes and of GoEmotions' name them.
EIGHT_LABELS = (
    *("Angry", "Sad", "Happy", "Surprise"),
    *("Fear", "Disgust", "Contempt", "Neutral"),
)
MANY_LABELS = (
    *("admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion"),
    *("curiosity", "desire", "disappointment", "disapproval", "disgust", "embarrassment"),
    *("excitement", "fear", "gratitude", "grief", "joy", "love", "nervousness", "optimism"),
    *("pride", "realization", "relief", "remorse", "sadness", "surprise"),
)
# Ekman's six and neutral.
TEXT_EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")


def save_speech(
    folder: Path,
    family: str = "wav2vec2",
    norm: str = "group",
    labels: tuple[str, ...] = SUPERB_LABELS,
    **settings: object,
) -> Path:
    """An audio classifier whose scores vary with the clip, as a trained one's do."""
    config_class, model_class = FAMILIES[family]
    torch.manual_seed(7)
    config = config_class(
        feat_extract_norm=norm,
        do_stable_layer_norm=norm == "layer",
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        conv_dim=(32,) * 7,
        conv_bias=norm == "layer",
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        classifier_proj_size=16,
        id2label=dict(enumerate(labels)),
        label2id={name: number for number, name in enumerate(labels)},
        **settings,
    )
    model = model_class(config)
    with torch.no_grad():
        for parameter in model.base_model.parameters():
            parameter.mul_(1.5)
    # As the hub's: base checkpoints don't ask for an attention mask, large ones do.
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=norm == "layer")
    model.eval()
    inputs = [extractor(clip, sampling_rate=16_000, return_tensors="pt") for clip in _spoken()]
    with torch.no_grad():
        logits = torch.cat([model(**each).logits for each in inputs])
    _spread(model.classifier, logits)
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder


@cache
def _spoken() -> list[np.ndarray]:
    engine = Synthesiser()  # that has said nothing, so that weights are the same in any process
    return [
        soxr.resample(speak(text, voice, engine=engine) / 32768.0, RATE, 16_000)
        for text, voice in zip(TEXT, VOICES, strict=False)
    ]


def _spread(head: torch.nn.Linear, logits: torch.Tensor) -> None:
    """Stretch and centre logits: random weights give nearly the same to everything."""
    scale = 1.5 / logits.std(dim=0)
    with torch.no_grad():
        head.weight.mul_(scale[:, None])
        head.bias.mul_(scale).sub_(logits.mean(dim=0) * scale)


def save_whisper(
    folder: Path,
    *,
    multilingual: bool = False,
    width: int = 32,
    layers: int = 1,
    heads: int = 1,
    quantization: str | None = None,
) -> Path:
    """A Whisper in CTranslate2's format with a tokenizer of its own.

    Its time goes into attention among the 1500 states of 30 s: each layer and head takes as long.
    """
    torch.manual_seed(3)
    languages = ("en", "de", "fr")
    tokenizer = _whisper_tokenizer(languages)
    size = tokenizer.get_vocab_size()
    ids = {name: tokenizer.token_to_id(f"<|{name}|>") for name in _control_tokens(languages)}
    config = WhisperConfig(
        vocab_size=size,
        d_model=width,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        num_mel_bins=80,
        max_target_positions=448,
        decoder_start_token_id=ids["startoftranscript"],
        eos_token_id=ids["endoftext"],
        bos_token_id=ids["endoftext"],
        pad_token_id=ids["endoftext"],
        suppress_tokens=[],
        begin_suppress_tokens=[ids["endoftext"]],
    )
    model = WhisperForConditionalGeneration(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "encoder_attn" in name or "conv" in name:
                parameter.mul_(8)
        # Words and the end of the transcript are likelier than timestamps, as in a trained model.
        embedding = model.model.decoder.embed_tokens.weight
        end = embedding[ids["endoftext"]].normal_(std=0.02)  # zero, as the padding token is
        embedding[: ids["endoftext"] + 1].mul_(8)
        # Nothing else would end a transcript before Whisper's limit of 448 tokens.
        model.model.decoder.embed_positions.weight[14:].add_(end / end.norm() * 4)
    source = folder.with_name(folder.name + "-transformers")
    model.save_pretrained(source)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(source)
    config_file = source / "tokenizer_config.json"
    config_file.write_text(config_file.read_text().replace("TokenizersBackend", "WhisperTokenizer"))
    WhisperFeatureExtractor(feature_size=80).save_pretrained(source)
    TransformersConverter(
        str(source), copy_files=["tokenizer.json", "preprocessor_config.json"]
    ).convert(str(folder), quantization=quantization)
    if multilingual:
        # What CTranslate2 knows multilingual models by: their vocabularies have an empty token.
        vocabulary = json.loads((folder / "vocabulary.json").read_text())
        vocabulary[0] = ""
        (folder / "vocabulary.json").write_text(json.dumps(vocabulary))
        config = json.loads((folder / "config.json").read_text())
        config["lang_ids"] = [ids[code] for code in languages]
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def save_sentiment(
    folder: Path, labels: tuple[str, ...] = ("negative", "neutral", "positive")
) -> Path:
    """An XLM-RoBERTa classifier as the hub's: a pickle, and a SentencePiece model alone."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = folder.parent / f"{folder.name}.txt"
    corpus.write_text("\n".join(TEXT * 4))
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(folder / "sentencepiece.bpe"),
        vocab_size=80,
        model_type="unigram",
        minloglevel=2,
    )
    (folder / "sentencepiece.bpe.vocab").unlink()
    torch.manual_seed(5)
    config = XLMRobertaConfig(
        vocab_size=82,  # SentencePiece's, and <pad> and <mask>
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=66,
        type_vocab_size=1,
        initializer_range=0.4,
        id2label=dict(enumerate(labels)),
        label2id={name: number for number, name in enumerate(labels)},
    )
    model = XLMRobertaForSequenceClassification(config)
    with torch.no_grad():
        logits = model.eval()(torch.randint(3, 80, (40, 12))).logits
    _spread(model.classifier.out_proj, logits)
    config.architectures = ["XLMRobertaForSequenceClassification"]
    config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "XLMRobertaTokenizer"}')
    return folder


def save_text_emotion(folder: Path, labels: tuple[str, ...] = TEXT_EMOTIONS) -> Path:
    """A BERT classifier of emotions: safetensors, and a fast tokenizer."""
    words = sorted({word for line in TEXT for word in line.split()})
    vocabulary = {word: n for n, word in enumerate(("[PAD]", "[UNK]", *words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(9)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.4,
        id2label=dict(enumerate(labels)),
        label2id={name: number for number, name in enumerate(labels)},
    )
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        logits = model.eval()(torch.randint(1, len(vocabulary), (40, 12))).logits
    _spread(model.classifier, logits)
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=64
    ).save_pretrained(folder)
    return folder


def _control_tokens(languages: tuple[str, ...]) -> tuple[str, ...]:
    return (
        "endoftext",
        "startoftranscript",
        *languages,
        "translate",
        "transcribe",
        "startoflm",
        "startofprev",
        "nospeech",
        "notimestamps",
    )


def _whisper_tokenizer(languages: tuple[str, ...]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    control = [f"<|{name}|>" for name in _control_tokens(languages)]
    times = [f"<|{step * 0.02:.2f}|>" for step in range(1501)]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in control])
    tokenizer.add_tokens([AddedToken(token, special=False) for token in times])
    return tokenizer


def save_chat(folder: Path) -> Path:
    """A Llama of random weights that chats in bytes and pieces of words."""
    tokenizer = _whisper_tokenizer(("en",))
    torch.manual_seed(11)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=4096,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    end = "<|endoftext|>"
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=end, pad_token=end)
    fast.chat_template = (
        "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    )
    fast.save_pretrained(folder)
    return folder
