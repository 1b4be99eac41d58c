"""Forward correction: the network's prediction, sent through the noise, is fitted to labels."""

from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.methods.transition import TransitionLearner
from adc_plugins_learn.training.strategy import Switch


def forward_cross_entropy(logits: Tensor, labels: Tensor, transition: Tensor) -> Tensor:
    """Compute −log Σ_k p_k·T[k, y].

    Args:
        logits: B × K, of true classes.
        labels: B int64 given labels.
        transition: K × K, row: true class, column: given class.

    Returns:
        B losses, in nats; at least −log max_k T[k, y].
    """
    columns = transition.to(logits.dtype).T[labels]
    # Where a column is zero everywhere, the loss is large rather than infinite.
    return -(logits.log_softmax(dim=1) + (columns + 1e-12).log()).logsumexp(dim=1)


class ForwardCorrection(TransitionLearner):
    """Trains the network to predict true classes whose noisy image fits the labels.

    Loss: −log Σ_k p_k·T[k, y]. Patrini et al., "Making deep neural networks robust to label
    noise: a loss correction approach", CVPR 2017. The matrix: see the options `transition` and
    `source`. The ADC paper estimates anew, from the corrected network itself, in each epoch of
    the second half: the preset `adc` does so, although it drives the matrix to the identity.

    Traps: rows are true classes; a transposed matrix goes unnoticed under symmetric noise. The
    training loss has a lower bound above 0. Trained to the very end, even the true matrix does
    not save a network that memorises.
    """

    def strategy(self, dataset: Dataset) -> Switch:
        """Return cross-entropy, then the forward correction."""
        return self.corrected(dataset, forward_cross_entropy)
