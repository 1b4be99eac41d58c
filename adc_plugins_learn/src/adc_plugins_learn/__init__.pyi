from .adjustments.logit_adjustment import LogitAdjustment
from .criteria.balanced_softmax import BalancedSoftmax, balanced_softmax
from .criteria.class_weighted import ClassWeighted, class_weights
from .criteria.focal import Focal, focal_loss
from .criteria.ldam import LabelDistributionAwareMargin, class_margins, ldam_loss
from .criteria.logit_adjustment import LogitAdjustedCrossEntropy
from .encoders.open_clip import OpenClipEncoder
from .encoders.pixels import PixelEncoder, principal_components
from .encoders.timm import TimmEncoder
from .encoders.torchvision import TorchvisionEncoder, penultimate
from .encoders.transformers import TransformersEncoder
from .encoding.network_encoder import FrozenNetwork, NetworkEncoder
from .encoding.text_tower import TextEncoder, TextTower
from .enrichers.cross_validation import CrossValidation
from .enrichers.image_text import (
    ImageText,
    class_directions,
    zero_shot,
)
from .enrichers.training_dynamics import TrainingDynamics
from .learners.active_passive import ActivePassive, active_passive, normalized_cross_entropy
from .learners.backward_correction import BackwardCorrection, backward_cross_entropy
from .learners.balanced_meta import BalancedMetaSoftmax
from .learners.bootstrap import Bootstrap, hard_bootstrap, soft_bootstrap
from .learners.co_teaching import CoTeaching, co_teaching_losses
from .learners.cores import Cores, confidence_regularized, sieve_scores
from .learners.cross_entropy import CrossEntropy
from .learners.dividemix import DivideMix
from .learners.elr import EarlyLearningRegularization, early_learning_penalty
from .learners.elr_plus import EarlyLearningRegularizationPlus
from .learners.f_divergence import FDivergence, f_divergence_loss
from .learners.forward_correction import ForwardCorrection, forward_cross_entropy
from .learners.generalized_cross_entropy import GeneralizedCrossEntropy, generalized_cross_entropy
from .learners.jocor import JoCoR, jocor_loss
from .learners.label_distributionally_robust import (
    LabelDistributionallyRobust,
    label_distributionally_robust,
)
from .learners.label_smoothing import (
    NegativeLabelSmoothing,
    PositiveLabelSmoothing,
    smoothed_cross_entropy,
)
from .learners.learning_to_reweight import LearningToReweight, alignments, sample_weights
from .learners.logit_clip import LogitClip, clip_logits
from .learners.loss_reweighting import LossReweighting, reweighted_cross_entropy
from .learners.mc_softmax import MCSoftMax
from .learners.mentormix import MentorMix
from .learners.mentornet import MentorNet, self_paced_weights
from .learners.mixup import Mixup, mixed_cross_entropy
from .learners.nested_dropout import NestedDropout
from .learners.nmtune import NMTune
from .learners.peer_loss import PeerLoss, peer_loss
from .learners.pes import ProgressiveEarlyStopping, agreeing_rows
from .learners.pls_lsa import PseudoLossSelection
from .learners.pseudo_labels import PseudoLabels
from .learners.rcal import RepresentationCalibration
from .learners.sop import SparseOverParameterization, corrected_probabilities, squared_residuals
from .learners.symmetric_cross_entropy import (
    SymmetricCrossEntropy,
    reverse_cross_entropy,
    symmetric_cross_entropy,
)
from .learners.tailr import TaiLr, tailr_loss
from .learners.taylor_cross_entropy import (
    TaylorCrossEntropy,
    smooth_taylor_cross_entropy,
    taylor_cross_entropy,
    taylor_softmax_cross_entropy,
)
from .learners.uda import UnsupervisedDataAugmentation
from .methods.dividemix_losses import semi_supervised_loss
from .methods.transition import TransitionLearner, estimate_transition
from .metrics.accuracy import Accuracy, class_accuracies
from .metrics.calibration_error import CalibrationError, expected_calibration_error
from .metrics.conformal import ConformalSets, prediction_sets
from .metrics.corrected_accuracy import (
    CorrectedAccuracy,
    CorrectedScores,
    corrected_accuracy,
    crossing_share,
    review_outcome,
)
from .metrics.delta_worst_accuracy import DeltaWorstAccuracy, delta_worst_accuracy
from .metrics.label_set_accuracy import LabelSetAccuracy, LabelSetScores, label_set_accuracy
from .metrics.many_medium_few import ManyMediumFew
from .metrics.subgroup_spread import SubgroupSpread, subgroup_spread
from .posthocs.drops import Drops, worst_case_weights
from .posthocs.logit_adjustment import PosthocLogitAdjustment
from .samplers.class_balanced import ClassBalanced, sampling_probabilities
from .samplers.torch_sampler import TorchSampler
from .training.data.sampler import Batch, TrainingSampler
from .training.data.torch_dataset import from_torch
from .training.network_learner import NetworkLearner
from .training.networks.backbones import build_backbone
from .training.networks.calibration import fit_temperature
from .training.networks.heads import Output, mean_softmax
from .training.networks.model import NetworkModel
from .training.parts import (
    Adjustment,
    Criterion,
    Posthoc,
    Sampler,
    TrainingContext,
    cross_entropy,
)
from .training.strategy import BatchPlan, PerSample, Step, Strategy, Switch

__all__ = [
    "Accuracy",
    "ActivePassive",
    "Adjustment",
    "BackwardCorrection",
    "BalancedMetaSoftmax",
    "BalancedSoftmax",
    "Batch",
    "BatchPlan",
    "Bootstrap",
    "CalibrationError",
    "ClassBalanced",
    "ClassWeighted",
    "CoTeaching",
    "ConformalSets",
    "Cores",
    "CorrectedAccuracy",
    "CorrectedScores",
    "Criterion",
    "CrossEntropy",
    "CrossValidation",
    "DeltaWorstAccuracy",
    "DivideMix",
    "Drops",
    "EarlyLearningRegularization",
    "EarlyLearningRegularizationPlus",
    "FDivergence",
    "Focal",
    "ForwardCorrection",
    "FrozenNetwork",
    "GeneralizedCrossEntropy",
    "ImageText",
    "JoCoR",
    "LabelDistributionAwareMargin",
    "LabelDistributionallyRobust",
    "LabelSetAccuracy",
    "LabelSetScores",
    "LearningToReweight",
    "LogitAdjustedCrossEntropy",
    "LogitAdjustment",
    "LogitClip",
    "LossReweighting",
    "MCSoftMax",
    "ManyMediumFew",
    "MentorMix",
    "MentorNet",
    "Mixup",
    "NMTune",
    "NegativeLabelSmoothing",
    "NestedDropout",
    "NetworkEncoder",
    "NetworkLearner",
    "NetworkModel",
    "OpenClipEncoder",
    "Output",
    "PeerLoss",
    "PerSample",
    "PixelEncoder",
    "PositiveLabelSmoothing",
    "Posthoc",
    "PosthocLogitAdjustment",
    "ProgressiveEarlyStopping",
    "PseudoLabels",
    "PseudoLossSelection",
    "RepresentationCalibration",
    "Sampler",
    "SparseOverParameterization",
    "Step",
    "Strategy",
    "SubgroupSpread",
    "Switch",
    "SymmetricCrossEntropy",
    "TaiLr",
    "TaylorCrossEntropy",
    "TextEncoder",
    "TextTower",
    "TimmEncoder",
    "TorchSampler",
    "TorchvisionEncoder",
    "TrainingContext",
    "TrainingDynamics",
    "TrainingSampler",
    "TransformersEncoder",
    "TransitionLearner",
    "UnsupervisedDataAugmentation",
    "active_passive",
    "agreeing_rows",
    "alignments",
    "backward_cross_entropy",
    "balanced_softmax",
    "build_backbone",
    "class_accuracies",
    "class_directions",
    "class_margins",
    "class_weights",
    "clip_logits",
    "co_teaching_losses",
    "confidence_regularized",
    "corrected_accuracy",
    "corrected_probabilities",
    "cross_entropy",
    "crossing_share",
    "delta_worst_accuracy",
    "early_learning_penalty",
    "estimate_transition",
    "expected_calibration_error",
    "f_divergence_loss",
    "fit_temperature",
    "focal_loss",
    "forward_cross_entropy",
    "from_torch",
    "generalized_cross_entropy",
    "hard_bootstrap",
    "jocor_loss",
    "label_distributionally_robust",
    "label_set_accuracy",
    "ldam_loss",
    "mean_softmax",
    "mixed_cross_entropy",
    "normalized_cross_entropy",
    "peer_loss",
    "penultimate",
    "prediction_sets",
    "principal_components",
    "reverse_cross_entropy",
    "review_outcome",
    "reweighted_cross_entropy",
    "sample_weights",
    "sampling_probabilities",
    "self_paced_weights",
    "semi_supervised_loss",
    "sieve_scores",
    "smooth_taylor_cross_entropy",
    "smoothed_cross_entropy",
    "soft_bootstrap",
    "squared_residuals",
    "subgroup_spread",
    "symmetric_cross_entropy",
    "tailr_loss",
    "taylor_cross_entropy",
    "taylor_softmax_cross_entropy",
    "worst_case_weights",
    "zero_shot",
]
