// The beam search as a TensorFlow op, for graphs and SavedModels. Everything it knows is in the library; here
// stand shapes, attributes and the way errors take: what the library throws becomes InvalidArgumentError.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "language_models.h"
#include "scorer/alphabet.h"
#include "search/batch.h"
#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace speechmill {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;

using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

template <class... Parts>
absl::Status invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

absl::Status answer_shapes(InferenceContext* context) {
  ShapeHandle log_probs;
  ShapeHandle lengths;
  TF_RETURN_IF_ERROR(context->WithRank(context->input(0), 3, &log_probs));
  TF_RETURN_IF_ERROR(context->WithRank(context->input(1), 1, &lengths));
  int n_best = 1;
  TF_RETURN_IF_ERROR(context->GetAttr("n_best", &n_best));
  const ShapeHandle answers = context->Matrix(context->Dim(log_probs, 0), n_best);
  for (int i = 0; i < 4; ++i) context->set_output(i, answers);
  context->set_output(4, context->Vector(context->Dim(log_probs, 0)));
  return absl::OkStatus();
}

REGISTER_OP("SpeechmillCTCBeamSearchDecoder")
    .Input("log_probs: float")
    .Input("lengths: int32")
    .Attr("lm_dir: string = ''")
    .Attr("alphabet: string")
    .Attr("blank: int = -1")
    .Attr("alpha: float = 0.5")
    .Attr("beta: float = 1.5")
    .Attr("beam_width: int >= 1 = 100")
    .Attr("mode: {'exact', 'default', 'fast'} = 'default'")
    .Attr("n_best: int >= 1 = 1")
    .Attr("open_vocabulary: bool = false")
    .Attr("oov_penalty: float = -10.0")
    .Attr("oov_letter_penalty: float = 0.0")  // as in models saved before there was one
    .Output("texts: string")
    .Output("scores: float")
    .Output("acoustic: float")
    .Output("lm: float")
    .Output("counts: int32")
    .SetShapeFn(answer_shapes);

REGISTER_OP("SpeechmillBuiltForTensorflow")
    .Output("version: string")
    .SetIsStateful()
    .SetShapeFn(tensorflow::shape_inference::ScalarShape);

class BuiltForKernel final : public OpKernel {
public:
  using OpKernel::OpKernel;
  void Compute(OpKernelContext* context) override {
    Tensor* version = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({}), &version));
    version->scalar<tensorflow::tstring>()() = SPEECHMILL_TF_VERSION;
  }
};

class DecoderKernel final : public OpKernel {
public:
  explicit DecoderKernel(OpKernelConstruction* context) : OpKernel(context) {
    std::string lm_dir;
    std::string alphabet_text;
    std::string mode;
    int blank = -1;
    int beam_width = 0;
    Weights weights;
    OP_REQUIRES_OK(context, context->GetAttr("lm_dir", &lm_dir));
    OP_REQUIRES_OK(context, context->GetAttr("alphabet", &alphabet_text));
    OP_REQUIRES_OK(context, context->GetAttr("blank", &blank));
    OP_REQUIRES_OK(context, context->GetAttr("alpha", &weights.alpha));
    OP_REQUIRES_OK(context, context->GetAttr("beta", &weights.beta));
    OP_REQUIRES_OK(context, context->GetAttr("beam_width", &beam_width));
    OP_REQUIRES_OK(context, context->GetAttr("mode", &mode));
    OP_REQUIRES_OK(context, context->GetAttr("n_best", &n_best_));
    bool open_vocabulary = false;
    float oov_penalty = 0.0F;
    float oov_letter_penalty = 0.0F;
    OP_REQUIRES_OK(context, context->GetAttr("open_vocabulary", &open_vocabulary));
    OP_REQUIRES_OK(context, context->GetAttr("oov_penalty", &oov_penalty));
    OP_REQUIRES_OK(context, context->GetAttr("oov_letter_penalty", &oov_letter_penalty));
    try {
      alphabet_ = std::make_unique<Alphabet>(Alphabet::parse(alphabet_text, "attribute alphabet", blank));
      const float alpha = lm_dir.empty() ? Weights{}.alpha : weights.alpha;
      options_ = SearchOptions::preset(mode, static_cast<std::size_t>(beam_width), alpha);
      options_.open_vocabulary = open_vocabulary;
      options_.oov_penalty = oov_penalty;
      options_.oov_letter_penalty = oov_letter_penalty;
      if (!lm_dir.empty()) {
        shared_ = shared_scorer(lm_dir);
        scorer_ = std::make_unique<Scorer>(shared_->with_weights(weights));
      }
      const BeamSearch proof(*alphabet_, scorer_.get(), options_);  // alphabet and model fit together
    } catch (const std::exception& failure) {
      context->CtxFailure(invalid(failure.what()));
    }
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& log_probs = context->input(0);
    const Tensor& lengths = context->input(1);
    OP_REQUIRES(
        context, log_probs.dims() == 3,
        invalid("log_probs must be [batch, frames, labels], not of ", log_probs.dims(), " dimensions"));
    OP_REQUIRES(context, lengths.dims() == 1,
                invalid("lengths must be [batch], not of ", lengths.dims(), " dimensions"));
    Batch batch;
    batch.log_probs = log_probs.flat<float>().data();
    batch.utterances = static_cast<std::size_t>(log_probs.dim_size(0));
    batch.frames = static_cast<std::size_t>(log_probs.dim_size(1));
    batch.labels = static_cast<std::size_t>(log_probs.dim_size(2));
    const auto frames = lengths.vec<int>();
    for (int i = 0; i < frames.size(); ++i) {
      OP_REQUIRES(context, frames(i) >= 0, invalid("length ", frames(i), " is negative"));
      batch.lengths.push_back(static_cast<std::size_t>(frames(i)));
    }
    const int threads = context->device()->tensorflow_cpu_worker_threads()->num_threads;
    try {
      write(context,
            decode_batch(batch, *alphabet_, scorer_.get(), options_, static_cast<std::size_t>(n_best_),
                         static_cast<std::size_t>(std::max(1, threads))));
    } catch (const std::exception& failure) {
      context->CtxFailure(invalid(failure.what()));
    }
  }

private:
  // Answers beyond those that were found are empty texts of score -inf.
  void write(OpKernelContext* context, const std::vector<std::vector<Hypothesis>>& answers) const {
    const auto batch = static_cast<std::int64_t>(answers.size());
    Tensor* texts = nullptr;
    Tensor* parts[3] = {};  // score, acoustic, lm
    Tensor* counts = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({batch, n_best_}), &texts));
    for (int part = 0; part < 3; ++part) {
      OP_REQUIRES_OK(context,
                     context->allocate_output(1 + part, TensorShape({batch, n_best_}), &parts[part]));
      parts[part]->flat<float>().setConstant(-std::numeric_limits<float>::infinity());
    }
    OP_REQUIRES_OK(context, context->allocate_output(4, TensorShape({batch}), &counts));
    for (std::int64_t i = 0; i < batch; ++i) {
      const std::vector<Hypothesis>& found = answers[static_cast<std::size_t>(i)];
      counts->vec<int>()(i) = static_cast<int>(found.size());
      for (std::size_t n = 0; n < found.size(); ++n) {
        const auto place = static_cast<std::int64_t>(n);
        texts->matrix<tensorflow::tstring>()(i, place) = found[n].text;
        parts[0]->matrix<float>()(i, place) = found[n].score;
        parts[1]->matrix<float>()(i, place) = found[n].acoustic;
        parts[2]->matrix<float>()(i, place) = found[n].lm;
      }
    }
  }

  std::unique_ptr<const Alphabet> alphabet_;
  std::shared_ptr<const Scorer> shared_;
  std::unique_ptr<const Scorer> scorer_;  // the shared one at this kernel's weights
  SearchOptions options_;
  int n_best_ = 1;
};

REGISTER_KERNEL_BUILDER(Name("SpeechmillCTCBeamSearchDecoder").Device(tensorflow::DEVICE_CPU), DecoderKernel);
REGISTER_KERNEL_BUILDER(Name("SpeechmillBuiltForTensorflow").Device(tensorflow::DEVICE_CPU), BuiltForKernel);

}  // namespace
}  // namespace speechmill
