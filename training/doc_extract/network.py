"""The role model: the lower layers of the general encoder, and for every token a tag."""

from pathlib import Path

from torch import Tensor, nn

from training.encoder.folder import e5
from training.network import EncoderNetwork


class RoleNetwork(EncoderNetwork):
    """Tags tokens with the fields whose values they belong to.

    Args:
        encoder_dir: Folder of `training.encoder.extract`.
        layers: How many of the encoder's lowest layers are kept.
        tags: Number of tags.
    """

    def __init__(self, encoder_dir: Path, layers: int, tags: int) -> None:
        super().__init__()
        self.encoder = e5(encoder_dir).bert()
        self.encoder.encoder.layer = self.encoder.encoder.layer[:layers]
        self.encoder.config.num_hidden_layers = layers
        # Our wording has few of the words that real documents use; those keep what the encoder knows of them.
        self.encoder.embeddings.requires_grad_(requires_grad=False)
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(self.encoder.config.hidden_size, tags)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits [rows, length, tags]; the arguments are [rows, length] of int64."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits: Tensor = self.head(self.dropout(states))
        return logits
