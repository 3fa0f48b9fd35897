// The beam search as a TensorFlow op, for graphs and SavedModels. Everything it knows is in the library; here
// stand shapes, attributes and the way errors take: what the library throws becomes InvalidArgumentError.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "language_models.h"
#include "scorer/alphabet.h"
#include "search/batch.h"
#include "search/settings.h"
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

constexpr float kOfMode = -1.0F;  // outside the range of every setting that the mode sets

// The attribute of a setting of the decoder: name, type and default.
std::string attribute(const char* name) {
  const Setting& setting = decoder_setting(name);
  const double standard = setting.has_standard() ? setting.standard : static_cast<double>(kOfMode);
  if (setting.whole) return absl::StrCat(name, ": int = ", static_cast<std::int64_t>(standard));
  return absl::StrFormat("%s: float = %.9g", name, standard);
}

REGISTER_OP("SpeechmillCTCBeamSearchDecoder")
    .Input("log_probs: float")
    .Input("lengths: int32")
    .Attr("lm_dir: string = ''")
    .Attr("alphabet: string")
    .Attr("blank: int = -1")
    .Attr("mode: {'exact', 'default', 'fast'} = 'default'")
    .Attr("open_vocabulary: bool = false")
    .Attr(attribute("alpha"))
    .Attr(attribute("beta"))
    .Attr(attribute("beam_width"))
    .Attr(attribute("n_best"))
    .Attr(attribute("oov_penalty"))
    .Attr(attribute("oov_letter_penalty"))
    .Attr(attribute("label_floor"))
    .Attr(attribute("score_threshold"))
    .Attr(attribute("blank_skip"))
    .Attr(attribute("doubt_labels"))
    .Attr(attribute("crowd"))
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
    int blank = -1;
    DecoderSettings settings;
    OP_REQUIRES_OK(context, context->GetAttr("lm_dir", &lm_dir));
    OP_REQUIRES_OK(context, context->GetAttr("alphabet", &alphabet_text));
    OP_REQUIRES_OK(context, context->GetAttr("blank", &blank));
    OP_REQUIRES_OK(context, context->GetAttr("mode", &settings.mode));
    OP_REQUIRES_OK(context, context->GetAttr("open_vocabulary", &settings.open_vocabulary));
    try {
      for (const Setting& setting : decoder_settings()) {
        OP_REQUIRES_OK(context, take(context, setting, &settings));
      }
      n_best_ = static_cast<int>(settings.n_best);
      alphabet_ = std::make_unique<Alphabet>(Alphabet::parse(alphabet_text, "attribute alphabet", blank));
      options_ = search_options(settings, !lm_dir.empty());
      if (!lm_dir.empty()) {
        shared_ = shared_scorer(lm_dir);
        scorer_ = std::make_unique<Scorer>(shared_->with_weights({settings.alpha, settings.beta}));
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
  static absl::Status take(OpKernelConstruction* context, const Setting& setting, DecoderSettings* settings) {
    int whole = 0;
    float real = 0.0F;
    const absl::Status status =
        setting.whole ? context->GetAttr(setting.name, &whole) : context->GetAttr(setting.name, &real);
    if (!status.ok()) return status;
    const double value = setting.whole ? whole : static_cast<double>(real);
    if (!setting.has_standard() && value == static_cast<double>(kOfMode)) return status;
    setting.put(settings, checked(setting, value));
    return status;
  }

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
