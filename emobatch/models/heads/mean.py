"""Mean over time, a dense layer, tanh, outputs: audeering's model of attributes and its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from emobatch.models import files
from emobatch.models.heads.head import CONFIG, MSP_ATTRIBUTES, UNNAMED, Folder, Head

if TYPE_CHECKING:
    from emobatch.models.heads.networks import Headed

ARCHITECTURE = "Wav2Vec2ForSpeechClassification"
POOLING = "mean"
# Prefixes of weights.
PARTS = ("wav2vec2.", "classifier.dense.", "classifier.out_proj.")


class Mean(Head):
    """A wav2vec 2.0 encoder whose frames are averaged, with a dense layer before the outputs."""

    about: ClassVar[str] = "mean over time and a dense layer"

    @classmethod
    def claims(cls, folder: Folder) -> bool:
        """Whether its architecture is the one that such checkpoints are called by."""
        return ARCHITECTURE in folder.architectures

    @classmethod
    def check(cls, folder: Folder) -> None:
        """Refuse another way of pooling, which some checkpoints of that name have."""
        pooling = folder.config.get("pooling_mode") or POOLING
        if pooling != POOLING:
            raise ValueError(f"{CONFIG} has pooling_mode {pooling}; only {POOLING} is known")

    @classmethod
    def labels(cls, folder: Folder) -> list[str]:
        """Read ``id2label``; three unnamed outputs of a regression are in the known order."""
        if folder.named_outputs:
            return folder.named_outputs
        count = len(folder.config.get("id2label") or MSP_ATTRIBUTES)
        if folder.config.get("problem_type") == "regression" and count == len(MSP_ATTRIBUTES):
            return [*MSP_ATTRIBUTES]
        return [f"{UNNAMED}{output}" for output in range(count)]

    @classmethod
    def load(cls, folder: Folder, outputs: int) -> tuple[Headed, Any]:
        """Load network and feature extractor."""
        from transformers import AutoFeatureExtractor

        from emobatch.models.heads import weights
        from emobatch.models.heads.networks import MeanClassifier

        state = weights.read(files.weights(folder.path))
        encoder = weights.encoder({**folder.config, "model_type": "wav2vec2"}, state, PARTS[0])
        network = MeanClassifier(encoder, outputs)
        weights.fill(network, state, PARTS)
        extractor = AutoFeatureExtractor.from_pretrained(
            folder.path, trust_remote_code=False, local_files_only=True
        )
        return network.eval(), extractor
